//! From texts to a chunk: its tree is cut into what is constant, which goes through the tower here, and
//! what is live.

use vlpt_kernels::{AttentionPlan, Buffer, Matrix, hash};

use super::{Chunk, Constant, LiveNode};
use crate::adaptation::Updates;
use crate::text::TextTower;
use crate::text::options::TextPlanOptions;
use crate::text::tree::{PrefixTree, PromptToken};
use crate::transformer::{Adapting, QueryRows};

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

    /// The numbers of the branch of each node given, as far as they have one.
    fn branches(&self, tree: &PrefixTree, of: &[u32]) -> Vec<Vec<u32>> {
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

fn attention_plan(branches: &[Vec<u32>], fixed: usize, live: usize) -> AttentionPlan {
    AttentionPlan::tree(branches.iter().map(Vec::as_slice), fixed, live)
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
fn ends_where(tree: &PrefixTree, pick: impl Fn(u32) -> bool) -> (Vec<u32>, Vec<(usize, usize)>) {
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
fn keys(tree: &PrefixTree) -> Vec<u64> {
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

impl Chunk {
    pub(in crate::text) fn new(
        tower: &TextTower,
        options: TextPlanOptions,
        first: usize,
        texts: &[Vec<PromptToken>],
    ) -> Self {
        let tree = PrefixTree::of_kind(options.tree(), texts);
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
        let plan = |of: &[u32]| attention_plan(&order.branches(&tree, of), kept, live.len());
        let word = |node: &u32| matches!(all[*node as usize].token, PromptToken::Token(_));
        let word_nodes: Vec<u32> = live.iter().copied().filter(word).collect();
        let has_learned = word_nodes.len() < live.len();
        let seen_by_words = (has_learned && options.blocks > 1).then(|| plan(&word_nodes));
        let seen_among_words = (has_learned && options.start() < options.first).then(|| {
            let order = Numbering::new(word_nodes.clone(), all.len());
            let branches = order.branches(&tree, &word_nodes);
            attention_plan(&branches, 0, word_nodes.len())
        });
        let row = |node: u32| order.number[node as usize] - kept as u32;
        let words: Vec<u32> = word_nodes.iter().map(|&node| row(node)).collect();
        let keys = keys(&tree);
        let live_node = |&node: &u32| LiveNode {
            token: all[node as usize].token,
            position: all[node as usize].position,
            key: keys[node as usize],
        };
        let nodes: Vec<LiveNode> = live.iter().map(live_node).collect();
        let learned = |(row, node): (usize, &LiveNode)| match node.token {
            PromptToken::Learned(prompt) => Some((row as u32, prompt)),
            PromptToken::Token(_) => None,
        };
        let (learned, prompts) = nodes.iter().enumerate().filter_map(learned).unzip();
        let entry = if options.start() > 0 && !word_nodes.is_empty() {
            entry(tower, options.start(), &tree, texts, &word_nodes)
        } else {
            Vec::new()
        };
        let mut chunk = Self {
            options,
            first,
            texts: texts.len(),
            constant: Constant::default(),
            learned,
            prompts,
            words,
            entry,
            seen: plan(&live),
            seen_by_words,
            seen_among_words,
            seen_by_ends: plan(&ends),
            ends: ends.iter().map(|&end| row(end)).collect(),
            end_of,
            live: nodes,
        };
        chunk.compute_constant(tower, &tree, constant, kept);
        chunk
    }

    /// Sends the constant nodes through the tower, the first `kept` of which live nodes see.
    fn compute_constant(
        &mut self,
        tower: &TextTower,
        tree: &PrefixTree,
        nodes: Vec<u32>,
        kept: usize,
    ) {
        if nodes.is_empty() {
            let none = |_| tower.no_keys();
            self.constant.keys = tower.blocks.iter().map(none).collect();
            return;
        }
        let (all, start) = (tree.all(), self.options.start());
        let x = tower.embedded(tree, &nodes);
        let order = Numbering::new(nodes, all.len());
        let n = order.nodes.len();
        let (ends, end_of) = ends_where(tree, |end| !all[end as usize].live);
        let below = attention_plan(&order.branches(tree, &order.nodes), 0, n);
        let end_below = attention_plan(&order.branches(tree, &ends), 0, n);
        let ends: Vec<u32> = ends.iter().map(|&end| order.number[end as usize]).collect();
        let first_kept: Vec<u32> = (0..kept as u32).collect();
        let no_updates = Updates::default();
        let mut keep = |l: usize, keys: &Matrix| {
            self.constant.keys.push(if l < start {
                tower.no_keys()
            } else {
                Matrix::gather(&tower.arena, keys, &first_kept)
            });
        };
        let mut x = x;
        for (l, block) in tower.blocks.iter().enumerate() {
            let last = l + 1 == tower.blocks.len();
            let adapting = Adapting::none(&no_updates);
            if last && ends.is_empty() {
                keep(l, &block.keys(&tower.arena, &x, adapting));
                continue;
            }
            let query_rows = if last {
                QueryRows::Rows(&ends)
            } else {
                QueryRows::All
            };
            let attention = tower.attention(if last { &end_below } else { &below });
            let attend = |q: &Matrix, kv: &Matrix, out: &mut Matrix| {
                keep(l, kv);
                attention.forward(q, kv, &tower.no_keys(), out);
            };
            (x, _) = block.forward(&tower.arena, x, query_rows, None, adapting, attend);
        }
        if !ends.is_empty() {
            let (w, embed) = (tower.width, tower.head.embed());
            let features = tower.head.forward(&x, None);
            for (text, place) in end_of {
                self.constant.texts.push(text);
                self.constant.last.extend(&x[place * w..][..w]);
                let feature = &features[place * embed..][..embed];
                self.constant.features.extend(feature);
            }
        }
    }
}

/// The words `words` of a tree of texts at the input of block `start`, before which nothing is
/// learned: words x width. Texts whose words are equal share these blocks, whatever is to be inserted
/// in them.
fn entry(
    tower: &TextTower,
    start: usize,
    tree: &PrefixTree,
    texts: &[Vec<PromptToken>],
    words: &[u32],
) -> Vec<f32> {
    let is_word = |token: &PromptToken| matches!(token, PromptToken::Token(_));
    let plain: Vec<Vec<PromptToken>> = texts
        .iter()
        .map(|text| text.iter().copied().filter(is_word).collect())
        .collect();
    let plain = PrefixTree::new(&plain);
    // the plain node of each node, which for a learned one is that before it
    let mut place: Vec<Option<u32>> = Vec::with_capacity(tree.nodes());
    for node in tree.all() {
        let before = node.parent.and_then(|parent| place[parent as usize]);
        place.push(match node.token {
            PromptToken::Token(_) => plain.child(before, node.token),
            PromptToken::Learned(_) => before,
        });
    }
    let nodes: Vec<u32> = (0..plain.nodes() as u32).collect();
    let mut x = tower.embedded(&plain, &nodes);
    let branches: Vec<Vec<u32>> = nodes.iter().map(|&node| plain.branch(node)).collect();
    let below = attention_plan(&branches, 0, nodes.len());
    let attention = tower.attention(&below);
    let no_updates = Updates::default();
    for block in &tower.blocks[..start] {
        let adapting = Adapting::none(&no_updates);
        let attend = |q: &Matrix, kv: &Matrix, out: &mut Matrix| {
            attention.forward(q, kv, &tower.no_keys(), out);
        };
        (x, _) = block.forward(&tower.arena, x, QueryRows::All, None, adapting, attend);
    }
    let w = tower.width;
    let state = |word: &u32| {
        let node = place[*word as usize].expect("every word is in the tree of words");
        &x[node as usize * w..][..w]
    };
    words.iter().flat_map(state).copied().collect()
}

impl TextTower {
    /// Nodes at the input of the first block, all of them words.
    fn embedded(&self, tree: &PrefixTree, nodes: &[u32]) -> Buffer<f32> {
        let mut x = self.arena.floats(nodes.len() * self.width);
        for (x, &node) in x.chunks_exact_mut(self.width).zip(nodes) {
            let node = tree.all()[node as usize];
            self.embed(node.token, node.position, &[], x);
        }
        x
    }
}
