//! A run of texts that goes through the tower at once.

mod build;

use vlpt_kernels::{AttentionPlan, Buffer, Matrix, add, for_blocks};

use super::TextTower;
use super::tree::Slot;
use crate::transformer::{
    Asking, Block, BlockTape, Gradient, Keep, TapeBytes, Taping, Wanted, bytes_of,
};

/// The tree of some texts, its constant part computed.
#[derive(Debug)]
pub(super) struct Chunk {
    /// First text, and number of texts.
    pub(super) first: usize,
    pub(super) texts: usize,
    /// Features of the texts without a learned slot: text in the chunk, feature.
    constant: Vec<(usize, Vec<f32>)>,
    /// Keys and values of the constant nodes that live ones see: of each block, nodes x (2 width).
    fixed: Vec<Matrix>,
    /// The live nodes, parents first: slot and depth.
    live: Vec<(Slot, u32)>,
    /// Row among the live nodes, and row of the prompts, of each learned node.
    learned: Vec<u32>,
    prompts: Vec<u32>,
    /// What every live node sees.
    seen: AttentionPlan,
    /// The live nodes that end a text, what they see, and for each text with one (text in the
    /// chunk) its place among them.
    ends: Vec<u32>,
    seen_by_ends: AttentionPlan,
    end_of: Vec<(usize, usize)>,
}

/// What backward needs of a chunk.
#[derive(Debug)]
pub(super) struct ChunkTape {
    blocks: Vec<BlockTape>,
    /// End nodes after the last block.
    last: Buffer<f32>,
}

impl Chunk {
    /// Bytes of the tapes of the blocks.
    pub(super) fn tape_bytes(&self, tower: &TextTower) -> Vec<TapeBytes> {
        let (n, m) = (self.live.len(), self.ends.len());
        let last = tower.blocks.len() - 1;
        let bytes =
            |(l, block): (usize, &Block)| block.tape_bytes(n, if l == last { m } else { n });
        tower.blocks.iter().enumerate().map(bytes).collect()
    }

    /// Bytes that the chunk itself takes.
    pub(super) fn bytes(&self, tower: &TextTower) -> usize {
        self.fixed
            .iter()
            .map(|keys| Matrix::bytes(tower.precision, keys.rows(), keys.width()))
            .sum::<usize>()
            + self
                .constant
                .iter()
                .map(|(_, feature)| bytes_of(feature))
                .sum::<usize>()
            + self.seen.bytes()
            + self.seen_by_ends.bytes()
    }

    /// Writes the features of the chunk's texts, texts x embed; gives the tape where it is said what
    /// of each block to `keep`.
    pub(super) fn forward(
        &self,
        tower: &TextTower,
        prompts: &[f32],
        features: &mut [f32],
        keep: Option<&[Keep]>,
    ) -> Option<ChunkTape> {
        let embed = tower.head.embed();
        for (text, feature) in &self.constant {
            features[text * embed..][..embed].copy_from_slice(feature);
        }
        if self.live.is_empty() {
            return None;
        }
        let mut blocks = Vec::new();
        let last = self.run(tower, prompts, keep.map(|keep| (keep, &mut blocks)));
        let ends = tower.head.forward(&last);
        for &(text, end) in &self.end_of {
            features[text * embed..][..embed].copy_from_slice(&ends[end * embed..][..embed]);
        }
        keep.map(|_| ChunkTape { blocks, last })
    }

    /// The tape alone, for a chunk whose tape was not kept.
    pub(super) fn record(&self, tower: &TextTower, prompts: &[f32]) -> Option<ChunkTape> {
        if self.live.is_empty() {
            return None;
        }
        let keep = vec![Keep::ALL; tower.blocks.len()];
        let mut blocks = Vec::new();
        let last = self.run(tower, prompts, Some((&keep, &mut blocks)));
        Some(ChunkTape { blocks, last })
    }

    /// End nodes after the last block; where it is said what of each block to keep, the tapes are.
    fn run(
        &self,
        tower: &TextTower,
        prompts: &[f32],
        mut tapes: Option<(&[Keep], &mut Vec<BlockTape>)>,
    ) -> Buffer<f32> {
        let w = tower.width;
        let mut x = tower.arena.floats(self.live.len() * w);
        for_blocks(&mut x, w, |first, rows| {
            for (x, &(slot, depth)) in rows.chunks_exact_mut(w).zip(&self.live[first..]) {
                tower.embed(slot, depth, prompts, x);
            }
        });
        for (l, block) in tower.blocks.iter().enumerate() {
            let (asking, seen) = self.asking(tower, l);
            let attention = tower.attention(seen);
            let taping = tapes.as_ref().map(|(keep, _)| Taping {
                keep: keep[l],
                costs: &tower.costs,
            });
            let (y, tape) = block.forward(&tower.arena, x, asking, taping, |q, kv, out| {
                attention.forward(q, kv, &self.fixed[l], out);
            });
            if let Some((_, tapes)) = &mut tapes {
                tapes.extend(tape);
            }
            x = y;
        }
        x
    }

    /// Who asks in block `l`, and whom.
    fn asking(&self, tower: &TextTower, l: usize) -> (Asking<'_>, &AttentionPlan) {
        if l + 1 == tower.blocks.len() {
            (Asking::Rows(&self.ends), &self.seen_by_ends)
        } else {
            (Asking::All, &self.seen)
        }
    }

    /// Adds the gradient of the prompts, given that of the chunk's features.
    pub(super) fn backward(
        &self,
        tower: &TextTower,
        tape: ChunkTape,
        d_features: &[f32],
        d_prompts: &mut [f32],
    ) {
        let (w, embed) = (tower.width, tower.head.embed());
        let mut d_ends = vec![0.0; self.ends.len() * embed];
        for &(text, end) in &self.end_of {
            add(
                &mut d_ends[end * embed..][..embed],
                &d_features[text * embed..][..embed],
            );
        }
        let arena = &tower.arena;
        let dx = tower.head.backward(arena, &tape.last, &d_ends);
        let mut dx = Gradient::new(arena, tower.precision, w, dx);
        for ((l, block), tape) in tower.blocks.iter().enumerate().zip(tape.blocks).rev() {
            let (asking, seen) = self.asking(tower, l);
            let attention = tower.attention(seen);
            let wanted = if l == 0 {
                Wanted::Rows(&self.learned)
            } else {
                Wanted::All
            };
            dx = block.backward(arena, tape, asking, wanted, dx, |q, kv, d, dq, dkv| {
                attention.backward(arena, (q, kv, &self.fixed[l]), d, dq, dkv, &mut []);
            });
        }
        for (dx, &prompt) in dx.floats().chunks_exact(w).zip(&self.prompts) {
            add(&mut d_prompts[prompt as usize * w..][..w], dx);
        }
    }
}
