//! What repeated runs say about one number.

use serde::{Deserialize, Serialize};
use vlpt_base::stats::student_t_quantile;

/// Mean and spread over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many seeds.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with `count - 1` below; `None` for one seed.
    pub std: Option<f64>,
    /// Interval for the mean by Student's t distribution; `None` for one seed.
    pub interval: Option<(f64, f64)>,
}

impl Summary {
    /// Half of the interval's width; `None` for one seed.
    pub fn half(&self) -> Option<f64> {
        self.interval.map(|(low, high)| (high - low) / 2.0)
    }
}

/// Summary of values over seeds with an interval that holds the mean with probability `level`
/// (0.95), if seeds scatter normally. `None` for no values, or for one that is not finite.
pub fn summary(values: &[f64], level: f64) -> Option<Summary> {
    if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.len() > 1).then(|| {
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (squares / (n - 1.0)).sqrt()
    });
    let interval = spread.map(|std| {
        let half = student_t_quantile(0.5 + level / 2.0, n - 1.0) * std / n.sqrt();
        (mean - half, mean + half)
    });
    Some(Summary {
        count: values.len(),
        mean,
        std: spread,
        interval,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_has_a_mean_and_no_interval() {
        let one = summary(&[0.5], 0.95).expect("a summary");
        assert_eq!((one.count, one.mean), (1, 0.5));
        assert_eq!((one.std, one.interval, one.half()), (None, None, None));
        assert_eq!(summary(&[], 0.95), None);
        assert_eq!(summary(&[0.5, f64::NAN], 0.95), None);
    }

    #[test]
    fn equal_seeds_have_an_interval_of_no_width() {
        let same = summary(&[0.5, 0.5, 0.5], 0.95).expect("a summary");
        assert_eq!(same.interval, Some((0.5, 0.5)));
    }
}
