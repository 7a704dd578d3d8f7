//! Live nodes from the block on where each text has learned rows of its own.
//!
//! Before that block nodes are shared by all texts that begin alike; from there on each text has its
//! own. A word that was shared goes on as so many copies, and their gradients are added up again.

use vlpt_kernels::{AttentionPlan, Buffer, add};

use super::nodes::{Numbered, keys};
use crate::text::TextTower;
use crate::text::tree::{PrefixTree, PromptToken};

/// The live nodes of texts that are told apart.
#[derive(Debug)]
pub(super) struct Apart {
    /// The block whose input they are the first time.
    pub(super) block: usize,
    /// What dropout knows each by.
    pub(super) keys: Vec<u64>,
    /// Row among the nodes, and row of the values of all texts, of each learned node.
    learned: Vec<u32>,
    rows: Vec<u32>,
    /// Of each word: its row among the nodes, and its place among the words that are shared.
    words: Vec<u32>,
    shared: Vec<u32>,
    /// What every node sees.
    pub(super) seen: AttentionPlan,
}

impl Apart {
    /// `texts` are those of `tree` told apart; the shared ones are the words `shared_words` of
    /// `shared_tree`, whose texts are in the same order.
    pub(super) fn new(
        block: usize,
        (tree, texts): (&PrefixTree, &[Vec<PromptToken>]),
        numbered: &Numbered,
        (shared_tree, shared_texts): (&PrefixTree, &[Vec<PromptToken>]),
        shared_words: &[u32],
    ) -> Self {
        // the shared node of each node
        let mut shared_of = vec![u32::MAX; tree.nodes()];
        for (text, shared_text) in texts.iter().zip(shared_texts) {
            let (mut node, mut shared) = (None, None);
            for (&token, &shared_token) in text.iter().zip(shared_text) {
                node = tree.child(node, token);
                shared = shared_tree.child(shared, shared_token);
                if let (Some(node), Some(shared)) = (node, shared) {
                    shared_of[node as usize] = shared;
                }
            }
        }
        let all = tree.all();
        let keys = keys(tree);
        let (mut learned, mut rows, mut words, mut shared) = (vec![], vec![], vec![], vec![]);
        for (row, &node) in (0..).zip(&numbered.live) {
            match all[node as usize].token {
                PromptToken::Learned(own) => {
                    learned.push(row);
                    rows.push(own);
                }
                PromptToken::Token(_) => {
                    words.push(row);
                    let of = shared_of[node as usize];
                    // both in ascending order of the nodes
                    shared.push(shared_words.partition_point(|&word| word < of) as u32);
                }
            }
        }
        Self {
            block,
            keys: numbered
                .live
                .iter()
                .map(|&node| keys[node as usize])
                .collect(),
            learned,
            rows,
            words,
            shared,
            seen: numbered.plan(tree, &numbered.live),
        }
    }

    /// Number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.keys.len()
    }

    /// The nodes at the input of the block: copies of the shared words, and each text's rows of
    /// `values`.
    pub(super) fn enter(&self, tower: &TextTower, words: &[f32], values: &[f32]) -> Buffer<f32> {
        let w = tower.width;
        let mut x = tower.arena.floats(self.nodes() * w);
        let mut put = |row: u32, from: &[f32], place: u32| {
            x[row as usize * w..][..w].copy_from_slice(&from[place as usize * w..][..w]);
        };
        for (&row, &place) in self.words.iter().zip(&self.shared) {
            put(row, words, place);
        }
        for (&row, &own) in self.learned.iter().zip(&self.rows) {
            put(row, values, own);
        }
        x
    }

    /// The gradient of the `shared` words, given that of the nodes at the input of the block; adds
    /// that of the values.
    pub(super) fn leave(
        &self,
        tower: &TextTower,
        dx: &[f32],
        shared: usize,
        d_values: &mut [f32],
    ) -> Buffer<f32> {
        let w = tower.width;
        let mut d_words = tower.arena.floats(shared * w);
        d_words.fill(0.0);
        let of = |row: u32| &dx[row as usize * w..][..w];
        for (&row, &place) in self.words.iter().zip(&self.shared) {
            add(&mut d_words[place as usize * w..][..w], of(row));
        }
        for (&row, &own) in self.learned.iter().zip(&self.rows) {
            add(&mut d_values[own as usize * w..][..w], of(row));
        }
        d_words
    }
}
