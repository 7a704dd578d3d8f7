//! Steps as the shapes of what they multiply.

use vlpt_clip::{ImageTower, Precision, PrefixTree, PromptToken};
use vlpt_kernels::AttentionPlan;

/// A step of a tower: `chunks` times blocks of `tokens` rows, of which `asking` ask in the last block.
pub(super) struct Shape {
    pub(super) precision: Precision,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) mlp: usize,
    pub(super) embed: usize,
    pub(super) depth: usize,
    pub(super) chunks: usize,
    pub(super) tokens: usize,
    pub(super) asking: usize,
    pub(super) backward: bool,
    /// Rows of the first block whose input's gradient is wanted.
    pub(super) wanted: usize,
    pub(super) plan: AttentionPlan,
    pub(super) last_plan: AttentionPlan,
    /// Keys that all tokens see beside their own, in each block.
    pub(super) common: usize,
    /// How many of them are learned.
    pub(super) learned: usize,
    /// Numbers of a patch, where tokens are cut from images.
    pub(super) patch: Option<usize>,
}

const WIDTH: usize = 768;
const PATCH: usize = 3 * 16 * 16;
const TOKENS: usize = 197;
const EMBED: usize = 512;

impl Shape {
    /// Images with `prompts` in every block, parted as the tower parts them.
    pub(super) fn images(precision: Precision, n: usize, prompts: usize, backward: bool) -> Self {
        let chunks = n.div_ceil(ImageTower::CHUNK_TOKENS / TOKENS);
        let size = n.div_ceil(chunks);
        Self {
            precision,
            width: WIDTH,
            heads: 12,
            mlp: 4 * WIDTH,
            embed: EMBED,
            depth: 12,
            chunks,
            tokens: size * TOKENS,
            asking: size,
            backward,
            wanted: 0,
            plan: AttentionPlan::images(size, TOKENS, TOKENS, prompts),
            last_plan: AttentionPlan::images(size, 1, TOKENS, prompts),
            common: prompts,
            learned: if backward { prompts } else { 0 },
            patch: Some(PATCH),
        }
    }

    /// The tree of these texts without its start, which is constant; they share `context` learned tokens
    /// and nothing else.
    pub(super) fn texts(precision: Precision, texts: &[Vec<PromptToken>], context: usize) -> Self {
        let live = PrefixTree::new(texts).nodes() - 1;
        let last = context as u32;
        let mut branches: Vec<Vec<u32>> = (1..=last).map(|i| (0..=i).collect()).collect();
        let mut ends = Vec::new();
        for text in texts {
            let first = branches.len() as u32 + 1;
            for own in 0..(text.len() as u32 - 1 - last) {
                branches.push((0..=last).chain(first..=first + own).collect());
            }
            ends.push(branches[branches.len() - 1].clone());
        }
        assert_eq!(
            branches.len(),
            live,
            "texts that share nothing but the context"
        );
        let plan = |of: &[Vec<u32>]| AttentionPlan::tree(of.iter().map(Vec::as_slice), 1, live);
        Self {
            precision,
            width: EMBED,
            heads: 8,
            mlp: 4 * EMBED,
            embed: EMBED,
            depth: 12,
            chunks: 1,
            tokens: live,
            asking: ends.len(),
            backward: true,
            wanted: context,
            plan: plan(&branches),
            last_plan: plan(&ends),
            common: 1,
            learned: 0,
            patch: None,
        }
    }

    /// Rows that ask in block `l`.
    pub(super) fn asking(&self, l: usize) -> usize {
        if l + 1 == self.depth {
            self.asking
        } else {
            self.tokens
        }
    }

    /// Rows whose gradient goes on from block `l`, and how many of those asked.
    pub(super) fn wanted(&self, l: usize) -> (usize, usize) {
        if l == 0 {
            (self.wanted, self.wanted)
        } else {
            (self.tokens, self.asking(l))
        }
    }

    /// Multiplications and additions of the products, in billions.
    pub(super) fn gflop(&self) -> f64 {
        let w = self.width;
        let of_mlp = |m: usize| 2 * m * w * self.mlp;
        let projections = |n: usize, m: usize| (2 * n + m) * w * w;
        let of_block = |l: usize| {
            let (n, m) = (self.tokens, self.asking(l));
            let rest = of_mlp(m) + m * w * w;
            let forward = projections(n, m) + rest;
            if self.backward {
                let (n, m) = self.wanted(l);
                forward + rest + projections(n, m)
            } else {
                forward
            }
        };
        let ways = if self.backward { 2 } else { 1 };
        let chunk = (0..self.depth).map(of_block).sum::<usize>()
            + self.tokens * self.patch.unwrap_or(0) * w
            + ways * self.asking * w * self.embed;
        let prompts = self.depth * ways * self.learned * 2 * w * w;
        2e-9 * (self.chunks * chunk + prompts) as f64
    }
}
