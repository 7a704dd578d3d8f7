//! CPython's `random.Random`, bit for bit.
//!
//! Published few-shot subsets were drawn with Python's generator, so a subset can only be drawn
//! again by the same generator: the Mersenne Twister MT19937 (Matsumoto and Nishimura, "Mersenne
//! Twister: a 623-dimensionally equidistributed uniform pseudo-random number generator", 1998) with
//! CPython's seeding and CPython's ways from random bits to a shuffle or a sample. What is here was
//! the same in every CPython since 3.2, [`CPython::sample`] and [`CPython::shuffle`] included.

use serde::{Deserialize, Serialize};

/// Words of state.
const N: usize = 624;
/// Distance between the words that are mixed.
const M: usize = 397;

/// A stream of random numbers equal to `random.Random(seed)` of CPython.
///
/// The state can be stored (serde) and goes on where it stopped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "State", try_from = "State")]
pub struct CPython {
    words: [u32; N],
    /// Next word to give out; `N` when a new block has to be made first.
    next: usize,
}

/// The stored form: the 624 words and the position, as `random.getstate()[1]` has them.
#[derive(Serialize, Deserialize)]
struct State(Vec<u32>);

impl From<CPython> for State {
    fn from(rng: CPython) -> Self {
        let mut words = rng.words.to_vec();
        words.push(rng.next as u32);
        Self(words)
    }
}

impl TryFrom<State> for CPython {
    type Error = String;

    fn try_from(state: State) -> Result<Self, String> {
        let found = state.0.len();
        let wrong = || format!("a generator's state has {} numbers, found {found}", N + 1);
        let (words, next) = state.0.split_at_checked(N).ok_or_else(wrong)?;
        let &[next] = next else { return Err(wrong()) };
        if next as usize > N {
            return Err(format!(
                "a generator's position is at most {N}, found {next}"
            ));
        }
        let words = words.try_into().map_err(|_| wrong())?;
        Ok(Self {
            words,
            next: next as usize,
        })
    }
}

impl std::fmt::Debug for CPython {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CPython")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl CPython {
    /// The stream of `random.Random(seed)`. Every seed counts, 0 too.
    pub fn new(seed: u64) -> Self {
        // CPython keys the generator with the seed's 32-bit limbs, low one first; 0 has one limb.
        let limbs = [seed as u32, (seed >> 32) as u32];
        Self::from_key(if limbs[1] == 0 { &limbs[..1] } else { &limbs })
    }

    /// MT19937's `init_by_array`.
    fn from_key(key: &[u32]) -> Self {
        let mut words = [0u32; N];
        words[0] = 19_650_218;
        for i in 1..N {
            let last = words[i - 1];
            words[i] = (last ^ (last >> 30))
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        let mut i = 1;
        let wrap = |words: &mut [u32; N], i: &mut usize| {
            *i += 1;
            if *i == N {
                words[0] = words[N - 1];
                *i = 1;
            }
        };
        for step in 0..N.max(key.len()) {
            let j = step % key.len();
            let last = words[i - 1];
            words[i] = (words[i] ^ (last ^ (last >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            wrap(&mut words, &mut i);
        }
        for _ in 1..N {
            let last = words[i - 1];
            words[i] = (words[i] ^ (last ^ (last >> 30)).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            wrap(&mut words, &mut i);
        }
        words[0] = 0x8000_0000;
        Self { words, next: N }
    }

    /// The next 32 random bits.
    fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Makes the next block of words.
    fn refill(&mut self) {
        for i in 0..N {
            let y = (self.words[i] & 0x8000_0000) | (self.words[(i + 1) % N] & 0x7fff_ffff);
            let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + M) % N] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }

    /// `getrandbits(bits)`: a number of `bits` random bits, the low 32 drawn first. 0 bits give 0 and
    /// draw nothing.
    ///
    /// # Panics
    /// With more than 64 bits.
    pub fn getrandbits(&mut self, bits: u32) -> u64 {
        assert!(
            bits <= 64,
            "at most 64 random bits fit a u64, asked for {bits}"
        );
        match bits {
            0 => 0,
            1..=32 => u64::from(self.next_u32() >> (32 - bits)),
            _ => {
                let low = u64::from(self.next_u32());
                low | (u64::from(self.next_u32() >> (64 - bits)) << 32)
            }
        }
    }

    /// `random()`: a number in [0, 1) with 53 random bits.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `uniform(a, b)`: `a + (b - a) * random()`.
    pub fn uniform(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.random()
    }

    /// `randrange(n)`: a number below `n`; bits are drawn again until they are.
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn randbelow(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no number below 0 to draw");
        let bits = u64::BITS - n.leading_zeros();
        loop {
            let drawn = self.getrandbits(bits);
            if drawn < n {
                return drawn;
            }
        }
    }

    /// A random index into something of length `len`, which must not be 0.
    fn index(&mut self, len: usize) -> usize {
        self.randbelow(len as u64) as usize
    }

    /// `choice(items)`: one of the items; `None` (and nothing drawn) when there is none.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            None
        } else {
            items.get(self.index(items.len()))
        }
    }

    /// `shuffle(items)`, in place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.index(i + 1);
            items.swap(i, j);
        }
    }

    /// `sample(items, k)`: `k` items from different places, in the order drawn.
    ///
    /// # Panics
    /// When `k` is more than there are.
    pub fn sample<T: Clone>(&mut self, items: &[T], k: usize) -> Vec<T> {
        self.sample_indices(items.len(), k)
            .into_iter()
            .map(|i| items[i].clone())
            .collect()
    }

    /// `sample(range(n), k)`: `k` different numbers below `n`, in the order drawn.
    ///
    /// # Panics
    /// When `k` is more than `n`.
    pub fn sample_indices(&mut self, n: usize, k: usize) -> Vec<usize> {
        assert!(k <= n, "cannot sample {k} of {n}");
        // CPython takes the way that it reckons needs less memory: a list of all numbers, or a set
        // of those drawn so far. The two draw different numbers.
        if n <= sample_set_size(k) {
            let mut pool: Vec<usize> = (0..n).collect();
            (0..k)
                .map(|i| {
                    let j = self.index(n - i);
                    let drawn = pool[j];
                    pool[j] = pool[n - i - 1];
                    drawn
                })
                .collect()
        } else {
            let mut seen = std::collections::BTreeSet::new();
            let mut drawn = Vec::with_capacity(k);
            while drawn.len() < k {
                let j = self.index(n);
                if seen.insert(j) {
                    drawn.push(j);
                }
            }
            drawn
        }
    }
}

/// The population size up to which CPython's `sample` uses a list: 21, and for k > 5 the size of a
/// set's hash table on top, `4 ** ceil(log(3 k, 4))`.
fn sample_set_size(k: usize) -> usize {
    if k <= 5 {
        return 21;
    }
    let mut table = 1usize;
    while table < k.saturating_mul(3) {
        table = table.saturating_mul(4);
    }
    table.saturating_add(21)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_cpython() {
        assert_eq!(CPython::new(1).getrandbits(32), 577_090_037);
        assert_eq!(CPython::new(0).random(), 0.844_421_851_525_048_1);
        let mut ten: Vec<u32> = (0..10).collect();
        CPython::new(1).shuffle(&mut ten);
        assert_eq!(ten, [6, 8, 9, 7, 5, 3, 0, 4, 1, 2]);
        assert_eq!(CPython::new(1).sample_indices(100, 5), [17, 72, 97, 8, 32]);
    }

    #[test]
    fn a_stored_generator_goes_on_where_it_stopped() {
        let mut rng = CPython::new(7);
        for _ in 0..1000 {
            rng.random();
        }
        let text = serde_json::to_string(&rng).unwrap();
        let mut again: CPython = serde_json::from_str(&text).unwrap();
        assert_eq!(again, rng);
        assert_eq!(again.getrandbits(64), rng.getrandbits(64));
        assert!(serde_json::from_str::<CPython>("[1,2,3]").is_err());
    }

    #[test]
    fn nothing_to_choose_from_draws_nothing() {
        let mut rng = CPython::new(3);
        assert_eq!(rng.choice::<u8>(&[]), None);
        assert!(rng.sample_indices(0, 0).is_empty());
        assert_eq!(rng, CPython::new(3));
    }
}
