//! Byte-pair encoding of one piece of text.
//!
//! Published rule: as long as some neighbouring pair of symbols is in the merge list, take the
//! pair of the lowest rank and merge all its occurrences from left to right. Done here with a
//! linked list over the symbols and a heap of candidate pairs, so that a piece of `n` bytes
//! costs `n log n` and a very long one is no trap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Inner number of a symbol; vocabulary ids come from it by a table of the tokenizer.
pub(super) type Symbol = u32;

/// What each pair of symbols becomes, and how early.
#[derive(Debug, Clone, Default)]
pub(super) struct Merges {
    /// Pair to (rank, merged symbol).
    pairs: HashMap<(Symbol, Symbol), (u32, Symbol)>,
}

/// The end of the list.
const END: usize = usize::MAX;

impl Merges {
    /// Adds the merge of `pair` into `merged` at `rank`. A pair given twice keeps the later rank,
    /// as a dictionary built from the list does.
    pub(super) fn insert(&mut self, pair: (Symbol, Symbol), rank: u32, merged: Symbol) {
        self.pairs.insert(pair, (rank, merged));
    }

    /// Merges `symbols` until no neighbouring pair is in the list.
    pub(super) fn apply(&self, symbols: &mut Vec<Symbol>) {
        let n = symbols.len();
        if n < 2 {
            return;
        }
        let mut next: Vec<usize> = (1..=n).map(|i| if i == n { END } else { i }).collect();
        let mut prev: Vec<usize> = (0..n).map(|i| i.wrapping_sub(1)).collect(); // 0 - 1 == END
        let mut alive = vec![true; n];
        // Lowest rank first, and within a rank from left to right.
        let mut heap: BinaryHeap<Reverse<(u32, usize)>> = (0..n - 1)
            .filter_map(|i| {
                self.rank(symbols[i], symbols[i + 1])
                    .map(|rank| Reverse((rank, i)))
            })
            .collect();
        let mut touched = Vec::new();
        while let Some(&Reverse((rank, _))) = heap.peek() {
            // One pass over all occurrences of the best pair; pairs that it creates wait for the
            // next one, even those of a lower rank.
            touched.clear();
            while let Some(&Reverse((same, at))) = heap.peek()
                && same == rank
            {
                heap.pop();
                let after = next[at];
                if !alive[at] || after == END {
                    continue;
                }
                let Some(&(now, merged)) = self.pairs.get(&(symbols[at], symbols[after])) else {
                    continue;
                };
                if now != rank {
                    continue; // a stale candidate: one of the two has changed since
                }
                symbols[at] = merged;
                alive[after] = false;
                next[at] = next[after];
                if next[at] != END {
                    prev[next[at]] = at;
                }
                touched.push(at);
            }
            for &at in &touched {
                if !alive[at] {
                    continue;
                }
                for left in [prev[at], at] {
                    if left != END
                        && next[left] != END
                        && let Some(rank) = self.rank(symbols[left], symbols[next[left]])
                    {
                        heap.push(Reverse((rank, left)));
                    }
                }
            }
        }
        let mut at = 0;
        symbols.retain(|_| {
            at += 1;
            alive[at - 1]
        });
    }

    fn rank(&self, left: Symbol, right: Symbol) -> Option<u32> {
        self.pairs.get(&(left, right)).map(|&(rank, _)| rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published rule, word for word.
    fn by_passes(merges: &Merges, symbols: &[Symbol]) -> Vec<Symbol> {
        let mut symbols = symbols.to_vec();
        loop {
            let best = symbols
                .windows(2)
                .filter_map(|pair| merges.pairs.get(&(pair[0], pair[1])).map(|m| (m.0, pair)))
                .min_by_key(|(rank, _)| *rank)
                .map(|(_, pair)| (pair[0], pair[1]));
            let Some(best) = best else { return symbols };
            let merged = merges.pairs[&best].1;
            let mut out = Vec::new();
            let mut i = 0;
            while i < symbols.len() {
                if i + 1 < symbols.len() && (symbols[i], symbols[i + 1]) == best {
                    out.push(merged);
                    i += 2;
                } else {
                    out.push(symbols[i]);
                    i += 1;
                }
            }
            symbols = out;
        }
    }

    #[test]
    fn equals_the_published_passes_on_random_merges() {
        let mut state = 1_u64;
        let mut random = |n: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for _ in 0..500 {
            let mut merges = Merges::default();
            for rank in 0..12 {
                let pair = (random(4 + rank) as Symbol, random(4 + rank) as Symbol);
                if !merges.pairs.contains_key(&pair) {
                    merges.insert(pair, rank as u32, 4 + rank as Symbol);
                }
            }
            let text: Vec<Symbol> = (0..random(40)).map(|_| random(4) as Symbol).collect();
            let mut fast = text.clone();
            merges.apply(&mut fast);
            assert_eq!(fast, by_passes(&merges, &text), "{text:?} with {merges:?}");
        }
    }

    #[test]
    fn a_run_of_one_symbol_merges_from_the_left() {
        let mut merges = Merges::default();
        merges.insert((0, 0), 0, 1);
        let mut symbols = vec![0; 5];
        merges.apply(&mut symbols);
        assert_eq!(symbols, [1, 1, 0]);
    }
}
