//! Attention computed with f32 products; any number format is read and written.

use std::cell::RefCell;
use std::ops::Range;

use super::gradients::Gradients;
use super::plan::{Place, Run};
use super::rows::Rows;
use super::{BlockHead, Inputs};
use crate::matrix::Operand;
use crate::product::{Strided, multiply};
use crate::simd::vectorised;

/// Queries that are dealt with at once, which bounds the matrix of scores.
const QUERIES: usize = 128;

/// Memory that the tasks of a thread use one after another.
#[derive(Default)]
struct Scratch {
    /// Queries, gradient of the output, keys, values: rows x head width.
    q: Vec<f32>,
    d_out: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// Probabilities and gradient of scores: keys x queries.
    p: Vec<f32>,
    ds: Vec<f32>,
    /// Results, rows x head width.
    o: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

pub(super) fn forward(task: &BlockHead, inputs: &Inputs, out: &Rows) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.keys(task, inputs, &task.block.keys, 0);
        for run in task.runs() {
            scratch.keys(task, inputs, &run.keys, task.block.keys.len());
            for queries in parts(run) {
                scratch.probabilities(task, run, inputs, queries.clone());
                let Scratch { v, p, o, .. } = scratch;
                let (n, size) = (queries.len(), task.attention.size());
                let keys = v.len() / size;
                o.resize(n * size, 0.0);
                let p = Strided::new(p, n).transposed();
                multiply((n, size, keys), p, Strided::new(v, size), 1.0, false, o);
                put_queries(task, queries, o, out);
            }
        }
    });
}

pub(super) fn backward(task: &BlockHead, inputs: &Inputs, d_out: Operand, to: &Gradients) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.keys(task, inputs, &task.block.keys, 0);
        let (size, of_block) = (task.attention.size(), scratch.k.len());
        for d in [&mut scratch.dk, &mut scratch.dv] {
            d.clear();
            d.resize(of_block, 0.0);
        }
        for run in task.runs() {
            scratch.keys(task, inputs, &run.keys, task.block.keys.len());
            let all = scratch.k.len();
            for d in [&mut scratch.dk, &mut scratch.dv] {
                d.truncate(of_block);
                d.resize(all, 0.0);
            }
            for queries in parts(run) {
                scratch.probabilities(task, run, inputs, queries.clone());
                task.queries(d_out, queries.clone(), &mut scratch.d_out);
                scratch.backward(size, queries.len(), task.attention.scale());
                put_queries(task, queries, &scratch.o, &to.dq);
            }
            for (d, first) in [&scratch.dk, &scratch.dv].into_iter().zip(task.columns()) {
                put_keys(task, &run.keys, &d[of_block..], first, to);
            }
        }
        for (d, first) in [&scratch.dk, &scratch.dv].into_iter().zip(task.columns()) {
            put_keys(task, &task.block.keys, &d[..of_block], first, to);
        }
    });
}

/// A run's queries in parts.
fn parts(run: &Run) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = run.queries;
    (start..end)
        .step_by(QUERIES)
        .map(move |first| first..end.min(first + QUERIES))
}

fn put_queries(task: &BlockHead, queries: Range<usize>, rows: &[f32], to: &Rows) {
    for (query, row) in queries.zip(rows.chunks_exact(task.attention.size())) {
        // SAFETY: no other task has this head of these queries.
        unsafe { to.put(task.block.query + query, task.columns()[0], row) };
    }
}

/// Writes the gradients of keys `keys` of the plan.
fn put_keys(task: &BlockHead, keys: &Range<usize>, rows: &[f32], first: usize, to: &Gradients) {
    let places = task.attention.plan.places(keys);
    for (place, row) in places.iter().zip(rows.chunks_exact(task.attention.size())) {
        match *place {
            Place::Nowhere => {}
            // SAFETY: no other block sees this key, and no other task has this head.
            Place::Own(key) => unsafe { to.dkv.put(key as usize, first, row) },
            Place::Slot(slot) => {
                // SAFETY: the slot is this block's alone, the columns this head's.
                unsafe { to.parts.part(slot as usize, first, row.len()) }.copy_from_slice(row);
            }
        }
    }
}

impl Scratch {
    /// Brings keys of the plan and their values, behind `before` others.
    fn keys(&mut self, task: &BlockHead, inputs: &Inputs, keys: &Range<usize>, before: usize) {
        let [key, value] = task.columns();
        task.key_rows(inputs, keys, key, before, &mut self.k);
        task.key_rows(inputs, keys, value, before, &mut self.v);
    }

    /// Probabilities of some queries of a run: keys x queries.
    fn probabilities(
        &mut self,
        task: &BlockHead,
        run: &Run,
        inputs: &Inputs,
        queries: Range<usize>,
    ) {
        let (n, size) = (queries.len(), task.attention.size());
        let keys = self.k.len() / size;
        task.queries(inputs.q, queries, &mut self.q);
        self.p.resize(keys * n, 0.0);
        multiply(
            (keys, n, size),
            Strided::new(&self.k, size),
            Strided::new(&self.q, size).transposed(),
            task.attention.scale(),
            false,
            &mut self.p,
        );
        if let Some(seers) = task.attention.plan.seers(task.block, run) {
            hide(n, &mut self.p, seers);
        }
        softmax(n, &mut self.p, &mut self.o);
    }

    /// Gradients of `n` queries to `o`, and of the keys and values added to `dk` and `dv`.
    fn backward(&mut self, size: usize, n: usize, scale: f32) {
        let Self {
            q,
            d_out,
            k,
            v,
            p,
            ds,
            o,
            dk,
            dv,
        } = self;
        let keys = k.len() / size;
        let rows = |rows| Strided::new(rows, size);
        multiply(
            (keys, size, n),
            Strided::new(p, n),
            rows(d_out),
            1.0,
            true,
            dv,
        );
        ds.resize(keys * n, 0.0);
        multiply(
            (keys, n, size),
            rows(v),
            rows(d_out).transposed(),
            1.0,
            false,
            ds,
        );
        softmax_backward(n, p, ds, scale, o);
        multiply((keys, size, n), Strided::new(ds, n), rows(q), 1.0, true, dk);
        o.resize(n * size, 0.0);
        multiply(
            (n, size, keys),
            Strided::new(ds, n).transposed(),
            rows(k),
            1.0,
            false,
            o,
        );
    }
}

vectorised! {
    /// Gives keys a score of next to nothing for those of `n` queries that do not see them.
    fn hide(n: usize, scores: &mut [f32], seers: &[u32]) {
        for (row, seers) in scores.chunks_exact_mut(n).zip(seers) {
            for (i, score) in row.iter_mut().enumerate() {
                *score = if seers >> i & 1 == 1 { *score } else { -1e30 };
            }
        }
    }
}

/// Softmax down the columns of rows of `n` scores; `sums` is memory to use.
fn softmax(n: usize, scores: &mut [f32], sums: &mut Vec<f32>) {
    sums.clear();
    sums.resize(2 * n, 0.0);
    let (largest, sums) = sums.split_at_mut(n);
    softmax_columns(n, scores, largest, sums);
}

vectorised! {
    fn softmax_columns(n: usize, scores: &mut [f32], largest: &mut [f32], sums: &mut [f32]) {
        largest.fill(f32::NEG_INFINITY);
        for row in scores.chunks_exact(n) {
            for (largest, x) in largest.iter_mut().zip(row) {
                *largest = if *x > *largest { *x } else { *largest };
            }
        }
        for row in scores.chunks_exact_mut(n) {
            for ((x, largest), sum) in row.iter_mut().zip(&*largest).zip(&mut *sums) {
                *x = crate::math::exp(*x - largest);
                *sum += *x;
            }
        }
        for sum in sums.iter_mut() {
            *sum = 1.0 / *sum;
        }
        for row in scores.chunks_exact_mut(n) {
            for (x, scale) in row.iter_mut().zip(&*sums) {
                *x *= scale;
            }
        }
    }
}

/// Turns the gradient `d` of probabilities `p` into that of the scores, times `scale`.
fn softmax_backward(n: usize, p: &[f32], d: &mut [f32], scale: f32, means: &mut Vec<f32>) {
    means.clear();
    means.resize(n, 0.0);
    softmax_columns_backward(n, p, d, scale, means);
}

vectorised! {
    fn softmax_columns_backward(n: usize, p: &[f32], d: &mut [f32], scale: f32, means: &mut [f32]) {
        for (p, d) in p.chunks_exact(n).zip(d.chunks_exact(n)) {
            for ((p, d), mean) in p.iter().zip(d).zip(&mut *means) {
                *mean = p.mul_add(*d, *mean);
            }
        }
        for (p, d) in p.chunks_exact(n).zip(d.chunks_exact_mut(n)) {
            for ((p, d), mean) in p.iter().zip(d).zip(&*means) {
                *d = p * (*d - mean) * scale;
            }
        }
    }
}
