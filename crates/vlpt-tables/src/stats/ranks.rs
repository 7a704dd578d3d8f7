//! Ranks of methods over tasks.

use serde::Serialize;
use vlpt_base::stats::ranks;

/// Average ranks of methods, and how far two of them must lie apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranks {
    /// Number of tasks.
    pub tasks: usize,
    /// The average rank of each method, 1 the best; equal values share a rank.
    pub average: Vec<f64>,
    /// Average ranks further apart than this differ at the 5 % level (Nemenyi); `None` for fewer than
    /// two methods or tasks.
    pub critical_difference: Option<f64>,
}

/// Average ranks of methods over tasks as in Demsar, "Statistical comparisons of classifiers over
/// multiple data sets" (JMLR 7, 2006). `values[task][method]`, larger is better; every task has a
/// value for every method. `None` without a task or a method.
pub fn friedman_ranks(values: &[Vec<f64>]) -> Option<Ranks> {
    let methods = values.first()?.len();
    let fits = values
        .iter()
        .all(|row| row.len() == methods && row.iter().all(|v| v.is_finite()));
    if methods == 0 || !fits {
        return None;
    }
    let mut average = vec![0.0; methods];
    for row in values {
        let reversed: Vec<f64> = row.iter().map(|value| -value).collect();
        for (sum, rank) in average.iter_mut().zip(ranks(&reversed)) {
            *sum += rank;
        }
    }
    for sum in &mut average {
        *sum /= values.len() as f64;
    }
    Some(Ranks {
        tasks: values.len(),
        average,
        critical_difference: critical_difference(methods, values.len()),
    })
}

/// Nemenyi's critical difference of average ranks at the 5 % level: the 95 % point of the studentised
/// range of `methods` groups, divided by the square root of two, times
/// `sqrt(methods (methods + 1) / (6 tasks))`. `None` for fewer than two methods or tasks.
fn critical_difference(methods: usize, tasks: usize) -> Option<f64> {
    if methods < 2 || tasks < 2 {
        return None;
    }
    let (k, n) = (methods as f64, tasks as f64);
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if range_below(middle, k) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low / std::f64::consts::SQRT_2 * (k * (k + 1.0) / (6.0 * n)).sqrt())
}

/// Probability that the range of `k` standard normal values stays below `q`: the integral of
/// `k phi(z) (Phi(z) - Phi(z - q))^(k - 1)`, by Simpson's rule.
fn range_below(q: f64, k: f64) -> f64 {
    const STEPS: usize = 800;
    let (from, to) = (-8.0, 8.0 + q.min(8.0));
    let width = (to - from) / STEPS as f64;
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let below = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    let term = |z: f64| k * density(z) * (below(z) - below(z - q)).powf(k - 1.0);
    let sum: f64 = (0..=STEPS)
        .map(|at| {
            let weight = match at {
                0 | STEPS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * term(from + at as f64 * width)
        })
        .sum();
    sum * width / 3.0
}
