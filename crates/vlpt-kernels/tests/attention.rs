//! Attention against plain f64 code and finite differences, on ragged shapes.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use common::{Random, assert_close, check_gradient, same_bits_for_any_threads};
use vlpt_kernels::{Ancestry, Segment, SegmentAttention, TreeAttention};

/// Attention of one query to the keys and values `rows`, in f64.
fn plain(heads: usize, q: &[f32], rows: &[&[f32]]) -> Vec<f64> {
    let width = q.len();
    let size = width / heads;
    let mut out = vec![0.0; width];
    for head in 0..heads {
        let part = head * size..(head + 1) * size;
        let score = |row: &[f32]| -> f64 {
            let products = q[part.clone()].iter().zip(&row[part.clone()]);
            products.map(|(a, b)| *a as f64 * *b as f64).sum::<f64>() / (size as f64).sqrt()
        };
        let weights: Vec<f64> = rows.iter().map(|row| score(row).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (weight, row) in weights.iter().zip(rows) {
            for i in part.clone() {
                out[i] += weight / total * row[width + i] as f64;
            }
        }
    }
    out
}

struct Case {
    heads: usize,
    width: usize,
    segments: Vec<Segment>,
    q: Vec<f32>,
    kv: Vec<f32>,
    shared: Vec<f32>,
}

impl Case {
    fn new(random: &mut Random, largest: usize) -> Self {
        let heads = random.int(1, 4);
        let width = heads * random.int(1, 20);
        let mut segments = Vec::new();
        let (mut query, mut key) = (0, 0);
        for _ in 0..random.int(1, 5) {
            let segment = Segment {
                query,
                queries: random.int(1, largest),
                key,
                keys: random.int(1, largest),
            };
            (query, key) = (query + segment.queries, key + segment.keys);
            segments.push(segment);
        }
        let shared = random.int(0, 5);
        Self {
            heads,
            width,
            segments,
            q: random.vector(query * width),
            kv: random.vector(key * 2 * width),
            shared: random.vector(shared * 2 * width),
        }
    }

    fn attention(&self) -> SegmentAttention<'_> {
        SegmentAttention {
            heads: self.heads,
            width: self.width,
            segments: &self.segments,
        }
    }

    fn forward(&self, q: &[f32], kv: &[f32], shared: &[f32]) -> Vec<f32> {
        let mut out = vec![f32::NAN; q.len()];
        self.attention().forward(q, kv, shared, &mut out);
        out
    }

    fn backward(&self, d_out: &[f32]) -> [Vec<f32>; 3] {
        let mut d = [&self.q, &self.kv, &self.shared].map(|like| vec![0.0; like.len()]);
        let [dq, dkv, d_shared] = &mut d;
        self.attention()
            .backward(&self.q, &self.kv, &self.shared, d_out, dq, dkv, d_shared);
        d
    }
}

#[test]
fn a_segment_attends_to_the_shared_keys_and_its_own() {
    let mut random = Random::new(1);
    for round in 0..20 {
        let case = Case::new(&mut random, if round < 18 { 9 } else { 200 });
        let (width, row) = (case.width, 2 * case.width);
        let mut want = Vec::new();
        for segment in &case.segments {
            let own = &case.kv[segment.key * row..(segment.key + segment.keys) * row];
            let rows: Vec<&[f32]> = case
                .shared
                .chunks_exact(row)
                .chain(own.chunks_exact(row))
                .collect();
            for query in segment.query..segment.query + segment.queries {
                want.extend(plain(case.heads, &case.q[query * width..][..width], &rows));
            }
        }
        assert_close(
            "attention",
            &case.forward(&case.q, &case.kv, &case.shared),
            &want,
            2e-5,
        );
    }
}

#[test]
fn gradients_of_segment_attention_are_its_finite_differences() {
    let mut random = Random::new(2);
    for round in 0..12 {
        let case = Case::new(&mut random, if round < 10 { 7 } else { 150 });
        let d_out = random.vector(case.q.len());
        let [dq, dkv, d_shared] = case.backward(&d_out);
        let Case { q, kv, shared, .. } = &case;
        check_gradient(
            "queries",
            &mut random,
            q,
            &d_out,
            |q| case.forward(q, kv, shared),
            &dq,
        );
        check_gradient(
            "keys",
            &mut random,
            kv,
            &d_out,
            |kv| case.forward(q, kv, shared),
            &dkv,
        );
        let f = |shared: &[f32]| case.forward(q, kv, shared);
        check_gradient("shared keys", &mut random, shared, &d_out, f, &d_shared);
    }
}

#[test]
fn segment_attention_gives_the_same_bits_for_any_number_of_threads() {
    let mut random = Random::new(3);
    let case = Case::new(&mut random, 150);
    let d_out = random.vector(case.q.len());
    same_bits_for_any_threads("segment attention", || {
        let mut all = case.forward(&case.q, &case.kv, &case.shared);
        all.extend(case.backward(&d_out).concat());
        all
    });
}

/// A random tree whose first nodes are fixed, and the queries of some of its nodes.
struct Tree {
    heads: usize,
    width: usize,
    branches: Vec<Vec<u32>>,
    ancestry: Ancestry,
    fixed: Vec<f32>,
    q: Vec<f32>,
    kv: Vec<f32>,
}

impl Tree {
    fn new(random: &mut Random, nodes: usize) -> Self {
        let heads = random.int(1, 4);
        let width = heads * random.int(1, 20);
        let fixed = random.int(0, nodes / 2);
        let mut all: Vec<Vec<u32>> = vec![vec![0]];
        for node in 1..nodes {
            let mut branch = all[random.int(0, node - 1)].clone();
            branch.push(node as u32);
            all.push(branch);
        }
        let mut branches = all.split_off(fixed);
        branches.retain(|_| random.int(0, 3) > 0);
        branches.push((0..nodes as u32).collect());
        let lists = branches.iter().map(Vec::as_slice);
        let ancestry = Ancestry::new(lists, fixed, nodes - fixed);
        Self {
            heads,
            width,
            ancestry,
            fixed: random.vector(fixed * 2 * width),
            q: random.vector(branches.len() * width),
            kv: random.vector((nodes - fixed) * 2 * width),
            branches,
        }
    }

    fn attention(&self) -> TreeAttention<'_> {
        let Self {
            heads,
            width,
            ancestry,
            fixed,
            ..
        } = self;
        TreeAttention {
            heads: *heads,
            width: *width,
            ancestry,
            fixed,
        }
    }

    fn forward(&self, q: &[f32], kv: &[f32]) -> Vec<f32> {
        let mut out = vec![f32::NAN; q.len()];
        self.attention().forward(q, kv, &mut out);
        out
    }

    fn backward(&self, d_out: &[f32]) -> [Vec<f32>; 2] {
        let mut d = [&self.q, &self.kv].map(|like| vec![f32::NAN; like.len()]);
        let [dq, dkv] = &mut d;
        self.attention().backward(&self.q, &self.kv, d_out, dq, dkv);
        d
    }
}

#[test]
fn a_node_attends_to_its_branch() {
    let mut random = Random::new(4);
    for _ in 0..20 {
        let nodes = random.int(1, 60);
        let tree = Tree::new(&mut random, nodes);
        let (width, row) = (tree.width, 2 * tree.width);
        let all: Vec<&[f32]> = tree
            .fixed
            .chunks_exact(row)
            .chain(tree.kv.chunks_exact(row))
            .collect();
        let mut want = Vec::new();
        for (q, branch) in tree.q.chunks_exact(width).zip(&tree.branches) {
            let rows: Vec<&[f32]> = branch.iter().map(|&key| all[key as usize]).collect();
            want.extend(plain(tree.heads, q, &rows));
        }
        assert_close(
            "tree attention",
            &tree.forward(&tree.q, &tree.kv),
            &want,
            2e-5,
        );
    }
}

#[test]
fn gradients_of_tree_attention_are_its_finite_differences() {
    let mut random = Random::new(5);
    for _ in 0..10 {
        let nodes = random.int(2, 60);
        let tree = Tree::new(&mut random, nodes);
        let d_out = random.vector(tree.q.len());
        let [dq, dkv] = tree.backward(&d_out);
        let Tree { q, kv, .. } = &tree;
        check_gradient(
            "queries",
            &mut random,
            q,
            &d_out,
            |q| tree.forward(q, kv),
            &dq,
        );
        check_gradient(
            "keys",
            &mut random,
            kv,
            &d_out,
            |kv| tree.forward(q, kv),
            &dkv,
        );
    }
}

#[test]
fn tree_attention_gives_the_same_bits_for_any_number_of_threads() {
    let mut random = Random::new(6);
    let tree = Tree::new(&mut random, 300);
    let d_out = random.vector(tree.q.len());
    same_bits_for_any_threads("tree attention", || {
        let mut all = tree.forward(&tree.q, &tree.kv);
        all.extend(tree.backward(&d_out).concat());
        all
    });
}
