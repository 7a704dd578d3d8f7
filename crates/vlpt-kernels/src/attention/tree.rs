//! Attention of the nodes of a tree to their ancestors and themselves.

use rayon::prelude::*;

use super::{softmax_rows, softmax_rows_backward};
use crate::simd::{add_scaled, dot, vectorised};

/// Who sees whom: for every query its keys, and for every live key its queries.
///
/// Keys are numbered through two matrices: first the fixed ones, whose keys and values are
/// constant, then the live ones.
#[derive(Clone, Debug)]
pub struct Ancestry {
    fixed: usize,
    /// Keys of query `i`: `keys[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>,
    keys: Vec<u32>,
    /// Of live key `j`: the queries that see it, in order, and their places in `keys`.
    seen_starts: Vec<usize>,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    query: u32,
    place: u32,
}

/// Queries of one task.
const QUERIES: usize = 16;

impl Ancestry {
    /// `keys_of`: the keys of each query, `fixed` and `live` the numbers of keys.
    ///
    /// # Panics
    /// When a query has no key or a key is not there.
    pub fn new<'a>(
        keys_of: impl IntoIterator<Item = &'a [u32]>,
        fixed: usize,
        live: usize,
    ) -> Self {
        let (mut starts, mut keys) = (vec![0], Vec::new());
        for list in keys_of {
            assert!(!list.is_empty(), "a query without keys");
            keys.extend_from_slice(list);
            starts.push(keys.len());
        }
        let mut seen_starts = vec![0; live + 1];
        for &key in &keys {
            let key = key as usize;
            assert!(key < fixed + live, "a key that is not there");
            if key >= fixed {
                seen_starts[key - fixed + 1] += 1;
            }
        }
        for j in 0..live {
            seen_starts[j + 1] += seen_starts[j];
        }
        let mut next = seen_starts.clone();
        let mut seen = vec![Seen::default(); seen_starts[live]];
        for (query, ends) in starts.windows(2).enumerate() {
            for place in ends[0]..ends[1] {
                let key = keys[place] as usize;
                if key >= fixed {
                    let entry = &mut next[key - fixed];
                    seen[*entry] = Seen {
                        query: query as u32,
                        place: place as u32,
                    };
                    *entry += 1;
                }
            }
        }
        Self {
            fixed,
            starts,
            keys,
            seen_starts,
            seen,
        }
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.starts.len() - 1
    }

    /// Bytes that the lists take.
    pub fn bytes(&self) -> usize {
        (self.starts.len() + self.seen_starts.len()) * size_of::<usize>()
            + size_of_val(self.keys.as_slice())
            + size_of_val(self.seen.as_slice())
    }

    fn live(&self) -> usize {
        self.seen_starts.len() - 1
    }

    fn keys(&self, query: usize) -> &[u32] {
        &self.keys[self.starts[query]..self.starts[query + 1]]
    }
}

/// Attention along the branches of a tree.
#[derive(Clone, Copy, Debug)]
pub struct TreeAttention<'a> {
    /// Number of heads; divides `width`.
    pub heads: usize,
    /// Length of a query.
    pub width: usize,
    /// Who sees whom.
    pub ancestry: &'a Ancestry,
    /// Keys and values of the fixed nodes: fixed x (2 width).
    pub fixed: &'a [f32],
}

impl TreeAttention<'_> {
    /// `out`: queries x width as `q`; `kv`: live x (2 width).
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn forward(&self, q: &[f32], kv: &[f32], out: &mut [f32]) {
        self.check(q, kv, out);
        let width = self.width;
        out.par_chunks_mut(QUERIES * width)
            .enumerate()
            .for_each(|(block, out)| {
                let mut p = Vec::new();
                for (i, out) in out.chunks_exact_mut(width).enumerate() {
                    let query = block * QUERIES + i;
                    let keys = self.ancestry.keys(query);
                    p.resize(self.heads * keys.len(), 0.0);
                    self.probabilities(&q[query * width..][..width], keys, kv, &mut p);
                    mix(self, kv, width, keys, &p, out);
                }
            });
    }

    /// Given the gradient `d_out` of the output, writes `dq` and `dkv`, of the shapes of `q` and
    /// `kv`.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn backward(&self, q: &[f32], kv: &[f32], d_out: &[f32], dq: &mut [f32], dkv: &mut [f32]) {
        self.check(q, kv, d_out);
        assert!(
            dq.len() == q.len() && dkv.len() == kv.len(),
            "attention gradients"
        );
        // probabilities and gradients of scores; of each query heads x keys
        let mut p = vec![0.0; self.heads * self.ancestry.keys.len()];
        let mut ds = vec![0.0; p.len()];
        let tasks = self.tasks(dq, &mut p, &mut ds);
        tasks.into_par_iter().for_each(|mut task| {
            for query in task.first..task.first + task.dq.len() / self.width {
                self.query_backward(query, q, kv, d_out, &mut task);
            }
        });
        self.keys_backward(q, d_out, &p, &ds, dkv);
    }

    /// Splits the queries into blocks, each with its rows of the results.
    fn tasks<'t>(
        &self,
        mut dq: &'t mut [f32],
        mut p: &'t mut [f32],
        mut ds: &'t mut [f32],
    ) -> Vec<Task<'t>> {
        const LONG_ENOUGH: &str = "results of every query";
        let starts = &self.ancestry.starts;
        let queries = self.ancestry.queries();
        (0..queries)
            .step_by(QUERIES)
            .map(|first| {
                let last = queries.min(first + QUERIES);
                let places = (starts[last] - starts[first]) * self.heads;
                Task {
                    first,
                    dq: dq
                        .split_off_mut(..(last - first) * self.width)
                        .expect(LONG_ENOUGH),
                    p: p.split_off_mut(..places).expect(LONG_ENOUGH),
                    ds: ds.split_off_mut(..places).expect(LONG_ENOUGH),
                }
            })
            .collect()
    }

    /// Probabilities, gradient of the scores and gradient of the query itself.
    fn query_backward(&self, query: usize, q: &[f32], kv: &[f32], d_out: &[f32], task: &mut Task) {
        let (width, heads) = (self.width, self.heads);
        let keys = self.ancestry.keys(query);
        let n = keys.len();
        let start = (self.ancestry.starts[query] - self.ancestry.starts[task.first]) * heads;
        let p = &mut task.p[start..start + heads * n];
        let ds = &mut task.ds[start..start + heads * n];
        self.probabilities(&q[query * width..][..width], keys, kv, p);
        products(
            self,
            &d_out[query * width..][..width],
            kv,
            width,
            keys,
            1.0,
            ds,
        );
        softmax_rows_backward(n, p, ds, self.scale());
        let dq = &mut task.dq[(query - task.first) * width..][..width];
        mix(self, kv, 0, keys, ds, dq);
    }

    /// Gradients of the live keys and values: each sums over its queries in their order.
    fn keys_backward(&self, q: &[f32], d_out: &[f32], p: &[f32], ds: &[f32], dkv: &mut [f32]) {
        dkv.par_chunks_mut(2 * self.width)
            .enumerate()
            .for_each(|(key, d)| {
                key_backward(self, key, q, d_out, p, ds, d);
            });
    }

    /// Probabilities of one query, heads x keys.
    fn probabilities(&self, q: &[f32], keys: &[u32], kv: &[f32], p: &mut [f32]) {
        products(self, q, kv, 0, keys, self.scale(), p);
        softmax_rows(keys.len(), p);
    }

    /// Key and value of a node.
    #[inline(always)]
    fn row<'r>(&'r self, kv: &'r [f32], key: u32) -> &'r [f32] {
        let (key, fixed, row) = (key as usize, self.ancestry.fixed, 2 * self.width);
        if key < fixed {
            &self.fixed[key * row..][..row]
        } else {
            &kv[(key - fixed) * row..][..row]
        }
    }

    fn scale(&self) -> f32 {
        1.0 / ((self.width / self.heads) as f32).sqrt()
    }

    fn check(&self, q: &[f32], kv: &[f32], out: &[f32]) {
        assert!(
            self.heads > 0 && self.width.is_multiple_of(self.heads),
            "heads of attention"
        );
        let queries = self.ancestry.queries() * self.width;
        assert!(
            q.len() == queries && out.len() == queries,
            "attention queries"
        );
        assert_eq!(kv.len(), self.ancestry.live() * 2 * self.width, "live keys");
        assert_eq!(
            self.fixed.len(),
            self.ancestry.fixed * 2 * self.width,
            "fixed keys"
        );
    }
}

vectorised! {
    /// `to[head][j] = scale a . b` of each head and each key `j`, `b` being the part of the key's
    /// row from `first` on.
    fn products(
        attention: &TreeAttention,
        a: &[f32],
        kv: &[f32],
        first: usize,
        keys: &[u32],
        scale: f32,
        to: &mut [f32],
    ) {
        let size = attention.width / attention.heads;
        for (j, &key) in keys.iter().enumerate() {
            let b = &attention.row(kv, key)[first..];
            for (head, (a, b)) in a.chunks_exact(size).zip(b.chunks_exact(size)).enumerate() {
                to[head * keys.len() + j] = dot(a, b) * scale;
            }
        }
    }
}

vectorised! {
    /// `to = sum of weights[head][j] b` over the keys `j`, `b` being the part of the key's row from
    /// `first` on.
    fn mix(
        attention: &TreeAttention,
        kv: &[f32],
        first: usize,
        keys: &[u32],
        weights: &[f32],
        to: &mut [f32],
    ) {
        let size = attention.width / attention.heads;
        to.fill(0.0);
        for (j, &key) in keys.iter().enumerate() {
            let b = &attention.row(kv, key)[first..];
            for (head, (to, b)) in to.chunks_exact_mut(size).zip(b.chunks_exact(size)).enumerate() {
                add_scaled(to, weights[head * keys.len() + j], b);
            }
        }
    }
}

vectorised! {
    /// Gradient `d` (key, then value) of live key `key`.
    fn key_backward(
        attention: &TreeAttention,
        key: usize,
        q: &[f32],
        d_out: &[f32],
        p: &[f32],
        ds: &[f32],
        d: &mut [f32],
    ) {
        let (width, heads, ancestry) = (attention.width, attention.heads, attention.ancestry);
        let size = width / heads;
        d.fill(0.0);
        let (dk, dv) = d.split_at_mut(width);
        for seen in &ancestry.seen[ancestry.seen_starts[key]..ancestry.seen_starts[key + 1]] {
            let query = seen.query as usize;
            let (start, end) = (ancestry.starts[query], ancestry.starts[query + 1]);
            let (n, j) = (end - start, seen.place as usize - start);
            let (q, d_out) = (&q[query * width..][..width], &d_out[query * width..][..width]);
            for head in 0..heads {
                let (at, part) = (start * heads + head * n + j, head * size..(head + 1) * size);
                add_scaled(&mut dk[part.clone()], ds[at], &q[part.clone()]);
                add_scaled(&mut dv[part.clone()], p[at], &d_out[part]);
            }
        }
    }
}

/// A block of queries with its rows of the results.
struct Task<'a> {
    first: usize,
    dq: &'a mut [f32],
    p: &'a mut [f32],
    ds: &'a mut [f32],
}
