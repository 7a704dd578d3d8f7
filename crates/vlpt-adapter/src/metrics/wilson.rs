//! Intervals of shares, which stay honest where all or none of a few images are right.

use vlpt_base::stats::normal_quantile;

/// Wilson's score interval of `right` of `of` images (E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", Journal of the American Statistical Association 22,
/// 1927); without images all shares are possible.
pub fn wilson(right: u64, of: u64, confidence: f64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (of as f64, right as f64 / of as f64);
    let z = normal_quantile(1.0 - (1.0 - confidence) / 2.0);
    let below = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / below;
    let half = z / below * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // Exactly the end where all or none is right, whatever the last bit says.
    let low = if right == 0 { 0.0 } else { centre - half };
    let high = if right == of { 1.0 } else { centre + half };
    (low.clamp(0.0, p), high.clamp(p, 1.0))
}

/// An interval of the mean of several shares, from Wilson's of each: the distances of their ends from
/// the shares are added as squares (G. Y. Zou and A. Donner, "Construction of confidence limits
/// about effect measures: a general approach", Statistics in Medicine 27, 2008). `shares` are (right,
/// of).
pub(super) fn mean_of_shares(shares: &[(u64, u64)], confidence: f64) -> (f64, f64) {
    let count = shares.len().max(1) as f64;
    let (mut mean, mut below, mut above) = (0.0, 0.0, 0.0);
    for &(right, of) in shares {
        let share = right as f64 / of.max(1) as f64;
        let (low, high) = wilson(right, of, confidence);
        mean += share / count;
        below += ((share - low) / count).powi(2);
        above += ((high - share) / count).powi(2);
    }
    (
        (mean - below.sqrt()).max(0.0),
        (mean + above.sqrt()).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_of_six_is_not_certainty() {
        let (low, high) = wilson(6, 6, 0.95);
        assert!((low - 0.609_67).abs() < 1e-5 && high == 1.0, "{low} {high}");
        let (low, high) = wilson(0, 6, 0.95);
        assert!(low == 0.0 && (high - 0.390_33).abs() < 1e-5, "{low} {high}");
        assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
    }

    #[test]
    fn one_share_alone_has_its_own_interval() {
        for (right, of) in [(6, 6), (3, 8), (0, 5)] {
            let (low, high) = mean_of_shares(&[(right, of)], 0.9);
            let own = wilson(right, of, 0.9);
            assert!((low - own.0).abs() < 1e-12 && (high - own.1).abs() < 1e-12);
        }
    }
}
