//! The nodes of a tree sorted into what is constant and what is live, and who sees whom.

use vlpt_kernels::{AttentionPlan, hash};

use crate::text::tree::{PrefixTree, PromptToken};

/// Nodes of a tree in the order of a numbering of their own.
pub(super) struct Numbering {
    pub(super) nodes: Vec<u32>,
    /// Number of each node of the tree.
    pub(super) number: Vec<u32>,
}

impl Numbering {
    pub(super) fn new(nodes: Vec<u32>, all: usize) -> Self {
        let mut number = vec![u32::MAX; all];
        for (i, &node) in nodes.iter().enumerate() {
            number[node as usize] = i as u32;
        }
        Self { nodes, number }
    }

    /// The numbers of the branch of each node given, as far as they have one.
    pub(super) fn branches(&self, tree: &PrefixTree, of: &[u32]) -> Vec<Vec<u32>> {
        let number = |node: u32| self.number[node as usize];
        let numbered = |number: &u32| *number != u32::MAX;
        of.iter()
            .map(|&node| {
                let branch = tree.branch(node).into_iter();
                branch.map(number).filter(numbered).collect()
            })
            .collect()
    }
}

pub(super) fn attention_plan(branches: &[Vec<u32>], fixed: usize, live: usize) -> AttentionPlan {
    AttentionPlan::tree(branches.iter().map(Vec::as_slice), fixed, live)
}

/// The nodes of a tree, sorted: what is constant first as far as live nodes see it, then what is live.
pub(super) struct Numbered {
    /// Constant nodes, the first `kept` of which live nodes see.
    pub(super) constant: Vec<u32>,
    pub(super) kept: usize,
    pub(super) live: Vec<u32>,
    /// Of the constant nodes that are seen, and the live ones.
    order: Numbering,
}

impl Numbered {
    pub(super) fn new(tree: &PrefixTree) -> Self {
        let all = tree.all();
        let seen = seen_by_live(tree);
        let pick = |of: &dyn Fn(usize) -> bool| -> Vec<u32> {
            let picked = (0..all.len()).filter(|&node| of(node));
            picked.map(|node| node as u32).collect()
        };
        let live = pick(&|node| all[node].live);
        let mut constant = pick(&|node| seen[node]);
        let kept = constant.len();
        let order = [constant.as_slice(), &live].concat();
        constant.extend(pick(&|node| !all[node].live && !seen[node]));
        Self {
            constant,
            kept,
            live,
            order: Numbering::new(order, all.len()),
        }
    }

    /// Who sees what, for some of the live nodes.
    pub(super) fn plan(&self, tree: &PrefixTree, of: &[u32]) -> AttentionPlan {
        let branches = self.order.branches(tree, of);
        attention_plan(&branches, self.kept, self.live.len())
    }

    /// The row of a live node.
    pub(super) fn row(&self, node: u32) -> u32 {
        self.order.number[node as usize] - self.kept as u32
    }
}

/// Constant nodes that a live node sees.
fn seen_by_live(tree: &PrefixTree) -> Vec<bool> {
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
pub(super) fn ends_where(
    tree: &PrefixTree,
    pick: impl Fn(u32) -> bool,
) -> (Vec<u32>, Vec<(usize, usize)>) {
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

/// What dropout knows each node by: a hash of the tokens up to it.
pub(super) fn keys(tree: &PrefixTree) -> Vec<u64> {
    let mut keys: Vec<u64> = Vec::with_capacity(tree.nodes());
    for node in tree.all() {
        let before = node.parent.map_or(0, |parent| keys[parent as usize]);
        let own = match node.token {
            PromptToken::Token(id) => [before, 0, u64::from(id)],
            PromptToken::Learned(row) => [before, 1, u64::from(row)],
        };
        keys.push(hash(&own));
    }
    keys
}

/// The live nodes that end a text.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) rows: Vec<u32>,
    /// What they see.
    pub(super) seen: AttentionPlan,
    /// For each text with one (text in the chunk), its place among them.
    pub(super) of: Vec<(usize, usize)>,
}

impl Ends {
    /// Those of the live nodes.
    pub(super) fn new(tree: &PrefixTree, numbered: &Numbered) -> Self {
        let all = tree.all();
        let (nodes, of) = ends_where(tree, |end| all[end as usize].live);
        Self {
            seen: numbered.plan(tree, &nodes),
            rows: nodes.iter().map(|&end| numbered.row(end)).collect(),
            of,
        }
    }
}
