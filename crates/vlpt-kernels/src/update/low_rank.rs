//! The product of two thin matrices, beside a frozen layer.

use std::cell::RefCell;

use super::{Columns, Dropout, ROWS, add_parts};
use crate::arena::Arena;
use crate::matrix::Operand;
use crate::product::{Strided, multiply};
use crate::simd::vectorised;
use crate::threads::{Parts, for_both_parts, for_parts};

/// `scale B A x` of rows `x`, after Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models"
/// (2021).
#[derive(Clone, Copy, Debug)]
pub struct LowRank<'a> {
    /// `A`, rank x inputs.
    pub a: &'a [f32],
    /// `B`, outputs x rank.
    pub b: &'a [f32],
    /// Number of rows of `A`.
    pub rank: usize,
    /// What the product is multiplied with.
    pub scale: f32,
}

/// What a low-rank product reads: rows as the frozen layer has them, and what is between them and
/// the layer's true input.
#[derive(Clone, Copy, Debug)]
pub struct LowRankInput<'a> {
    /// Rows x inputs.
    pub rows: Operand<'a>,
    /// Weight and bias of a layer norm, where they are folded into the frozen layer: the input is
    /// `weight * row + bias`.
    pub affine: Option<(&'a [f32], &'a [f32])>,
    /// Of the input after that.
    pub dropout: Option<Dropout<'a>>,
}

/// Memory that the tasks of a thread use one after another.
#[derive(Default)]
struct Scratch {
    /// Rows of the input.
    x: Vec<f32>,
    /// `A x`, and the gradient of it: rows x rank.
    thin: Vec<f32>,
    d_thin: Vec<f32>,
    /// What is to be added.
    sum: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl LowRank<'_> {
    fn inputs(&self) -> usize {
        self.a.len() / self.rank
    }

    fn outputs(&self) -> usize {
        self.b.len() / self.rank
    }

    /// Adds the product to some columns of `y`; rows of the input and of `y` are as many.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn forward_add(&self, input: LowRankInput, y: &mut [f32], columns: Columns) {
        let (inputs, outputs, rank) = self.check(input, columns.rows(y, self.outputs()));
        for_parts(&Parts::new(y, ROWS * columns.width), |i, y| {
            SCRATCH.with_borrow_mut(|scratch| {
                let rows = y.len() / columns.width;
                scratch.read(input, i * ROWS, rows, inputs);
                scratch.multiply_a(self, rows);
                scratch.sum.resize(rows * outputs, 0.0);
                let b = Strided::new(self.b, rank).transposed();
                let thin = Strided::new(&scratch.thin, rank);
                let sizes = (rows, outputs, rank);
                multiply(sizes, thin, b, self.scale, false, &mut scratch.sum);
                let rows = y.chunks_exact_mut(columns.width);
                for (y, sum) in rows.zip(scratch.sum.chunks_exact(outputs)) {
                    crate::add(&mut y[columns.first..][..outputs], sum);
                }
            });
        });
    }

    /// Given the gradient of the product in some columns of `dy`, adds the gradients of `A` and `B`,
    /// and to `dx` (rows x inputs) that of the input's rows, where it is wanted.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn backward_add(
        &self,
        arena: &Arena,
        input: LowRankInput,
        (dy, columns): (&[f32], Columns),
        (d_a, d_b): (&mut [f32], &mut [f32]),
        dx: Option<&mut [f32]>,
    ) {
        let all = columns.rows(dy, self.outputs());
        let (inputs, outputs, rank) = self.check(input, all);
        assert!(
            d_a.len() == self.a.len() && d_b.len() == self.b.len(),
            "gradients of a low-rank product"
        );
        if all == 0 {
            return;
        }
        let length = d_a.len() + d_b.len();
        let mut sums = arena.floats(all.div_ceil(ROWS) * length);
        let part = |i: usize, sums: &mut [f32], dx: Option<&mut [f32]>| {
            SCRATCH.with_borrow_mut(|scratch| {
                let first = i * ROWS;
                let rows = ROWS.min(all - first);
                scratch.read(input, first, rows, inputs);
                scratch.multiply_a(self, rows);
                let (d_a, d_b) = sums.split_at_mut(rank * inputs);
                let dy = &dy[first * columns.width..(first + rows) * columns.width];
                let dy = Strided::new(&dy[columns.first..], columns.width);
                let Scratch {
                    x, thin, d_thin, ..
                } = scratch;
                let thin = Strided::new(thin, rank);
                multiply(
                    (outputs, rank, rows),
                    dy.transposed(),
                    thin,
                    self.scale,
                    false,
                    d_b,
                );
                d_thin.resize(rows * rank, 0.0);
                let b = Strided::new(self.b, rank);
                multiply((rows, rank, outputs), dy, b, self.scale, false, d_thin);
                let left = Strided::new(d_thin, rank).transposed();
                let x = Strided::new(x, inputs);
                multiply((rank, inputs, rows), left, x, 1.0, false, d_a);
                if let Some(dx) = dx {
                    scratch.add_input_gradient(self, input, first, dx);
                }
            });
        };
        let parts = Parts::new(&mut sums, length);
        match dx {
            None => for_parts(&parts, |i, sums| part(i, sums, None)),
            Some(dx) => {
                assert_eq!(dx.len(), all * inputs, "gradient of a low-rank input");
                let dx = Parts::new(dx, ROWS * inputs);
                for_both_parts(&parts, &dx, |i, sums, dx| part(i, sums, Some(dx)));
            }
        }
        add_parts(&sums, &mut [d_a, d_b]);
    }

    /// Inputs, outputs and rank.
    fn check(&self, input: LowRankInput, rows: usize) -> (usize, usize, usize) {
        let (inputs, outputs, rank) = (self.inputs(), self.outputs(), self.rank);
        assert!(
            inputs > 0
                && outputs > 0
                && self.a.len() == rank * inputs
                && self.b.len() == rank * outputs,
            "matrices of a low-rank product of rank {rank}"
        );
        assert_eq!(
            input.rows.rows(inputs),
            rows,
            "rows of a low-rank product's input"
        );
        if let Some((weight, bias)) = input.affine {
            assert!(
                weight.len() == inputs && bias.len() == inputs,
                "layer norm before a low-rank product"
            );
        }
        if let Some(dropout) = input.dropout {
            assert_eq!(dropout.keys.len(), rows, "keys of the rows of a dropout");
        }
        (inputs, outputs, rank)
    }
}

impl Scratch {
    /// Brings rows of the input from `first` on.
    fn read(&mut self, input: LowRankInput, first: usize, rows: usize, width: usize) {
        self.x.resize(rows * width, 0.0);
        for (row, x) in (first..).zip(self.x.chunks_exact_mut(width)) {
            match input.rows {
                Operand::F32(floats) => x.copy_from_slice(&floats[row * width..][..width]),
                Operand::Bf16(tiles) => tiles.widen_row(row, 0, x),
            }
            if let Some((weight, bias)) = input.affine {
                affine(x, weight, bias);
            }
            if let Some(dropout) = input.dropout {
                dropout.apply(row, x);
            }
        }
    }

    /// `A x` of the rows that were brought.
    fn multiply_a(&mut self, product: &LowRank, rows: usize) {
        let (inputs, rank) = (product.inputs(), product.rank);
        self.thin.resize(rows * rank, 0.0);
        multiply(
            (rows, rank, inputs),
            Strided::new(&self.x, inputs),
            Strided::new(product.a, inputs).transposed(),
            1.0,
            false,
            &mut self.thin,
        );
    }

    /// Adds to `dx` the gradient of the input's rows from `first` on, given that of `A x`.
    fn add_input_gradient(
        &mut self,
        product: &LowRank,
        input: LowRankInput,
        first: usize,
        dx: &mut [f32],
    ) {
        let (inputs, rank) = (product.inputs(), product.rank);
        let rows = dx.len() / inputs;
        self.sum.resize(dx.len(), 0.0);
        multiply(
            (rows, inputs, rank),
            Strided::new(&self.d_thin, rank),
            Strided::new(product.a, inputs),
            1.0,
            false,
            &mut self.sum,
        );
        for (row, sum) in (first..).zip(self.sum.chunks_exact_mut(inputs)) {
            if let Some(dropout) = input.dropout {
                dropout.apply(row, sum);
            }
            if let Some((weight, _)) = input.affine {
                scale(sum, weight);
            }
        }
        crate::add(dx, &self.sum);
    }
}

vectorised! {
    fn affine(x: &mut [f32], weight: &[f32], bias: &[f32]) {
        for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
            *x = x.mul_add(*weight, *bias);
        }
    }
}

vectorised! {
    fn scale(x: &mut [f32], weight: &[f32]) {
        for (x, weight) in x.iter_mut().zip(weight) {
            *x *= weight;
        }
    }
}
