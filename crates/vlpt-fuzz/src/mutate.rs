//! Small changes to an input, the same ones for the same number.

/// Numbers that readers of lengths, offsets and counts trip over.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Pieces that text formats trip over.
const WORDS: [&[u8]; 12] = [
    b"\"",
    b"{",
    b"[[",
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"\\u0000",
    b"../",
    b"\0",
    b"\r\n",
    b"\xff\xfe",
];

/// Changes inputs at random places of a fixed sequence (xorshift of 64 bits).
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// The sequence that `number` names.
    pub fn new(number: u64) -> Self {
        Self(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Changes `input` in one to four places.
    pub fn mutate(&mut self, input: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            self.change(input);
        }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            input.push(self.next() as u8);
            return;
        }
        let at = self.below(input.len());
        let length = 1 + self.below((input.len() - at).min(64));
        match self.below(9) {
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = self.next() as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(at..at + length)),
            4 => {
                let copy = input[at..at + length].to_vec();
                let to = self.below(input.len());
                input.splice(to..to, copy);
            }
            5 => {
                let value = EDGES[self.below(EDGES.len())];
                let width = [1, 2, 4, 8][self.below(4)];
                let bytes = if self.below(2) == 0 {
                    value.to_le_bytes()[..width].to_vec()
                } else {
                    value.to_be_bytes()[8 - width..].to_vec()
                };
                for (to, byte) in input[at..].iter_mut().zip(bytes) {
                    *to = byte;
                }
            }
            6 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
            7 => input[at..at + length].fill(0),
            _ => {
                let other = self.below(input.len());
                input.swap(at, other);
            }
        }
    }
}

/// `count` mutants of these seeds, by turns.
pub fn mutants(seeds: &[Vec<u8>], count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).filter_map(move |number| {
        let mut input = seeds.get(number % seeds.len().max(1))?.clone();
        Mutator::new(number as u64).mutate(&mut input);
        Some(input)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_from_the_seed_and_are_the_same_again() {
        let seeds = [b"a seed of some length".to_vec()];
        let first: Vec<_> = mutants(&seeds, 100).collect();
        let again: Vec<_> = mutants(&seeds, 100).collect();
        assert_eq!(first, again);
        let changed = first.iter().filter(|input| **input != seeds[0]).count();
        assert!(changed > 90, "only {changed} of 100 differ");
    }
}
