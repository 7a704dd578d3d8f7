//! Which live nodes are there in a block, and which of them ask.

use vlpt_kernels::{AttentionPlan, Buffer, gather_rows};

use super::Chunk;
use super::apart::Apart;
use crate::text::TextTower;
use crate::text::options::TextAdaptation;
use crate::transformer::QueryRows;

/// The rows of a block's input.
pub(super) struct BlockRows<'a> {
    /// Number of rows.
    pub(super) tokens: usize,
    pub(super) nodes: Nodes<'a>,
    pub(super) query_rows: QueryRows<'a>,
    pub(super) plan: &'a AttentionPlan,
}

/// Which nodes they are.
#[derive(Clone, Copy)]
pub(super) enum Nodes<'a> {
    /// All live ones.
    Live,
    /// The words among them.
    Words,
    /// Those of texts that are told apart.
    Apart(&'a Apart),
}

impl BlockRows<'_> {
    /// Rows of the block's output.
    pub(super) fn queries(&self) -> usize {
        match self.query_rows {
            QueryRows::All => self.tokens,
            QueryRows::Rows(rows) => rows.len(),
        }
    }
}

impl Chunk {
    /// Before learned rows are inserted, the words are alone. A learned row that the next block
    /// replaces, and does not mix, only lends its key and value. In the last block the ends of texts ask.
    pub(super) fn block_rows(&self, tower: &TextTower, l: usize) -> BlockRows<'_> {
        let (words, all) = (QueryRows::Rows(&self.words), QueryRows::All);
        let (nodes, query_rows, plan) = match (&self.seen_among_words, &self.seen_by_words) {
            _ if l + 1 == tower.blocks.len() => {
                let nodes = self.apart.as_ref().map_or(Nodes::Live, Nodes::Apart);
                (nodes, QueryRows::Rows(&self.ends.rows), &self.ends.seen)
            }
            (Some(plan), _) if l < self.options.first => (Nodes::Words, all, plan),
            (_, Some(plan)) if self.replaces(l) => (Nodes::Live, words, plan),
            _ => match &self.apart {
                Some(apart) if l >= apart.block => (Nodes::Apart(apart), all, &apart.seen),
                _ => (Nodes::Live, all, &self.seen),
            },
        };
        BlockRows {
            tokens: match nodes {
                Nodes::Live => self.live.len(),
                Nodes::Words => self.words.len(),
                Nodes::Apart(apart) => apart.nodes(),
            },
            nodes,
            query_rows,
            plan,
        }
    }

    /// Whether what block `l` makes of the learned rows is replaced by the next block, and not mixed.
    fn replaces(&self, l: usize) -> bool {
        let options = &self.options;
        let shared = options.enters(l) && options.enters(l + 1) && !options.mixes(l + 1);
        shared || self.apart_at(l + 1).is_some()
    }

    /// The nodes of texts that are told apart, where block `l` is the first with them.
    pub(super) fn apart_at(&self, l: usize) -> Option<&Apart> {
        self.apart.as_ref().filter(|apart| apart.block == l)
    }

    /// The live nodes at the input of block `l`, which mixes rows of its own with those that came out
    /// of the block before: all live nodes, `x`.
    pub(super) fn mixed_rows(
        &self,
        tower: &TextTower,
        mut x: Buffer<f32>,
        adaptation: &TextAdaptation,
        l: usize,
    ) -> Buffer<f32> {
        let (w, carry) = (tower.width, adaptation.carry);
        let size = adaptation.rows * w;
        let values = &adaptation.values[(l - self.options.first) * size..][..size];
        for (&row, &prompt) in self.learned.iter().zip(&self.prompts) {
            let rows = &values[prompt as usize * w..][..w];
            let own = &mut x[row as usize * w..][..w];
            for (x, value) in own.iter_mut().zip(rows) {
                *x = carry * *x + (1.0 - carry) * value;
            }
        }
        x
    }

    /// The live nodes at the input of block `l`, which has rows of its own: words as they are, and the
    /// rows without positions.
    pub(super) fn with_rows(
        &self,
        tower: &TextTower,
        words: &[f32],
        adaptation: &TextAdaptation,
        l: usize,
    ) -> Buffer<f32> {
        let w = tower.width;
        let size = adaptation.rows * w;
        let values = &adaptation.values[(l - self.options.first) * size..][..size];
        let mut x = tower.arena.floats(self.live.len() * w);
        let mut put = |row: u32, from: &[f32]| x[row as usize * w..][..w].copy_from_slice(from);
        for (&row, word) in self.words.iter().zip(words.chunks_exact(w)) {
            put(row, word);
        }
        for (&row, &prompt) in self.learned.iter().zip(&self.prompts) {
            put(row, &values[prompt as usize * w..][..w]);
        }
        x
    }

    /// The words' rows of a gradient of the live nodes.
    pub(super) fn words_of(&self, tower: &TextTower, dx: &[f32]) -> Buffer<f32> {
        let mut words = tower.arena.floats(self.words.len() * tower.width);
        gather_rows(dx, tower.width, &self.words, &mut words);
        words
    }
}
