//! From texts to a chunk: its tree is cut into what is constant, which goes through the tower here, and
//! what is live.

use vlpt_kernels::{AttentionPlan, Matrix};

use super::Chunk;
use crate::text::TextTower;
use crate::text::tree::{Slot, TextTree};
use crate::transformer::Asking;

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
    pub(in crate::text) fn new(tower: &TextTower, first: usize, texts: &[Vec<Slot>]) -> Self {
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
}
