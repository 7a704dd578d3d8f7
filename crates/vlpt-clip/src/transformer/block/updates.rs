//! Updates of the layers of a block.

use vlpt_kernels::{
    Arena, Buffer, Columns, Dropout, Linear, LowRank, LowRankInput, Matrix, Operand, ScaleShift,
    add,
};

use super::Block;
use crate::adaptation::{BlockUpdates, HeldKind, LayerName, UpdateGradient, Updates};

/// What is learned in the layers of a block in a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adapting<'a> {
    pub(crate) updates: BlockUpdates<'a>,
    /// What dropout knows the rows of the block's input by; empty where nothing is dropped.
    pub(crate) keys: &'a [u64],
}

/// The updates of one layer, low-rank ones first.
pub(super) struct LayerUpdates<'a> {
    own: Vec<(usize, &'a HeldKind)>,
    keys: Vec<u64>,
    /// Where the layer's outputs lie.
    columns: Columns,
}

impl<'a> Adapting<'a> {
    /// Of a pass in which no layer changes.
    pub(crate) fn none(no_updates: &'a Updates) -> Self {
        Self {
            updates: no_updates.of_block(0),
            keys: &[],
        }
    }

    /// Of a layer that reads the rows `rows` of the block, or all of them, and writes these columns.
    pub(super) fn of_layer(
        self,
        layer: LayerName,
        rows: Option<&[u32]>,
        columns: Columns,
    ) -> LayerUpdates<'a> {
        let own = self.updates.of_layer(layer);
        let keys = match rows {
            _ if own.is_empty() || self.keys.is_empty() => Vec::new(),
            None => self.keys.to_vec(),
            Some(rows) => rows.iter().map(|row| self.keys[*row as usize]).collect(),
        };
        LayerUpdates { own, keys, columns }
    }
}

impl LayerUpdates<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Whether there is one that changes the gradient of the frozen layer's output.
    pub(super) fn scale(&self) -> bool {
        let scales = |(_, kind): &(usize, &HeldKind)| matches!(kind, HeldKind::ScaleShift { .. });
        self.own.iter().any(scales)
    }

    /// Updates the layer's outputs.
    pub(super) fn apply(&self, input: LayerInput, y: &mut [f32]) {
        for (_, kind) in &self.own {
            self.apply_one(kind, input, y);
        }
    }

    fn apply_one(&self, kind: &HeldKind, input: LayerInput, y: &mut [f32]) {
        match kind {
            HeldKind::LowRank {
                a, b, rank, scale, ..
            } => {
                let (rank, scale) = (*rank, *scale);
                let product = LowRank { a, b, rank, scale };
                product.forward_add(self.input(kind, input), y, self.columns);
            }
            HeldKind::ScaleShift { scale, shift } => {
                ScaleShift { scale, shift }.forward(y, self.columns);
            }
        }
    }

    /// Updates a residual stream `x` to which the frozen layer's outputs were added; `layer` computes
    /// these again where they are needed.
    pub(super) fn apply_to_sum(
        &self,
        arena: &Arena,
        layer: &Linear,
        input: LayerInput,
        x: &mut [f32],
    ) {
        if !self.scale() {
            self.apply(input, x);
            return;
        }
        let mut y = arena.floats(x.len());
        layer.forward_into(input.rows, &mut y);
        let mut change = arena.copy(&y);
        self.apply(input, &mut change);
        // so that updates that change nothing leave every bit as it is
        for (change, y) in change.iter_mut().zip(&*y) {
            *change -= y;
        }
        add(x, &change);
    }

    /// Turns the gradient `dy` of the updated outputs into that of the frozen layer's, adds the
    /// gradients of the updates, and to `dx` that of the input where it is wanted. `frozen` writes the
    /// frozen layer's outputs.
    pub(super) fn backward(
        &self,
        arena: &Arena,
        input: LayerInput,
        frozen: impl FnOnce(&mut [f32]),
        dy: &mut [f32],
        mut dx: Option<&mut [f32]>,
        gradients: &mut [UpdateGradient],
    ) {
        let mut before = Vec::new();
        if self.scale() {
            let mut y = arena.floats(dy.len());
            frozen(&mut y);
            for (_, kind) in &self.own {
                if matches!(kind, HeldKind::ScaleShift { .. }) {
                    before.push(arena.copy(&y));
                }
                self.apply_one(kind, input, &mut y);
            }
        }
        for (place, kind) in self.own.iter().rev() {
            match (kind, &mut gradients[*place]) {
                (
                    HeldKind::LowRank {
                        a, b, rank, scale, ..
                    },
                    UpdateGradient::LowRank { a: d_a, b: d_b },
                ) => {
                    let (rank, scale) = (*rank, *scale);
                    let product = LowRank { a, b, rank, scale };
                    product.backward_add(
                        arena,
                        self.input(kind, input),
                        (dy, self.columns),
                        (d_a, d_b),
                        dx.as_deref_mut(),
                    );
                }
                (
                    HeldKind::ScaleShift { scale, shift },
                    UpdateGradient::ScaleShift {
                        scale: d_scale,
                        shift: d_shift,
                    },
                ) => {
                    let y = before.pop().expect("one for each scale and shift");
                    let given = ScaleShift { scale, shift };
                    given.backward(arena, &y, dy, self.columns, (d_scale, d_shift));
                }
                _ => unreachable!("gradients were made of these updates"),
            }
        }
    }

    fn input<'i>(&'i self, kind: &HeldKind, input: LayerInput<'i>) -> LowRankInput<'i> {
        let dropout = match kind {
            HeldKind::LowRank {
                dropout: Some(dropout),
                ..
            } => Some(Dropout {
                rate: dropout.rate,
                seed: dropout.seed,
                keys: &self.keys,
            }),
            _ => None,
        };
        LowRankInput {
            rows: input.rows,
            affine: input.affine,
            dropout,
        }
    }
}

/// What a layer reads.
#[derive(Clone, Copy)]
pub(super) struct LayerInput<'a> {
    rows: Operand<'a>,
    /// Weight and bias of the norm that is folded into the layer.
    affine: Option<(&'a [f32], &'a [f32])>,
}

impl<'a> LayerInput<'a> {
    pub(super) fn plain(rows: &'a Matrix) -> Self {
        Self {
            rows: rows.operand(),
            affine: None,
        }
    }

    pub(super) fn behind_norm(rows: &'a Matrix, norm: &'a Affine) -> Self {
        Self {
            rows: rows.operand(),
            affine: Some((&norm.weight, &norm.bias)),
        }
    }
}

/// Weight and bias of a layer norm, which a low-rank update reads behind.
#[derive(Debug)]
pub(super) struct Affine {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Affine {
    /// # Panics
    /// When a weight is 0.
    pub(super) fn assert_no_zero(&self) {
        let zero = self.weight.iter().position(|weight| *weight == 0.0);
        assert!(
            zero.is_none(),
            "scale and shift of a layer norm whose weight number {} is 0",
            zero.unwrap_or_default()
        );
    }
}

impl Block {
    pub(super) fn zeros(arena: &Arena, rows: usize, width: usize) -> Buffer<f32> {
        let mut zeros = arena.floats(rows * width);
        zeros.fill(0.0);
        zeros
    }
}
