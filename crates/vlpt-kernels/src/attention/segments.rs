//! Attention inside segments (images), with keys that all segments share (prompts).

use rayon::prelude::*;

use super::{softmax_rows, softmax_rows_backward};
use crate::output::Output;
use crate::product::{Strided, multiply};

/// Query rows and key rows that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First query row.
    pub query: usize,
    /// Number of query rows.
    pub queries: usize,
    /// First key row.
    pub key: usize,
    /// Number of key rows.
    pub keys: usize,
}

/// Attention of each segment's queries to the shared keys and the segment's own keys.
#[derive(Clone, Copy, Debug)]
pub struct SegmentAttention<'a> {
    /// Number of heads; divides `width`.
    pub heads: usize,
    /// Length of a query.
    pub width: usize,
    /// No two segments have a query row or a key row in common, and rows ascend.
    pub segments: &'a [Segment],
}

/// Query rows that are dealt with at once, which bounds the matrix of scores.
const QUERIES: usize = 128;

impl SegmentAttention<'_> {
    /// `out`, rows x width as `q`. `shared`: keys and values of all segments, any number of rows x
    /// (2 width). Rows that no segment has are left as they are.
    ///
    /// # Panics
    /// When the lengths do not fit or segments overlap.
    pub fn forward(&self, q: &[f32], kv: &[f32], shared: &[f32], out: &mut [f32]) {
        self.check(q, kv, shared, out);
        let out = Output::new(out, self.width);
        self.for_heads(|head, segment, scratch| {
            scratch.gather(self, kv, shared, head, segment);
            for block in segment.blocks() {
                let n = block.queries;
                scratch.probabilities(self, q, head, &block);
                let Scratch { p, v, o, .. } = scratch;
                let (keys, size) = (v.len() / self.size(), self.size());
                o.resize(n * size, 0.0);
                let (p, v) = (Strided::new(p, keys), Strided::new(v, size));
                multiply((n, size, keys), p, v, 1.0, false, o);
                // SAFETY: no other task has this head of these query rows.
                unsafe { put(&out, o, size, block.query, head * size) };
            }
        });
    }

    /// Given the gradient `d_out` of the output, writes `dq` and `dkv` and adds to `d_shared`, of
    /// the shapes of `q`, `kv` and `shared`. Rows that no segment has are left as they are.
    ///
    /// # Panics
    /// When the lengths do not fit or segments overlap.
    pub fn backward(
        &self,
        q: &[f32],
        kv: &[f32],
        shared: &[f32],
        d_out: &[f32],
        dq: &mut [f32],
        dkv: &mut [f32],
        d_shared: &mut [f32],
    ) {
        self.check(q, kv, shared, d_out);
        assert!(
            dq.len() == q.len() && dkv.len() == kv.len(),
            "attention gradients"
        );
        assert_eq!(d_shared.len(), shared.len(), "gradient of shared keys");
        let (size, row) = (self.size(), 2 * self.width);
        let common = shared.len() / row;
        // each segment's part of d_shared, summed in the order of segments afterwards
        let mut parts = vec![0.0; self.segments.len() * shared.len()];
        let (dq, dkv) = (Output::new(dq, self.width), Output::new(dkv, row));
        let shared_parts = Output::new(&mut parts, row);
        self.for_heads(|head, segment, scratch| {
            scratch.gather(self, kv, shared, head, segment);
            scratch.clear_gradients();
            for block in segment.blocks() {
                scratch.backward_block(self, q, d_out, head, &block);
                // SAFETY: no other task has this head of these query rows.
                unsafe { put(&dq, &scratch.o, size, block.query, head * size) };
            }
            let index = scratch.segment;
            for (d, first) in [
                (&scratch.dk, head * size),
                (&scratch.dv, self.width + head * size),
            ] {
                let (ours, own) = d.split_at(common * size);
                // SAFETY: no other task has this head of this segment's keys, and each segment
                // has its own part of the shared gradient.
                unsafe {
                    put(&shared_parts, ours, size, index * common, first);
                    put(&dkv, own, size, segment.key, first);
                }
            }
        });
        d_shared.par_chunks_mut(row).enumerate().for_each(|(r, d)| {
            for part in parts.chunks_exact(common * row) {
                crate::add(d, &part[r * row..][..row]);
            }
        });
    }

    fn size(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }

    /// Calls `work` for every head of every segment, in parallel.
    fn for_heads(&self, work: impl Fn(usize, &Segment, &mut Scratch) + Sync) {
        let tasks = self.heads * self.segments.len();
        (0..tasks)
            .into_par_iter()
            .for_each_init(Scratch::default, |scratch, task| {
                scratch.segment = task / self.heads;
                let segment = &self.segments[scratch.segment];
                if segment.queries > 0 {
                    work(task % self.heads, segment, scratch);
                }
            });
    }

    fn check(&self, q: &[f32], kv: &[f32], shared: &[f32], out: &[f32]) {
        assert!(
            self.heads > 0 && self.width.is_multiple_of(self.heads),
            "heads of attention"
        );
        assert!(
            q.len() == out.len() && q.len().is_multiple_of(self.width),
            "attention queries"
        );
        let row = 2 * self.width;
        assert!(
            kv.len().is_multiple_of(row) && shared.len().is_multiple_of(row),
            "attention keys"
        );
        let (mut query, mut key) = (0, 0);
        for segment in self.segments {
            assert!(
                query <= segment.query && key <= segment.key,
                "segments overlap"
            );
            (query, key) = (segment.query + segment.queries, segment.key + segment.keys);
            assert!(
                segment.keys > 0 || !shared.is_empty(),
                "a segment without keys"
            );
        }
        assert!(
            query * self.width <= q.len() && key * row <= kv.len(),
            "segments past the end"
        );
    }
}

impl Segment {
    fn blocks(&self) -> impl Iterator<Item = Segment> + use<'_> {
        (0..self.queries).step_by(QUERIES).map(|first| Segment {
            query: self.query + first,
            queries: QUERIES.min(self.queries - first),
            ..*self
        })
    }
}

/// Copies rows of a head into a matrix.
///
/// # Safety
/// Nobody else holds those parts of the rows.
unsafe fn put(to: &Output, rows: &[f32], size: usize, first_row: usize, column: usize) {
    for (i, row) in rows.chunks_exact(size).enumerate() {
        // SAFETY: the caller's promise.
        unsafe { to.part(first_row + i, column, size) }.copy_from_slice(row);
    }
}

/// One head of one segment; vectors are kept for their memory.
#[derive(Default)]
struct Scratch {
    segment: usize,
    /// Keys, values and their gradients: (shared + own) x head width.
    k: Vec<f32>,
    v: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
    /// Probabilities and gradient of scores: queries x keys.
    p: Vec<f32>,
    ds: Vec<f32>,
    /// Output, or gradient of the queries: queries x head width.
    o: Vec<f32>,
}

impl Scratch {
    fn gather(
        &mut self,
        attention: &SegmentAttention,
        kv: &[f32],
        shared: &[f32],
        head: usize,
        segment: &Segment,
    ) {
        let (size, width) = (attention.size(), attention.width);
        let own = &kv[segment.key * 2 * width..][..segment.keys * 2 * width];
        self.k.clear();
        self.v.clear();
        for row in shared
            .chunks_exact(2 * width)
            .chain(own.chunks_exact(2 * width))
        {
            self.k.extend_from_slice(&row[head * size..][..size]);
            self.v
                .extend_from_slice(&row[width + head * size..][..size]);
        }
    }

    fn clear_gradients(&mut self) {
        for (d, like) in [(&mut self.dk, self.k.len()), (&mut self.dv, self.v.len())] {
            d.clear();
            d.resize(like, 0.0);
        }
    }

    fn probabilities(
        &mut self,
        attention: &SegmentAttention,
        q: &[f32],
        head: usize,
        block: &Segment,
    ) {
        let size = attention.size();
        let keys = self.k.len() / size;
        self.p.resize(block.queries * keys, 0.0);
        let q = head_rows(q, attention, head, block);
        let k = Strided::new(&self.k, size).transposed();
        multiply(
            (block.queries, keys, size),
            q,
            k,
            attention.scale(),
            false,
            &mut self.p,
        );
        softmax_rows(keys, &mut self.p);
    }

    fn backward_block(
        &mut self,
        attention: &SegmentAttention,
        q: &[f32],
        d_out: &[f32],
        head: usize,
        block: &Segment,
    ) {
        self.probabilities(attention, q, head, block);
        let size = attention.size();
        let (n, keys) = (block.queries, self.k.len() / size);
        let q = head_rows(q, attention, head, block);
        let d_out = head_rows(d_out, attention, head, block);
        let Self {
            k,
            v,
            dk,
            dv,
            p,
            ds,
            o,
            ..
        } = self;
        let probabilities = Strided::new(p, keys).transposed();
        multiply((keys, size, n), probabilities, d_out, 1.0, true, dv);
        ds.resize(n * keys, 0.0);
        multiply(
            (n, keys, size),
            d_out,
            Strided::new(v, size).transposed(),
            1.0,
            false,
            ds,
        );
        softmax_rows_backward(keys, p, ds, attention.scale());
        o.resize(n * size, 0.0);
        multiply(
            (n, size, keys),
            Strided::new(ds, keys),
            Strided::new(k, size),
            1.0,
            false,
            o,
        );
        multiply(
            (keys, size, n),
            Strided::new(ds, keys).transposed(),
            q,
            1.0,
            true,
            dk,
        );
    }
}

/// A head's part of the query rows of a block.
fn head_rows<'a>(
    rows: &'a [f32],
    attention: &SegmentAttention,
    head: usize,
    block: &Segment,
) -> Strided<'a> {
    let first = block.query * attention.width + head * attention.size();
    Strided::new(&rows[first..], attention.width)
}
