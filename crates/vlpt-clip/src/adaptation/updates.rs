//! Learned updates of a tower's layers.

use vlpt_kernels::hash;

use super::TowerSizes;

/// A layer of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// Queries, width to width.
    Q,
    /// Keys, width to width.
    K,
    /// Values, width to width.
    V,
    /// Output projection of the attention, width to width.
    Out,
    /// First layer of the MLP, width to MLP width; its activation acts on the updated value.
    Fc1,
    /// Second layer of the MLP, MLP width to width.
    Fc2,
    /// The layer norm before queries, keys and values. Norms have scale and shift alone.
    Ln1,
    /// The layer norm before the MLP.
    Ln2,
    /// The layer norm after the last block, before the projection. Its block is the number of blocks.
    LnFinal,
}

/// A learned update of one layer of one block.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The block, counted from 0; of [`LayerName::LnFinal`], the number of blocks.
    pub block: usize,
    /// Its layer.
    pub layer: LayerName,
    /// What is done.
    pub kind: UpdateKind<'a>,
}

/// What an update does with the output `y` of a layer of input `x`.
#[derive(Clone, Copy, Debug)]
pub enum UpdateKind<'a> {
    /// `y + scale B A drop(x)`. The input of queries, keys, values and the first layer of the MLP is
    /// the layer norm before them, with weight and bias.
    LowRank {
        /// `A`, rank x inputs.
        a: &'a [f32],
        /// `B`, outputs x rank.
        b: &'a [f32],
        /// What the product is multiplied with.
        scale: f32,
        /// Dropout of the input, of this update alone.
        dropout: Option<Dropout>,
    },
    /// `y * scale + shift`, output by output.
    ScaleShift {
        /// A factor for each output.
        scale: &'a [f32],
        /// A term for each output.
        shift: &'a [f32],
    },
}

/// Inverted dropout. What is dropped depends on the seed, the block, the layer, the image (or the
/// tokens of the text up to there), the token and the column, and on nothing else.
///
/// Texts with an equal beginning share its tokens, and so the mask of these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability of a number to be dropped, at least 0 and below 1.
    pub rate: f32,
    /// Another one for each step.
    pub seed: u64,
}

/// Gradient of an update, in the shapes of [`UpdateKind`].
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateGradient {
    /// Of `A` (rank x inputs) and `B` (outputs x rank).
    LowRank {
        /// Of `A`.
        a: Vec<f32>,
        /// Of `B`.
        b: Vec<f32>,
    },
    /// Of the factors and terms.
    ScaleShift {
        /// Of the factors.
        scale: Vec<f32>,
        /// Of the terms.
        shift: Vec<f32>,
    },
}

impl UpdateGradient {
    /// Adds another gradient of the same update.
    ///
    /// # Panics
    /// When it is of another kind or shape.
    pub fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::LowRank { a, b }, Self::LowRank { a: a_2, b: b_2 }) => {
                vlpt_kernels::add(a, a_2);
                vlpt_kernels::add(b, b_2);
            }
            (
                Self::ScaleShift { scale, shift },
                Self::ScaleShift {
                    scale: scale_2,
                    shift: shift_2,
                },
            ) => {
                vlpt_kernels::add(scale, scale_2);
                vlpt_kernels::add(shift, shift_2);
            }
            _ => panic!("gradients of updates of one kind"),
        }
    }
}

/// The updates of a pass, block by block.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    all: Vec<HeldUpdate>,
    /// Of each block, the places of its updates among all.
    blocks: Vec<Vec<usize>>,
}

/// An update that a tape may hold.
#[derive(Debug)]
pub(crate) struct HeldUpdate {
    layer: LayerName,
    kind: HeldKind,
}

#[derive(Debug)]
pub(crate) enum HeldKind {
    LowRank {
        a: Vec<f32>,
        b: Vec<f32>,
        rank: usize,
        scale: f32,
        /// The seed is that of this block and layer.
        dropout: Option<Dropout>,
    },
    ScaleShift {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
}

/// The updates of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockUpdates<'a> {
    updates: &'a Updates,
    block: usize,
}

impl Updates {
    /// # Panics
    /// When an update has another block or shape than the tower's.
    pub(crate) fn new(given: &[Update], sizes: TowerSizes) -> Self {
        let mut blocks = vec![Vec::new(); sizes.depth + 1];
        for (place, update) in given.iter().enumerate() {
            let fits = if update.layer == LayerName::LnFinal {
                update.block == sizes.depth
            } else {
                update.block < sizes.depth
            };
            assert!(
                fits,
                "an update of {:?} of block {} of a tower of {}",
                update.layer, update.block, sizes.depth
            );
            blocks[update.block].push(place);
        }
        Self {
            all: given
                .iter()
                .map(|update| HeldUpdate::new(update, sizes))
                .collect(),
            blocks,
        }
    }

    /// The updates of the norm after the last block.
    pub(crate) fn of_final_norm(&self) -> Vec<(usize, &HeldKind)> {
        let block = self.blocks.len().saturating_sub(1);
        self.of_block(block).of_layer(LayerName::LnFinal)
    }

    /// The first block with an update; the number of blocks where the norm after them alone has one.
    pub(crate) fn first_block(&self) -> Option<usize> {
        self.blocks.iter().position(|block| !block.is_empty())
    }

    pub(crate) fn of_block(&self, block: usize) -> BlockUpdates<'_> {
        BlockUpdates {
            updates: self,
            block,
        }
    }

    /// Whether some update of a block drops numbers of its input.
    pub(crate) fn has_dropout(&self) -> bool {
        let drops = |update: &HeldUpdate| {
            matches!(
                update.kind,
                HeldKind::LowRank {
                    dropout: Some(_),
                    ..
                }
            )
        };
        self.all.iter().any(drops)
    }

    pub(crate) fn zero_gradients(&self) -> Vec<UpdateGradient> {
        let zero = |update: &HeldUpdate| match &update.kind {
            HeldKind::LowRank { a, b, .. } => UpdateGradient::LowRank {
                a: vec![0.0; a.len()],
                b: vec![0.0; b.len()],
            },
            HeldKind::ScaleShift { scale, shift } => UpdateGradient::ScaleShift {
                scale: vec![0.0; scale.len()],
                shift: vec![0.0; shift.len()],
            },
        };
        self.all.iter().map(zero).collect()
    }
}

impl<'a> BlockUpdates<'a> {
    /// The updates of a layer with their places among all: low-rank ones first.
    pub(crate) fn of_layer(self, layer: LayerName) -> Vec<(usize, &'a HeldKind)> {
        let Some(places) = self.updates.blocks.get(self.block) else {
            return Vec::new();
        };
        let own = places.iter().filter_map(|&place| {
            let update = &self.updates.all[place];
            (update.layer == layer).then_some((place, &update.kind))
        });
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|(_, kind)| matches!(kind, HeldKind::ScaleShift { .. }));
        own
    }
}

impl HeldUpdate {
    fn new(update: &Update, sizes: TowerSizes) -> Self {
        let (inputs, outputs) = match update.layer {
            LayerName::Q | LayerName::K | LayerName::V | LayerName::Out => {
                (sizes.width, sizes.width)
            }
            LayerName::Ln1 | LayerName::Ln2 | LayerName::LnFinal => {
                let scales = matches!(update.kind, UpdateKind::ScaleShift { .. });
                assert!(scales, "a low-rank update of {:?}", update.layer);
                (sizes.width, sizes.width)
            }
            LayerName::Fc1 => (sizes.width, sizes.mlp),
            LayerName::Fc2 => (sizes.mlp, sizes.width),
        };
        let what = || format!("{:?} of block {}", update.layer, update.block);
        let kind = match update.kind {
            UpdateKind::LowRank {
                a,
                b,
                scale,
                dropout,
            } => {
                let rank = a.len() / inputs;
                assert!(
                    rank > 0 && a.len() == rank * inputs && b.len() == rank * outputs,
                    "low-rank update of {}: {} and {} numbers for {inputs} inputs and {outputs} \
                     outputs",
                    what(),
                    a.len(),
                    b.len()
                );
                if let Some(Dropout { rate, .. }) = dropout {
                    assert!((0.0..1.0).contains(&rate), "dropout of {}: {rate}", what());
                }
                HeldKind::LowRank {
                    a: a.to_vec(),
                    b: b.to_vec(),
                    rank,
                    scale,
                    dropout: dropout.map(|dropout| Dropout {
                        seed: hash(&[dropout.seed, update.block as u64, update.layer as u64]),
                        ..dropout
                    }),
                }
            }
            UpdateKind::ScaleShift { scale, shift } => {
                assert!(
                    scale.len() == outputs && shift.len() == outputs,
                    "scale and shift of {}: {} and {} numbers for {outputs} outputs",
                    what(),
                    scale.len(),
                    shift.len()
                );
                HeldKind::ScaleShift {
                    scale: scale.to_vec(),
                    shift: shift.to_vec(),
                }
            }
        };
        Self {
            layer: update.layer,
            kind,
        }
    }
}
