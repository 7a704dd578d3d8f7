//! From texts to a chunk: its tree is cut into what is constant, which goes through the tower here, and
//! what is live.

use vlpt_kernels::{Buffer, Matrix};

use super::apart::Apart;
use super::nodes::{Ends, Numbered, Numbering, attention_plan, ends_where, keys};
use super::{Chunk, Constant, LiveNode};
use crate::adaptation::Updates;
use crate::text::TextTower;
use crate::text::options::TextPlanOptions;
use crate::text::tree::{PrefixTree, PromptToken};
use crate::transformer::{Adapting, QueryRows};

impl Chunk {
    pub(in crate::text) fn new(
        tower: &TextTower,
        options: TextPlanOptions,
        first: usize,
        texts: &[Vec<PromptToken>],
    ) -> Self {
        let tree = PrefixTree::of_kind(options.tree(), texts);
        let all = tree.all();
        let numbered = Numbered::new(&tree);
        let live = &numbered.live;
        let word = |node: &u32| matches!(all[*node as usize].token, PromptToken::Token(_));
        let word_nodes: Vec<u32> = live.iter().copied().filter(word).collect();
        let has_learned = word_nodes.len() < live.len();
        let text_rows = options.text_rows.filter(|_| has_learned);
        let replaced = has_learned && (options.blocks > 1 || text_rows.is_some());
        let seen_by_words = replaced.then(|| numbered.plan(&tree, &word_nodes));
        let seen_among_words = (has_learned && options.start() < options.first).then(|| {
            let order = Numbering::new(word_nodes.clone(), all.len());
            let branches = order.branches(&tree, &word_nodes);
            attention_plan(&branches, 0, word_nodes.len())
        });
        let words: Vec<u32> = word_nodes.iter().map(|&node| numbered.row(node)).collect();
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
        // with rows of each text's own, it is its own nodes that go on to its end
        let own = text_rows.map(|at| {
            let own_texts = options.apart(texts, first);
            let own_tree = PrefixTree::of_kind(options.tree(), &own_texts);
            let numbered = Numbered::new(&own_tree);
            let own = (&own_tree, &*own_texts);
            let apart = Apart::new(at.block, own, &numbered, (&tree, texts), &word_nodes);
            let ends = Ends::new(&own_tree, &numbered);
            (apart, ends)
        });
        let (apart, ends) = match own {
            Some((apart, ends)) => (Some(apart), ends),
            None => (None, Ends::new(&tree, &numbered)),
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
            seen: numbered.plan(&tree, live),
            seen_by_words,
            seen_among_words,
            apart,
            ends,
            live: nodes,
        };
        chunk.compute_constant(tower, &tree, numbered.constant, numbered.kept);
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
