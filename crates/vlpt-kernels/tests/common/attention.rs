//! Random attention: images with common keys, and trees.

use vlpt_kernels::{Attention, AttentionPlan, Matrix, Precision};

use super::Random;
use super::poison::poisoned;

pub(crate) struct Case {
    pub(crate) heads: usize,
    pub(crate) width: usize,
    pub(crate) plan: AttentionPlan,
    /// The keys of each query, as the plan numbers them.
    pub(crate) seen: Vec<Vec<u32>>,
    pub(crate) q: Vec<f32>,
    pub(crate) kv: Vec<f32>,
    pub(crate) common: Vec<f32>,
    learned: bool,
}

impl Case {
    /// Some images of at most `largest` tokens.
    pub(crate) fn images(random: &mut Random, largest: usize) -> Self {
        let heads = random.int(1, 4);
        let width = heads * random.int(1, 20);
        let tokens = random.int(1, largest);
        let queries = random.int(1, tokens);
        let (n, common) = (random.int(1, 4), random.int(0, 5));
        Self::of_images(random, (heads, width), (n, queries, tokens, common))
    }

    pub(crate) fn of_images(
        random: &mut Random,
        (heads, width): (usize, usize),
        (n, queries, tokens, common): (usize, usize, usize, usize),
    ) -> Self {
        let of_image = |image: usize| {
            let own = (0..tokens).map(move |token| (common + image * tokens + token) as u32);
            (0..common as u32).chain(own).collect::<Vec<_>>()
        };
        Self {
            heads,
            width,
            plan: AttentionPlan::images(n, queries, tokens, common),
            seen: (0..n * queries)
                .map(|query| of_image(query / queries))
                .collect(),
            q: random.vector(n * queries * width),
            kv: random.vector(n * tokens * 2 * width),
            common: random.vector(common * 2 * width),
            learned: true,
        }
    }

    /// A random tree of some nodes, the first of which are fixed, and the queries of some others.
    pub(crate) fn tree(random: &mut Random, nodes: usize) -> Self {
        let heads = random.int(1, 4);
        let width = heads * random.int(1, 20);
        Self::of_random_tree(random, (heads, width), nodes.max(1))
    }

    pub(crate) fn of_random_tree(
        random: &mut Random,
        (heads, width): (usize, usize),
        nodes: usize,
    ) -> Self {
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
        let kv = random.vector((nodes - fixed) * 2 * width);
        let q = random.vector(branches.len() * width);
        let common = random.vector(fixed * 2 * width);
        Self::of_tree((heads, width), &branches, (common, kv), q)
    }

    /// Classes behind a context whose first node is fixed: each a few nodes, all of which ask.
    pub(crate) fn of_classes(
        random: &mut Random,
        (heads, width): (usize, usize),
        (context, classes): (usize, usize),
    ) -> Self {
        let mut branches: Vec<Vec<u32>> = (1..=context as u32)
            .map(|last| (0..=last).collect())
            .collect();
        let mut nodes = context as u32 + 1;
        for _ in 0..classes {
            let own = random.int(2, 5) as u32;
            let path = |last| (0..=context as u32).chain(nodes..=last).collect();
            branches.extend((nodes..nodes + own).map(path));
            nodes += own;
        }
        let row = 2 * width;
        let (common, kv) = (random.vector(row), random.vector(branches.len() * row));
        let q = random.vector(branches.len() * width);
        Self::of_tree((heads, width), &branches, (common, kv), q)
    }

    pub(crate) fn of_tree(
        (heads, width): (usize, usize),
        branches: &[Vec<u32>],
        (common, kv): (Vec<f32>, Vec<f32>),
        q: Vec<f32>,
    ) -> Self {
        let row = 2 * width;
        let lists = branches.iter().map(Vec::as_slice);
        Self {
            heads,
            width,
            plan: AttentionPlan::tree(lists, common.len() / row, kv.len() / row),
            seen: branches.to_vec(),
            q,
            kv,
            common,
            learned: false,
        }
    }

    fn attention(&self) -> Attention<'_> {
        Attention {
            heads: self.heads,
            width: self.width,
            plan: &self.plan,
        }
    }

    pub(crate) fn forward(
        &self,
        precision: Precision,
        q: &[f32],
        kv: &[f32],
        common: &[f32],
    ) -> Vec<f32> {
        let arena = poisoned();
        let (w, row) = (self.width, 2 * self.width);
        let [q, kv, common] = [(q, w), (kv, row), (common, row)]
            .map(|(rows, width)| Matrix::of(&arena, precision, width, rows));
        let mut out = Matrix::of(&arena, precision, w, &vec![f32::NAN; q.rows() * w]);
        self.attention().forward(&q, &kv, &common, &mut out);
        out.to_floats()
    }

    /// Gradients of queries, keys and common keys.
    pub(crate) fn backward(&self, precision: Precision, d_out: &[f32]) -> [Vec<f32>; 3] {
        let arena = poisoned();
        let (w, row) = (self.width, 2 * self.width);
        let [q, kv, common, d_out] = [
            (&self.q[..], w),
            (&self.kv, row),
            (&self.common, row),
            (d_out, w),
        ]
        .map(|(rows, width)| Matrix::of(&arena, precision, width, rows));
        let unset = |like: &Matrix| {
            let rows = vec![f32::NAN; like.rows() * like.width()];
            Matrix::of(&arena, precision, like.width(), &rows)
        };
        let (mut dq, mut dkv) = (unset(&q), unset(&kv));
        let mut d_common = vec![0.0; if self.learned { self.common.len() } else { 0 }];
        let given = (&q, &kv, &common);
        self.attention()
            .backward(&arena, given, &d_out, &mut dq, &mut dkv, &mut d_common);
        [dq.to_floats(), dkv.to_floats(), d_common]
    }
}
