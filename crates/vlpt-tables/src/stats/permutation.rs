//! A test of paired differences that assumes nothing of their distribution.

use serde::Serialize;
use vlpt_base::random::Stream;

/// Up to so many differences that are not 0, every choice of signs is tried.
const EXACT: usize = 20;
/// Random choices of signs for more.
const DRAWS: usize = 100_000;

/// A paired permutation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Permutation {
    /// Number of pairs.
    pub pairs: usize,
    /// Mean difference.
    pub mean: f64,
    /// Two-sided p: how often differences with signs drawn at random have a sum as far from 0.
    pub p: f64,
    /// Whether all choices of signs were counted, and not drawn.
    pub exact: bool,
}

/// The least p that so many differences can have: that of all choices of signs, or of as many as are drawn.
pub fn least_p(pairs: usize) -> f64 {
    if pairs > EXACT {
        1.0 / (DRAWS + 1) as f64
    } else {
        2.0_f64.powi(1 - pairs as i32)
    }
}

/// A p with four decimals.
pub fn shown_p(p: f64) -> String {
    if p < 5e-5 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

/// Tests whether paired differences are about 0: if which of a pair is which did not matter, each
/// difference could as well have the other sign.
///
/// Exact for up to 20 differences that are not 0, and for any number of equal size, such as those of
/// right and wrong answers (where it is the exact McNemar test); else from 100,000 random choices of
/// signs named by `seed`, with the choice that was seen counted too. `None` without a pair, or with a
/// difference that is no number.
pub fn permutation_test(differences: &[f64], seed: u64) -> Option<Permutation> {
    if differences.is_empty() || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let sum: f64 = differences.iter().sum();
    let sizes: Vec<f64> = differences
        .iter()
        .map(|d| d.abs())
        .filter(|d| *d > 0.0)
        .collect();
    let equal = sizes.windows(2).all(|pair| pair[0] == pair[1]);
    let (p, exact) = if sizes.is_empty() {
        (1.0, true)
    } else if equal {
        (
            signs(sizes.len(), (sum.abs() / sizes[0]).round() as usize),
            true,
        )
    } else if sizes.len() <= EXACT {
        (all(&sizes, sum.abs()), true)
    } else {
        (drawn(&sizes, sum.abs(), seed), false)
    };
    Some(Permutation {
        pairs: differences.len(),
        mean: sum / differences.len() as f64,
        p,
        exact,
    })
}

/// Probability that `count` fair signs have a sum of at least `surplus` either way.
fn signs(count: usize, surplus: usize) -> f64 {
    let n = count as f64;
    let mut log = -n * std::f64::consts::LN_2;
    let mut p = 0.0;
    for k in 0..=count {
        if count.abs_diff(2 * k) >= surplus {
            p += log.exp();
        }
        log += ((n - k as f64) / (k as f64 + 1.0)).ln();
    }
    f64::min(p, 1.0)
}

/// Whether a sum is as far from 0 as the one that was seen, up to rounding.
fn as_far(sum: f64, seen: f64) -> bool {
    sum.abs() >= seen - 1e-9 * seen.max(1e-300)
}

/// Share of all choices of signs whose sum is as far.
fn all(sizes: &[f64], seen: f64) -> f64 {
    let total: u64 = 1 << sizes.len();
    let sum = |signs: u64| -> f64 {
        let term = |(at, size): (usize, &f64)| if signs >> at & 1 == 1 { *size } else { -size };
        sizes.iter().enumerate().map(term).sum()
    };
    let far = (0..total).filter(|&signs| as_far(sum(signs), seen)).count();
    far as f64 / total as f64
}

fn drawn(sizes: &[f64], seen: f64, seed: u64) -> f64 {
    let mut stream = Stream::new(seed, "tables.permutation");
    let mut far = 0;
    for _ in 0..DRAWS {
        let mut sum = 0.0;
        for block in sizes.chunks(64) {
            let signs = stream.next_u64();
            for (at, size) in block.iter().enumerate() {
                sum += if signs >> at & 1 == 1 { *size } else { -size };
            }
        }
        far += usize::from(as_far(sum, seen));
    }
    (far + 1) as f64 / (DRAWS + 1) as f64
}
