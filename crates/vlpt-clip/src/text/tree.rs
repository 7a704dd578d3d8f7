//! Texts as one tree of tokens.

use std::collections::BTreeMap;

/// One place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromptToken {
    /// A token of the vocabulary.
    Token(u32),
    /// A row of the prompts matrix; a row may be used in many places.
    Learned(u32),
}

/// The texts of a step as one tree: equal beginnings are one path.
///
/// The text tower is causal, so a token's state depends on the tokens before it alone: a node of
/// the tree is computed once for all texts that go through it. Parents come before their children;
/// the position of a token is the depth of its node.
#[derive(Clone, Debug, Default)]
pub struct PrefixTree {
    kind: TreeKind,
    nodes: Vec<Node>,
    ends: Vec<u32>,
    children: BTreeMap<(Option<u32>, PromptToken), u32>,
}

/// What an adaptation makes of the nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TreeKind {
    /// Whether every node is live, since layers change that all go through.
    pub(super) all_live: bool,
    /// Whether learned tokens are inserted, and so take no position.
    pub(super) inserted: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) token: PromptToken,
    pub(super) parent: Option<u32>,
    /// Tokens before it that take a position.
    pub(super) position: u32,
    /// Whether the node or one before it is learned: what is not live is constant.
    pub(super) live: bool,
}

impl PrefixTree {
    /// Builds the tree; each text starts with the start token and ends with the end token.
    pub fn new(texts: &[Vec<PromptToken>]) -> Self {
        Self::of_kind(TreeKind::default(), texts)
    }

    pub(super) fn of_kind(kind: TreeKind, texts: &[Vec<PromptToken>]) -> Self {
        let mut tree = Self {
            kind,
            ..Self::default()
        };
        for text in texts {
            tree.insert(text);
        }
        tree
    }

    /// Number of nodes: tokens that are computed.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Number of texts.
    pub fn texts(&self) -> usize {
        self.ends.len()
    }

    /// Nodes that depend on a learned token.
    pub(super) fn live(&self) -> usize {
        self.nodes.iter().filter(|node| node.live).count()
    }

    pub(super) fn all(&self) -> &[Node] {
        &self.nodes
    }

    /// The last node of each text.
    pub(super) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The node that comes after another one, or first.
    pub(super) fn child(&self, parent: Option<u32>, token: PromptToken) -> Option<u32> {
        self.children.get(&(parent, token)).copied()
    }

    /// Nodes from the root down to `node`.
    pub(super) fn branch(&self, node: u32) -> Vec<u32> {
        let up = |&node: &u32| self.nodes[node as usize].parent;
        let mut branch: Vec<u32> = std::iter::successors(Some(node), up).collect();
        branch.reverse();
        branch
    }

    /// # Panics
    /// When the text is empty.
    fn insert(&mut self, text: &[PromptToken]) {
        assert!(!text.is_empty(), "a text without tokens");
        let mut parent = None;
        let mut position = 0;
        for &token in text {
            let next = self.nodes.len() as u32;
            let node = *self.children.entry((parent, token)).or_insert(next);
            let learned = matches!(token, PromptToken::Learned(_));
            if node == next {
                let live = self.kind.all_live
                    || learned
                    || parent.is_some_and(|parent: u32| self.nodes[parent as usize].live);
                self.nodes.push(Node {
                    token,
                    parent,
                    position,
                    live,
                });
            }
            position += u32::from(!(learned && self.kind.inserted));
            parent = Some(node);
        }
        self.ends.extend(parent);
    }

    /// Cuts texts, in order, into runs whose trees have at most `limit` live and at most `limit`
    /// constant nodes each (but at least one text): the ends of the runs.
    pub(super) fn runs(kind: TreeKind, texts: &[Vec<PromptToken>], limit: usize) -> Vec<usize> {
        let mut ends = Vec::new();
        let (mut tree, mut start) = (Self::of_kind(kind, &[]), 0);
        let (mut live, mut counted) = (0, 0);
        for (i, text) in texts.iter().enumerate() {
            tree.insert(text);
            live += tree.nodes[counted..]
                .iter()
                .filter(|node| node.live)
                .count();
            counted = tree.nodes.len();
            if live.max(counted - live) > limit && i > start {
                ends.push(i);
                tree = Self::of_kind(kind, std::slice::from_ref(text));
                start = i;
                (live, counted) = (tree.live(), tree.nodes());
            }
        }
        if !texts.is_empty() {
            ends.push(texts.len());
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: &[i32]) -> Vec<PromptToken> {
        let token = |&s: &i32| {
            if s < 0 {
                PromptToken::Learned(-s as u32)
            } else {
                PromptToken::Token(s as u32)
            }
        };
        tokens.iter().map(token).collect()
    }

    #[test]
    fn equal_beginnings_are_one_path() {
        let tree = PrefixTree::new(&[text(&[1, -1, -2, 7, 9]), text(&[1, -1, -2, 8, 9])]);
        assert_eq!((tree.nodes(), tree.texts()), (7, 2));
        assert_eq!(tree.ends(), [4, 6]);
        assert_eq!(tree.branch(6), [0, 1, 2, 5, 6]);
        assert_eq!(tree.all()[6].position, 4);
    }

    #[test]
    fn a_text_given_twice_has_one_path_and_two_ends() {
        let tree = PrefixTree::new(&[text(&[1, 5, 9]), text(&[1, 5, 9])]);
        assert_eq!((tree.nodes(), tree.ends()), (3, &[2, 2][..]));
    }

    #[test]
    fn what_comes_after_a_learned_slot_is_live() {
        let tree = PrefixTree::new(&[text(&[1, 5, -1, 9]), text(&[1, 6, 9])]);
        let live: Vec<bool> = tree.all().iter().map(|node| node.live).collect();
        assert_eq!(live, [false, false, true, true, false, false]);
        assert_eq!(tree.live(), 2);
    }

    #[test]
    fn inserted_tokens_take_no_position_and_other_kinds_of_trees_are_all_live() {
        let kind = TreeKind {
            all_live: true,
            inserted: true,
        };
        let texts = [text(&[1, -1, -2, 7, 9]), text(&[1, 5, -1, 9])];
        let tree = PrefixTree::of_kind(kind, &texts);
        let positions: Vec<u32> = tree.all().iter().map(|node| node.position).collect();
        assert_eq!(positions, [0, 1, 1, 1, 2, 1, 2, 2]);
        assert_eq!(tree.live(), tree.nodes());
        assert_eq!(tree.child(Some(0), PromptToken::Token(5)), Some(5));
    }

    #[test]
    fn runs_hold_as_many_texts_as_the_limit_allows() {
        let texts: Vec<_> = (10..20).map(|class| text(&[1, -1, class, 9])).collect();
        assert_eq!(PrefixTree::runs(TreeKind::default(), &texts, 1000), [10]);
        assert_eq!(
            PrefixTree::runs(TreeKind::default(), &texts, 7),
            [3, 6, 9, 10]
        );
        assert_eq!(
            PrefixTree::runs(TreeKind::default(), &texts, 1),
            (1..=10).collect::<Vec<_>>()
        );
        assert_eq!(PrefixTree::runs(TreeKind::default(), &[], 1), [0; 0]);
    }
}
