//! Who sees whom, cut into blocks of queries.

use std::ops::Range;

/// Queries of a block in a plan for a tree.
const QUERIES: usize = 32;
/// What is added to the score of a key that a query does not see: its probability is 0 then.
const UNSEEN: f32 = -1e30;

/// Blocks of queries that follow each other, and the keys that each block sees.
///
/// Keys are numbered through two matrices: first the common ones, then the plan's own.
#[derive(Clone, Debug)]
pub struct AttentionPlan {
    queries: usize,
    common: usize,
    own: usize,
    learned: bool,
    blocks: Vec<QueryBlock>,
    keys: Vec<u32>,
    /// For each of `keys`, where the block's part of its gradient goes.
    places: Vec<Place>,
    masks: Vec<f32>,
    seen: Vec<u32>,
    shared: Vec<SharedKey>,
    slots: usize,
    unseen: Vec<u32>,
}

/// Some queries that are dealt with together.
#[derive(Clone, Debug)]
pub(super) struct QueryBlock {
    pub(super) query: usize,
    pub(super) queries: usize,
    keys: Range<usize>,
    /// First of its numbers in `masks` and in `seen`, where not every query sees every key.
    mask: Option<[usize; 2]>,
}

/// Where the gradient of a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nobody wants it.
    Nowhere,
    /// To its row among the own keys: no other block sees it.
    Own(u32),
    /// To a slot of the parts that are summed afterwards.
    Slot(u32),
}

/// A key that several blocks see.
#[derive(Clone, Debug)]
pub(super) struct SharedKey {
    pub(super) key: usize,
    pub(super) slots: Range<usize>,
}

impl AttentionPlan {
    /// `n` images: the first `queries` of an image's `tokens` rows ask, all of an image's queries
    /// see all of its tokens and all `common` keys, whose gradient is wanted.
    ///
    /// Query rows are those of the tokens that ask, image by image.
    ///
    /// # Panics
    /// When no token or more than all of an image ask.
    pub fn images(n: usize, queries: usize, tokens: usize, common: usize) -> Self {
        assert!(
            n == 0 || (1..=tokens).contains(&queries),
            "{queries} of {tokens} tokens ask"
        );
        let mut plan = Self::empty(n * queries, common, n * tokens, true);
        for image in 0..n {
            let first = plan.keys.len();
            plan.keys.extend(0..common as u32);
            plan.keys
                .extend((0..tokens).map(|token| (common + image * tokens + token) as u32));
            plan.blocks.push(QueryBlock {
                query: image * queries,
                queries,
                keys: first..plan.keys.len(),
                mask: None,
            });
        }
        plan.place_gradients();
        plan
    }

    /// Queries whose keys are given one by one, in ascending order; the first `fixed` keys are
    /// constant.
    ///
    /// # Panics
    /// When a query has no key, a key is not there, or keys do not ascend.
    pub fn tree<'a>(
        keys_of: impl IntoIterator<Item = &'a [u32]>,
        fixed: usize,
        live: usize,
    ) -> Self {
        let keys_of: Vec<&[u32]> = keys_of.into_iter().collect();
        let mut plan = Self::empty(keys_of.len(), fixed, live, false);
        for (block, lists) in keys_of.chunks(QUERIES).enumerate() {
            for keys in lists {
                assert!(!keys.is_empty(), "a query without keys");
                assert!(keys.is_sorted_by(|a, b| a < b), "keys of a query ascend");
            }
            let mut union: Vec<u32> = lists.concat();
            union.sort_unstable();
            union.dedup();
            let last = union.last().map_or(0, |key| *key as usize);
            assert!(last < fixed + live, "a key that is not there");
            let first = plan.keys.len();
            let mask = plan.masks.len();
            for key in &union {
                let sees = |keys: &&[u32]| {
                    if keys.binary_search(key).is_ok() {
                        0.0
                    } else {
                        UNSEEN
                    }
                };
                let row = lists.iter().map(sees);
                plan.masks
                    .extend(row.chain(std::iter::repeat(0.0)).take(QUERIES));
            }
            let seen = plan.seen.len();
            for keys in union.chunks(u32::BITS as usize) {
                let sees = |list: &&[u32]| {
                    let sees = |(i, key)| u32::from(list.binary_search(key).is_ok()) << i;
                    keys.iter().enumerate().map(sees).sum()
                };
                let row = lists.iter().map(sees);
                plan.seen
                    .extend(row.chain(std::iter::repeat(0)).take(QUERIES));
            }
            plan.keys.extend(union);
            plan.blocks.push(QueryBlock {
                query: block * QUERIES,
                queries: lists.len(),
                keys: first..plan.keys.len(),
                mask: Some([mask, seen]),
            });
        }
        plan.place_gradients();
        plan
    }

    fn empty(queries: usize, common: usize, own: usize, learned: bool) -> Self {
        Self {
            queries,
            common,
            own,
            learned,
            blocks: Vec::new(),
            keys: Vec::new(),
            places: Vec::new(),
            masks: Vec::new(),
            seen: Vec::new(),
            shared: Vec::new(),
            slots: 0,
            unseen: Vec::new(),
        }
    }

    /// Keys that one block sees have their gradient written by it; for the others, every block
    /// that sees one has a slot of its own, in the order of blocks.
    fn place_gradients(&mut self) {
        let mut seen = vec![0u32; self.common + self.own];
        for &key in &self.keys {
            seen[key as usize] += 1;
        }
        let mut next = vec![0; seen.len()];
        for (key, &count) in seen.iter().enumerate() {
            let own = key >= self.common;
            if own && count == 0 {
                self.unseen.push((key - self.common) as u32);
            }
            if (own && count > 1) || (!own && self.learned && count > 0) {
                next[key] = self.slots;
                self.slots += count as usize;
                self.shared.push(SharedKey {
                    key,
                    slots: next[key]..self.slots,
                });
            }
        }
        self.places = Vec::with_capacity(self.keys.len());
        for &key in &self.keys {
            let index = key as usize;
            let place = if index < self.common && !self.learned {
                Place::Nowhere
            } else if index >= self.common && seen[index] == 1 {
                Place::Own((index - self.common) as u32)
            } else {
                next[index] += 1;
                Place::Slot(next[index] as u32 - 1)
            };
            self.places.push(place);
        }
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// Bytes that the lists take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.keys.as_slice())
            + size_of_val(self.places.as_slice())
            + size_of_val(self.masks.as_slice())
            + size_of_val(self.seen.as_slice())
            + size_of_val(self.shared.as_slice())
            + size_of_val(self.blocks.as_slice())
            + size_of_val(self.unseen.as_slice())
    }

    pub(super) fn common(&self) -> usize {
        self.common
    }

    pub(super) fn own(&self) -> usize {
        self.own
    }

    pub(super) fn common_is_learned(&self) -> bool {
        self.learned
    }

    pub(super) fn blocks(&self) -> &[QueryBlock] {
        &self.blocks
    }

    pub(super) fn keys(&self, block: &QueryBlock) -> &[u32] {
        &self.keys[block.keys.clone()]
    }

    pub(super) fn places(&self, block: &QueryBlock) -> &[Place] {
        &self.places[block.keys.clone()]
    }

    /// What is added to the scores of each key, for the queries of the block; none where every
    /// query sees every key. A block with a mask has at most 32 queries.
    pub(super) fn mask(&self, block: &QueryBlock) -> Option<&[[f32; QUERIES]]> {
        let [first, _] = block.mask?;
        let numbers = &self.masks[first..][..block.keys.len() * QUERIES];
        Some(numbers.as_chunks().0)
    }

    /// Which of each 32 keys each query of the block sees, a bit a key; none where every query sees
    /// every key.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn seen(&self, block: &QueryBlock) -> Option<&[u32]> {
        let [_, first] = block.mask?;
        let count = block.keys.len().div_ceil(u32::BITS as usize) * QUERIES;
        Some(&self.seen[first..][..count])
    }

    pub(super) fn shared(&self) -> &[SharedKey] {
        &self.shared
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn unseen(&self) -> &[u32] {
        &self.unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_share_the_common_keys_alone() {
        let plan = AttentionPlan::images(2, 1, 3, 2);
        assert_eq!(plan.keys(&plan.blocks[1]), [0, 1, 5, 6, 7]);
        let own: Vec<Place> = (3..6).map(Place::Own).collect();
        assert_eq!(plan.places(&plan.blocks[1])[2..], own);
        assert_eq!(
            plan.places(&plan.blocks[1])[..2],
            [Place::Slot(1), Place::Slot(3)]
        );
        assert_eq!((plan.slots(), plan.shared.len()), (4, 2));
    }

    #[test]
    fn fixed_keys_of_a_tree_want_no_gradient() {
        let plan = AttentionPlan::tree([&[0, 1][..], &[0, 2]], 1, 3);
        assert_eq!(plan.keys(&plan.blocks[0]), [0, 1, 2]);
        assert_eq!(
            plan.places(&plan.blocks[0]),
            [Place::Nowhere, Place::Own(0), Place::Own(1)]
        );
        let mask = plan.mask(&plan.blocks[0]).unwrap();
        assert_eq!(mask[1][..2], [0.0, UNSEEN]);
        assert_eq!(plan.unseen(), [2]);
    }

    #[test]
    fn a_key_of_several_blocks_has_a_slot_for_each() {
        let lists: Vec<Vec<u32>> = (0..70).map(|i| vec![0, 1 + i]).collect();
        let plan = AttentionPlan::tree(lists.iter().map(Vec::as_slice), 0, 71);
        assert_eq!(plan.blocks.len(), 3);
        assert_eq!((plan.slots(), plan.shared[0].slots.clone()), (3, 0..3));
        assert_eq!(plan.places(&plan.blocks[2])[0], Place::Slot(2));
    }
}
