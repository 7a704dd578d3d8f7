//! A run of texts that goes through the tower at once.

mod apart;
mod backward;
mod build;
mod nodes;
mod rows;

use vlpt_kernels::{AttentionPlan, Buffer, Matrix, for_blocks};

use super::TextTower;
use super::options::{TextAdaptation, TextPlanOptions};
use super::tree::PromptToken;
use crate::transformer::{
    Adapting, Block, BlockTape, SavedActivations, TapeBytes, Taping, bytes_of,
};
use apart::Apart;
use nodes::Ends;
use rows::{BlockRows, Nodes};

/// The tree of some texts, its constant part computed.
#[derive(Debug)]
pub(super) struct Chunk {
    options: TextPlanOptions,
    /// First text, and number of texts.
    pub(super) first: usize,
    pub(super) texts: usize,
    constant: Constant,
    /// The live nodes, parents first.
    live: Vec<LiveNode>,
    /// Row among the live nodes, and row of the prompts, of each learned node.
    learned: Vec<u32>,
    prompts: Vec<u32>,
    /// Rows of the live nodes that are words.
    words: Vec<u32>,
    /// The words at the input of the first block that live nodes go through, where that is not the
    /// first of all: words x width.
    entry: Vec<f32>,
    /// What every live node sees.
    seen: AttentionPlan,
    /// What the words see, where the next block replaces the others; and among themselves, where the
    /// others do not exist yet.
    seen_by_words: Option<AttentionPlan>,
    seen_among_words: Option<AttentionPlan>,
    /// The live nodes where each text has rows of its own.
    apart: Option<Apart>,
    ends: Ends,
}

/// What was computed of the nodes that are not live.
#[derive(Debug, Default)]
struct Constant {
    /// The texts that end in one: text in the chunk; their last nodes after the last block, texts x
    /// width; their features, texts x embed.
    texts: Vec<usize>,
    last: Vec<f32>,
    features: Vec<f32>,
    /// Keys and values of those that live nodes see: of each block, nodes x (2 width).
    keys: Vec<Matrix>,
}

/// A node that goes through the tower in every pass.
#[derive(Clone, Copy, Debug)]
struct LiveNode {
    token: PromptToken,
    position: u32,
    /// What dropout knows it by: a hash of the tokens up to it.
    key: u64,
}

/// What backward needs of a chunk.
#[derive(Debug)]
pub(super) struct ChunkTape {
    /// Of the blocks from the first on that live nodes go through.
    blocks: Vec<BlockTape>,
    /// End nodes after the last block.
    last: Buffer<f32>,
}

impl Chunk {
    pub(super) fn has_learned(&self) -> bool {
        !self.learned.is_empty()
    }

    /// Bytes of the tapes of the blocks.
    pub(super) fn tape_bytes(&self, tower: &TextTower) -> Vec<TapeBytes> {
        let bytes = |(l, block): (usize, &Block)| {
            if l < self.options.start() {
                return TapeBytes::default();
            }
            let rows = self.block_rows(tower, l);
            block.tape_bytes(rows.tokens, rows.queries())
        };
        tower.blocks.iter().enumerate().map(bytes).collect()
    }

    /// Bytes that the chunk itself takes.
    pub(super) fn bytes(&self, tower: &TextTower) -> usize {
        let plans = [&self.seen_by_words, &self.seen_among_words];
        self.constant
            .keys
            .iter()
            .map(|keys| Matrix::bytes(tower.precision, keys.rows(), keys.width()))
            .sum::<usize>()
            + bytes_of(&self.constant.features)
            + bytes_of(&self.constant.last)
            + bytes_of(&self.entry)
            + self.seen.bytes()
            + self.ends.seen.bytes()
            + self.apart.as_ref().map_or(0, |apart| apart.seen.bytes())
            + plans
                .into_iter()
                .flatten()
                .map(AttentionPlan::bytes)
                .sum::<usize>()
    }

    /// Writes the features of the chunk's texts, texts x embed; gives the tape where it is said what
    /// of each block to `keep`.
    pub(super) fn forward(
        &self,
        tower: &TextTower,
        adaptation: &TextAdaptation,
        features: &mut [f32],
        keep: Option<&[SavedActivations]>,
    ) -> Option<ChunkTape> {
        let embed = tower.head.embed();
        let held = Some(&adaptation.held);
        let changed = adaptation.held.changes_head();
        let changed = changed.then(|| tower.head.forward(&self.constant.last, held));
        let constant = changed.as_ref().unwrap_or(&self.constant.features);
        for (&text, feature) in self.constant.texts.iter().zip(constant.chunks_exact(embed)) {
            features[text * embed..][..embed].copy_from_slice(feature);
        }
        if self.live.is_empty() {
            return None;
        }
        let mut blocks = Vec::new();
        let last = self.run(tower, adaptation, keep.map(|keep| (keep, &mut blocks)));
        let ends = tower.head.forward(&last, held);
        for &(text, end) in &self.ends.of {
            features[text * embed..][..embed].copy_from_slice(&ends[end * embed..][..embed]);
        }
        keep.map(|_| ChunkTape { blocks, last })
    }

    /// The tape alone, for a chunk whose tape was not kept.
    pub(super) fn record(
        &self,
        tower: &TextTower,
        adaptation: &TextAdaptation,
    ) -> Option<ChunkTape> {
        if self.live.is_empty() {
            return None;
        }
        let keep = vec![SavedActivations::ALL; tower.blocks.len()];
        let mut blocks = Vec::new();
        let last = self.run(tower, adaptation, Some((&keep, &mut blocks)));
        Some(ChunkTape { blocks, last })
    }

    /// End nodes after the last block; where it is said what of each block to keep, the tapes are.
    fn run(
        &self,
        tower: &TextTower,
        adaptation: &TextAdaptation,
        mut tapes: Option<(&[SavedActivations], &mut Vec<BlockTape>)>,
    ) -> Buffer<f32> {
        let start = self.options.start();
        let mut x = self.input(tower, adaptation);
        for (l, block) in tower.blocks.iter().enumerate().skip(start) {
            if self.options.mixes(l) && self.has_learned() {
                x = self.mixed_rows(tower, x, adaptation, l);
            } else if l > 0 && self.options.enters(l) && self.has_learned() {
                x = self.with_rows(tower, &x, adaptation, l);
            }
            if let Some(apart) = self.apart_at(l) {
                x = apart.enter(tower, &x, &adaptation.text_rows);
            }
            let rows = self.block_rows(tower, l);
            let attention = tower.attention(rows.plan);
            let taping = tapes.as_ref().map(|(keep, _)| Taping {
                keep: keep[l],
                checkpoints: &tower.checkpoints,
            });
            let keys = self.keys(adaptation, &rows);
            let adapting = Adapting {
                updates: adaptation.held.updates.of_block(l),
                keys: &keys,
            };
            let (y, tape) = block.forward(
                &tower.arena,
                x,
                rows.query_rows,
                taping,
                adapting,
                |q, kv, out| {
                    attention.forward(q, kv, &self.constant.keys[l], out);
                },
            );
            if let Some((_, tapes)) = &mut tapes {
                tapes.extend(tape);
            }
            x = y;
        }
        x
    }

    /// The live nodes, or the words among them, at the input of the first block they go through.
    fn input(&self, tower: &TextTower, adaptation: &TextAdaptation) -> Buffer<f32> {
        let w = tower.width;
        if self.options.start() > 0 {
            return tower.arena.copy(&self.entry);
        }
        let values = &adaptation.values[..adaptation.values.len().min(adaptation.rows * w)];
        let embed = |x: &mut [f32], node: LiveNode| {
            tower.embed(node.token, node.position, values, x);
        };
        if self.options.first > 0 {
            let mut x = tower.arena.floats(self.words.len() * w);
            for_blocks(&mut x, w, |first, rows| {
                for (x, &word) in rows.chunks_exact_mut(w).zip(&self.words[first..]) {
                    embed(x, self.live[word as usize]);
                }
            });
            return x;
        }
        let mut x = tower.arena.floats(self.live.len() * w);
        for_blocks(&mut x, w, |first, rows| {
            for (x, &node) in rows.chunks_exact_mut(w).zip(&self.live[first..]) {
                embed(x, node);
            }
        });
        x
    }

    /// What dropout knows the rows of a block's input by, where something is dropped.
    fn keys(&self, adaptation: &TextAdaptation, rows: &BlockRows) -> Vec<u64> {
        if !adaptation.held.updates.has_dropout() {
            return Vec::new();
        }
        match rows.nodes {
            Nodes::Live => self.live.iter().map(|node| node.key).collect(),
            Nodes::Words => {
                let key = |&word: &u32| self.live[word as usize].key;
                self.words.iter().map(key).collect()
            }
            Nodes::Apart(apart) => apart.keys.clone(),
        }
    }
}
