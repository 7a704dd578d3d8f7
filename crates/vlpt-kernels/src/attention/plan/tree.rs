//! Plans of trees: which queries are dealt with together, and which keys are brought for all of them.

use std::ops::Range;

use super::{AttentionPlan, QueryBlock, Run};

/// Queries of a run.
pub(super) const QUERIES: usize = 32;
/// Most runs of a block. What several of them see is read, and its gradient written, once for a block;
/// but a block is what a thread does at once, and there should be work for all threads.
const RUNS: usize = 4;
/// Keys that are dealt with at once: fewer cost as much.
const KEYS: usize = u32::BITS as usize;

/// The keys of the runs of a block, each list in ascending order.
struct Keys {
    /// For all of them.
    block: Vec<u32>,
    /// For each alone.
    runs: Vec<Vec<u32>>,
}

impl AttentionPlan {
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
        for keys in &keys_of {
            assert!(!keys.is_empty(), "a query without keys");
            assert!(keys.is_sorted_by(|a, b| a < b), "keys of a query ascend");
            let last = keys.last().map_or(0, |key| *key as usize);
            assert!(last < fixed + live, "a key that is not there");
        }
        let mut plan = Self::empty(keys_of.len(), fixed, live, false);
        let runs: Vec<&[&[u32]]> = keys_of.chunks(QUERIES).collect();
        let unions: Vec<Vec<u32>> = runs.iter().map(|run| union(run)).collect();
        let mut first = 0;
        while first < runs.len() {
            let keys = Keys::of_block(&unions[first..]);
            let end = first + keys.runs.len();
            plan.add_block(first * QUERIES, &runs[first..end], &keys);
            first = end;
        }
        plan.place_gradients();
        plan
    }

    /// Adds a block that begins with query `query`, given the keys of each query of its runs.
    fn add_block(&mut self, query: usize, runs: &[&[&[u32]]], keys: &Keys) {
        let first = self.runs.len();
        let block = self.add_keys(&keys.block);
        for (i, (lists, own)) in runs.iter().zip(&keys.runs).enumerate() {
            let words = [self.seers.len(), self.seen.len()];
            for keys in [&keys.block, own] {
                self.add_words(lists, keys);
            }
            let keys = self.add_keys(own);
            self.runs.push(Run {
                queries: i * QUERIES..i * QUERIES + lists.len(),
                keys,
                words: Some(words),
            });
        }
        self.blocks.push(QueryBlock {
            query,
            queries: runs.iter().map(|lists| lists.len()).sum(),
            keys: block,
            runs: first..self.runs.len(),
        });
    }

    fn add_keys(&mut self, keys: &[u32]) -> Range<usize> {
        let first = self.keys.len();
        self.keys.extend(keys);
        first..self.keys.len()
    }

    /// Adds which of `keys` the queries of a run see, whose lists are given.
    fn add_words(&mut self, lists: &[&[u32]], keys: &[u32]) {
        for key in keys {
            let blind =
                |(i, list): (usize, &&[u32])| u32::from(list.binary_search(key).is_err()) << i;
            let blind: u32 = lists.iter().enumerate().map(blind).sum();
            self.seers.push(!blind);
        }
        for keys in keys.chunks(KEYS) {
            let seen = |list: &&[u32]| {
                let bit = |(i, key)| u32::from(list.binary_search(key).is_ok()) << i;
                keys.iter().enumerate().map(bit).sum()
            };
            let row = lists.iter().map(seen);
            self.seen
                .extend(row.chain(std::iter::repeat(0)).take(QUERIES));
        }
    }
}

impl Keys {
    /// Of the longest block whose runs cost no more together than one by one, given what each run sees.
    fn of_block(unions: &[Vec<u32>]) -> Self {
        let alone = |runs: usize| unions[..runs].iter().map(|keys| blocks(keys)).sum();
        (2..=RUNS.min(unions.len()))
            .map(|runs| Self::together(&unions[..runs]))
            .take_while(|keys| keys.cost() <= alone(keys.runs.len()))
            .last()
            .unwrap_or_else(|| Self {
                block: Vec::new(),
                runs: vec![unions[0].clone()],
            })
    }

    /// Of these runs: those that several see are for all, and as many more as fit in for nothing and
    /// spare a run one more block.
    fn together(unions: &[Vec<u32>]) -> Self {
        let mut all = unions.concat();
        all.sort_unstable();
        let mut block: Vec<u32> = all
            .windows(2)
            .filter(|w| w[0] == w[1])
            .map(|w| w[0])
            .collect();
        block.dedup();
        let mut spare = blocks(&block) * KEYS - block.len();
        let seen_by_several = block.clone();
        let mut runs = Vec::new();
        for keys in unions {
            let mut own = keys.clone();
            own.retain(|key| seen_by_several.binary_search(key).is_err());
            let over = own.len() % KEYS;
            if over <= spare {
                spare -= over;
                block.extend(own.drain(..over));
            }
            runs.push(own);
        }
        block.sort_unstable();
        Self { block, runs }
    }

    /// Blocks of keys that the runs see, each for itself.
    fn cost(&self) -> usize {
        let own: usize = self.runs.iter().map(|keys| blocks(keys)).sum();
        self.runs.len() * blocks(&self.block) + own
    }
}

/// Blocks that hold so many keys.
fn blocks(keys: &[u32]) -> usize {
    keys.len().div_ceil(KEYS)
}

/// What at least one of the lists holds, in ascending order.
fn union(lists: &[&[u32]]) -> Vec<u32> {
    let mut union = lists.concat();
    union.sort_unstable();
    union.dedup();
    union
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn plan(lists: &[Vec<u32>], fixed: usize) -> AttentionPlan {
        let keys = 1 + lists.concat().into_iter().max().unwrap() as usize;
        AttentionPlan::tree(lists.iter().map(Vec::as_slice), fixed, keys - fixed)
    }

    #[test]
    fn fixed_keys_of_a_tree_want_no_gradient() {
        let plan = AttentionPlan::tree([&[0, 1][..], &[0, 2]], 1, 3);
        let (block, run) = (&plan.blocks[0], &plan.runs[0]);
        assert!(block.keys.is_empty());
        assert_eq!(plan.keys(&run.keys), [0, 1, 2]);
        assert_eq!(
            plan.places(&run.keys),
            [Place::Nowhere, Place::Own(0), Place::Own(1)]
        );
        let seers = plan.seers(block, run).unwrap();
        assert_eq!(seers[1], !0b10, "key 1 is not for query 1");
        assert_eq!(plan.unseen(), [2]);
    }

    #[test]
    fn what_several_runs_see_is_brought_once_for_a_block() {
        let lists: Vec<Vec<u32>> = (0..70).map(|i| vec![0, 1 + i]).collect();
        let plan = plan(&lists, 0);
        assert_eq!((plan.blocks.len(), plan.runs.len()), (1, 3));
        assert_eq!(plan.keys(&plan.blocks[0].keys)[..2], [0, 65]);
        assert_eq!(plan.keys(&plan.runs[1].keys), (33..65).collect::<Vec<_>>());
        assert!(plan.runs[2].keys.is_empty(), "the last six fit in beside 0");
        assert_eq!(plan.slots(), 0);
    }

    #[test]
    fn a_key_of_several_blocks_has_a_slot_for_each() {
        let lists: Vec<Vec<u32>> = (0..9 * 32).map(|i| vec![0, 1 + i]).collect();
        let plan = plan(&lists, 0);
        assert_eq!(plan.blocks.len(), 3);
        assert_eq!((plan.slots(), plan.shared[0].slots.clone()), (3, 0..3));
        assert_eq!(plan.places(&plan.blocks[1].keys)[0], Place::Slot(1));
        assert_eq!(plan.places(&plan.runs[8].keys)[0], Place::Slot(2));
    }

    #[test]
    fn every_query_sees_its_keys_and_no_others() {
        let mut state = 1u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for _ in 0..50 {
            let queries = 1 + random(300);
            let lists: Vec<Vec<u32>> = (0..queries)
                .map(|i| {
                    let mut keys: Vec<u32> = (0..random(20)).map(|_| random(i + 1)).collect();
                    keys.push(i);
                    keys.sort_unstable();
                    keys.dedup();
                    keys
                })
                .collect();
            let plan = plan(&lists, 0);
            let mut queries = 0;
            for block in plan.blocks() {
                for run in plan.runs(block) {
                    let all = [plan.keys(&block.keys), plan.keys(&run.keys)].concat();
                    let seers = plan.seers(block, run).unwrap();
                    for query in 0..run.queries.len() {
                        let seen = all
                            .iter()
                            .zip(seers)
                            .filter(|(_, seers)| *seers >> query & 1 == 1);
                        let mut seen: Vec<u32> = seen.map(|(key, _)| *key).collect();
                        seen.sort_unstable();
                        assert_eq!(seen, lists[block.query + run.queries.start + query]);
                        queries += 1;
                    }
                }
            }
            assert_eq!(queries, lists.len());
        }
    }
}
