//! A run of texts that goes through the tower at once.

use vlpt_kernels::{AttentionPlan, Buffer, Matrix, add, for_blocks};

use super::TextTower;
use super::tree::{Slot, TextTree};
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

/// Nodes of a tree in the order of a numbering of their own.
struct Numbering {
    nodes: Vec<u32>,
    /// Number of each node of the tree.
    number: Vec<u32>,
}

impl Numbering {
    fn new(nodes: Vec<u32>, all: usize) -> Self {
        let mut number = vec![u32::MAX; all];
        for (i, &node) in nodes.iter().enumerate() {
            number[node as usize] = i as u32;
        }
        Self { nodes, number }
    }

    /// The numbers of the branch of each node given.
    fn branches(&self, tree: &TextTree, of: &[u32]) -> Vec<Vec<u32>> {
        let number = |node: u32| self.number[node as usize];
        of.iter()
            .map(|&node| tree.branch(node).into_iter().map(number).collect())
            .collect()
    }
}

fn attention_plan(branches: &[Vec<u32>], fixed: usize, live: usize) -> AttentionPlan {
    AttentionPlan::tree(branches.iter().map(Vec::as_slice), fixed, live)
}

/// Constant nodes that a live node sees.
fn seen_by_live(tree: &TextTree) -> Vec<bool> {
    let nodes = tree.all();
    let mut seen = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate().rev() {
        if let Some(parent) = node.parent
            && (node.live || seen[i])
        {
            seen[parent as usize] = true;
        }
    }
    (0..nodes.len())
        .map(|i| seen[i] && !nodes[i].live)
        .collect()
}

/// The distinct nodes of `ends` that `pick` takes, and for each text that ends in one its place
/// among them.
fn ends_where(tree: &TextTree, pick: impl Fn(u32) -> bool) -> (Vec<u32>, Vec<(usize, usize)>) {
    let picked = tree
        .ends()
        .iter()
        .enumerate()
        .filter(|(_, end)| pick(**end));
    let mut nodes: Vec<u32> = picked.clone().map(|(_, end)| *end).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let place = |end: u32| nodes.partition_point(|node| *node < end);
    let of = picked.map(|(text, end)| (text, place(*end))).collect();
    (nodes, of)
}

impl Chunk {
    pub(super) fn new(tower: &TextTower, first: usize, texts: &[Vec<Slot>]) -> Self {
        let tree = TextTree::new(texts);
        let all = tree.all();
        let seen = seen_by_live(&tree);
        let (mut constant, mut live) = (Vec::new(), Vec::new());
        for node in 0..all.len() {
            if all[node].live {
                live.push(node as u32);
            } else if seen[node] {
                constant.push(node as u32);
            }
        }
        let kept = constant.len();
        constant.extend(
            (0..all.len())
                .filter(|&i| !all[i].live && !seen[i])
                .map(|i| i as u32),
        );
        let mut order = constant[..kept].to_vec();
        order.extend(&live);
        let order = Numbering::new(order, all.len());
        let (ends, end_of) = ends_where(&tree, |end| all[end as usize].live);
        let branches = order.branches(&tree, &live);
        let end_branches = order.branches(&tree, &ends);
        let ends = ends
            .iter()
            .map(|&end| order.number[end as usize] - kept as u32)
            .collect();
        let slots: Vec<(Slot, u32)> = order.nodes[kept..]
            .iter()
            .map(|&node| (all[node as usize].slot, all[node as usize].depth))
            .collect();
        let learned = |(row, (slot, _)): (usize, &(Slot, u32))| match slot {
            Slot::Learned(prompt) => Some((row as u32, *prompt)),
            Slot::Token(_) => None,
        };
        let (learned, prompts) = slots.iter().enumerate().filter_map(learned).unzip();
        let mut chunk = Self {
            first,
            texts: texts.len(),
            constant: Vec::new(),
            fixed: Vec::new(),
            learned,
            prompts,
            seen: attention_plan(&branches, kept, live.len()),
            ends,
            seen_by_ends: attention_plan(&end_branches, kept, live.len()),
            end_of,
            live: slots,
        };
        chunk.compute_constant(tower, &tree, constant, kept);
        chunk
    }

    /// Sends the constant nodes through the tower, the first `kept` of which live nodes see.
    fn compute_constant(
        &mut self,
        tower: &TextTower,
        tree: &TextTree,
        nodes: Vec<u32>,
        kept: usize,
    ) {
        if nodes.is_empty() {
            let none = |_| tower.no_keys();
            self.fixed = tower.blocks.iter().map(none).collect();
            return;
        }
        let (all, w) = (tree.all(), tower.width);
        let mut x = tower.arena.floats(nodes.len() * w);
        for (x, &node) in x.chunks_exact_mut(w).zip(&nodes) {
            let node = all[node as usize];
            tower.embed(node.slot, node.depth, &[], x);
        }
        let order = Numbering::new(nodes, all.len());
        let n = order.nodes.len();
        let (ends, end_of) = ends_where(tree, |end| !all[end as usize].live);
        let below = attention_plan(&order.branches(tree, &order.nodes), 0, n);
        let end_below = attention_plan(&order.branches(tree, &ends), 0, n);
        let ends: Vec<u32> = ends.iter().map(|&end| order.number[end as usize]).collect();
        let first_kept: Vec<u32> = (0..kept as u32).collect();
        for (l, block) in tower.blocks.iter().enumerate() {
            let last = l + 1 == tower.blocks.len();
            let mut keep = |keys: &Matrix| {
                let kept = Matrix::gather(&tower.arena, keys, &first_kept);
                self.fixed.push(kept);
            };
            if last && ends.is_empty() {
                keep(&block.keys(&tower.arena, &x));
                continue;
            }
            let asking = if last {
                Asking::Rows(&ends)
            } else {
                Asking::All
            };
            let attention = tower.attention(if last { &end_below } else { &below });
            let attend = |q: &Matrix, kv: &Matrix, out: &mut Matrix| {
                keep(kv);
                attention.forward(q, kv, &tower.no_keys(), out);
            };
            (x, _) = block.forward(&tower.arena, x, asking, None, attend);
        }
        if !ends.is_empty() {
            let features = tower.head.forward(&x);
            let embed = tower.head.embed();
            let feature = |place: usize| features[place * embed..][..embed].to_vec();
            self.constant = end_of
                .iter()
                .map(|&(text, place)| (text, feature(place)))
                .collect();
        }
    }

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
