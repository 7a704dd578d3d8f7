//! Spearman's rank correlation, with its exact test where there are few pairs.

use serde::Serialize;
use vlpt_base::stats::{pearson, ranks};

/// Pairs up to which every permutation is tried for the exact test (8! = 40,320).
const EXACT: usize = 8;

/// A rank correlation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RankCorrelation {
    /// Number of pairs.
    pub n: usize,
    /// Pearson's correlation of the ranks, ties having the mean of their ranks; none with fewer
    /// than two pairs or where one side is constant.
    pub rho: Option<f64>,
    /// Share of all orders of one side whose correlation is at least as far from 0: the exact
    /// two-sided p value where nothing is related. None without `rho` or with more than eight pairs.
    pub p: Option<f64>,
}

/// The rank correlation of pairs; pairs that are not finite are left out.
pub fn spearman(pairs: &[(f64, f64)]) -> RankCorrelation {
    let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let pairs: Vec<(f64, f64)> = pairs.iter().filter(finite).copied().collect();
    let x = ranks(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
    let y = ranks(&pairs.iter().map(|p| p.1).collect::<Vec<_>>());
    let rho = pearson(&x, &y);
    let p = rho.filter(|_| pairs.len() <= EXACT).map(|rho| {
        let (mut extreme, mut all) = (0_u32, 0_u32);
        permute(&mut y.clone(), 0, &mut |y| {
            let other = pearson(&x, y).unwrap_or(0.0);
            extreme += u32::from(other.abs() >= rho.abs() - 1e-12);
            all += 1;
        });
        f64::from(extreme) / f64::from(all)
    });
    RankCorrelation {
        n: pairs.len(),
        rho,
        p,
    }
}

/// Calls `visit` with every order of the values.
fn permute(values: &mut [f64], fixed: usize, visit: &mut impl FnMut(&[f64])) {
    if fixed + 1 >= values.len() {
        visit(values);
        return;
    }
    for i in fixed..values.len() {
        values.swap(fixed, i);
        permute(values, fixed + 1, visit);
        values.swap(fixed, i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
        x.iter().copied().zip(y.iter().copied()).collect()
    }

    #[test]
    fn only_the_order_counts() {
        let up = spearman(&pairs(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]));
        assert_eq!((up.n, up.rho), (3, Some(1.0)));
        // of six orders, the rising and the falling one
        assert!((up.p.unwrap() - 2.0 / 6.0).abs() < 1e-12);
        let down = spearman(&pairs(&[1.0, 2.0, 3.0], &[5.0, 4.0, 3.0]));
        assert_eq!(down.rho, Some(-1.0));
    }

    #[test]
    fn it_is_scipys_spearmanr_with_ties() {
        // scipy.stats.spearmanr([1, 2, 2, 4, 5, 3], [5, 6, 7, 8, 7, 1]).statistic
        let found = spearman(&pairs(
            &[1.0, 2.0, 2.0, 4.0, 5.0, 3.0],
            &[5.0, 6.0, 7.0, 8.0, 7.0, 1.0],
        ));
        assert!((found.rho.unwrap() - 0.485_294_117_647_058_9).abs() < 1e-12);
        // 234 of the 720 orders are as far from 0
        assert!((found.p.unwrap() - 0.325).abs() < 1e-12);
    }

    #[test]
    fn few_or_constant_values_have_no_correlation() {
        assert_eq!(spearman(&[]).rho, None);
        assert_eq!(spearman(&[(1.0, 2.0)]).rho, None);
        assert_eq!(spearman(&pairs(&[1.0, 2.0], &[3.0, 3.0])).rho, None);
        let one = spearman(&[(1.0, 2.0), (f64::NAN, 1.0)]);
        assert_eq!((one.n, one.p), (1, None));
    }

    #[test]
    fn many_pairs_have_no_exact_test() {
        let many: Vec<(f64, f64)> = (0..9).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(spearman(&many).p, None);
    }
}
