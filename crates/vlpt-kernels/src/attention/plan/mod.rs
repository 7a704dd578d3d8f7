//! Who sees whom, cut into blocks of queries.

mod tree;

use std::ops::Range;

use tree::QUERIES;

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
    runs: Vec<Run>,
    keys: Vec<u32>,
    /// For each of `keys`, where the block's part of its gradient goes.
    places: Vec<Place>,
    /// Who sees whom in runs where not every query sees every key, both ways: a bit a query, and a bit
    /// a key.
    seers: Vec<u32>,
    seen: Vec<u32>,
    shared: Vec<SharedKey>,
    slots: usize,
    unseen: Vec<u32>,
}

/// Some queries that are dealt with together, in runs.
#[derive(Clone, Debug)]
pub(super) struct QueryBlock {
    pub(super) query: usize,
    pub(super) queries: usize,
    /// The keys for all of its runs.
    pub(super) keys: Range<usize>,
    runs: Range<usize>,
}

/// Queries of a block that see the block's keys and some more, those for the run alone.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its place in the block.
    pub(super) queries: Range<usize>,
    pub(super) keys: Range<usize>,
    /// First of its words in `seers` and in `seen`, where not every query sees every key. It has at
    /// most 32 queries then.
    words: Option<[usize; 2]>,
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
            let end = plan.keys.len();
            plan.runs.push(Run {
                queries: 0..queries,
                keys: end..end,
                words: None,
            });
            plan.blocks.push(QueryBlock {
                query: image * queries,
                queries,
                keys: first..end,
                runs: image..image + 1,
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
            runs: Vec::new(),
            keys: Vec::new(),
            places: Vec::new(),
            seers: Vec::new(),
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
            + size_of_val(self.seers.as_slice())
            + size_of_val(self.seen.as_slice())
            + size_of_val(self.shared.as_slice())
            + size_of_val(self.blocks.as_slice())
            + size_of_val(self.runs.as_slice())
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

    pub(super) fn runs(&self, block: &QueryBlock) -> &[Run] {
        &self.runs[block.runs.clone()]
    }

    /// The keys of a block, or those of a run.
    pub(super) fn keys(&self, of: &Range<usize>) -> &[u32] {
        &self.keys[of.clone()]
    }

    pub(super) fn places(&self, of: &Range<usize>) -> &[Place] {
        &self.places[of.clone()]
    }

    /// Which of the run's queries see each key of the block and then of the run, a bit a query; none
    /// where every query sees every key. Queries that are not there see all.
    pub(super) fn seers(&self, block: &QueryBlock, run: &Run) -> Option<&[u32]> {
        let [first, _] = run.words?;
        Some(&self.seers[first..][..block.keys.len() + run.keys.len()])
    }

    /// Which of each 32 keys of the block and then of the run each query of the run sees, a bit a
    /// key; none where every query sees every key.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn seen(&self, block: &QueryBlock, run: &Run) -> Option<&[u32]> {
        let [_, first] = run.words?;
        let count = |keys: &Range<usize>| keys.len().div_ceil(u32::BITS as usize) * QUERIES;
        Some(&self.seen[first..][..count(&block.keys) + count(&run.keys)])
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
        assert_eq!(plan.keys(&plan.blocks[1].keys), [0, 1, 5, 6, 7]);
        let own: Vec<Place> = (3..6).map(Place::Own).collect();
        assert_eq!(plan.places(&plan.blocks[1].keys)[2..], own);
        assert_eq!(
            plan.places(&plan.blocks[1].keys)[..2],
            [Place::Slot(1), Place::Slot(3)]
        );
        assert_eq!((plan.slots(), plan.shared.len()), (4, 2));
    }
}
