//! Whether similarity tells transfer: rank correlation between two matrices.

use vlpt_base::random::SplitMix64;
use vlpt_base::stats::{percentile, spearman};

use super::{Summary, summary};
use crate::matrix::TaskMatrix;

/// Rank correlation of transfer with a similarity, over pairs of different tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// Pairs that both matrices have.
    pub pairs: usize,
    /// Spearman's correlation over all pairs; `None` where one side does not vary.
    pub all: Option<f64>,
    /// For each source (row): does similarity order its targets as transfer does?
    pub rows: Vec<TaskCorrelation>,
    /// For each target (column): does similarity find its good sources?
    pub columns: Vec<TaskCorrelation>,
}

/// Rank correlation over the pairs of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCorrelation {
    /// The task.
    pub task: String,
    /// Pairs.
    pub pairs: usize,
    /// Spearman's correlation.
    pub rho: Option<f64>,
}

struct Pair<'a> {
    row: &'a str,
    column: &'a str,
    transfer: f64,
    similarity: f64,
}

/// Pairs of different tasks with both numbers.
fn pairs<'a>(transfer: &'a TaskMatrix, similarity: &TaskMatrix) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (i, row) in transfer.rows().iter().enumerate() {
        for (j, column) in transfer.columns().iter().enumerate() {
            let both = transfer.get(i, j).zip(similarity.between(row, column));
            if let (true, Some((transfer, similarity))) = (row != column, both) {
                pairs.push(Pair {
                    row,
                    column,
                    transfer,
                    similarity,
                });
            }
        }
    }
    pairs
}

fn rho<'p, 'a: 'p>(pairs: impl Iterator<Item = &'p Pair<'a>>) -> (usize, Option<f64>) {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.map(|p| (p.transfer, p.similarity)).unzip();
    (x.len(), spearman(&x, &y))
}

/// Spearman's rank correlation of transfer with similarity. Tasks are matched by name; the
/// diagonal is left out, and so is a pair that either matrix lacks. A distance in place of a
/// similarity gives the same with the other sign.
pub fn correlate(transfer: &TaskMatrix, similarity: &TaskMatrix) -> Correlation {
    let pairs = pairs(transfer, similarity);
    let each = |names: &[String], of: fn(&Pair) -> String| {
        let one = |name: &String| {
            let (count, rho) = rho(pairs.iter().filter(|p| of(p) == *name));
            TaskCorrelation {
                task: name.clone(),
                pairs: count,
                rho,
            }
        };
        names.iter().map(one).collect()
    };
    Correlation {
        pairs: pairs.len(),
        all: rho(pairs.iter()).1,
        rows: each(transfer.rows(), |p| p.row.to_owned()),
        columns: each(transfer.columns(), |p| p.column.to_owned()),
    }
}

/// The correlation over all pairs for the transfer matrix of each seed, summed up with an interval
/// over seeds. `None` where no seed has one.
pub fn correlate_seeds(
    transfer: &[TaskMatrix],
    similarity: &TaskMatrix,
    level: f64,
) -> Option<Summary> {
    let of_seed = |matrix| rho(pairs(matrix, similarity).iter()).1;
    let rhos: Vec<f64> = transfer.iter().filter_map(of_seed).collect();
    summary(&rhos, level)
}

/// Interval of the correlation over all pairs by the percentile bootstrap over tasks.
///
/// Pairs of one task are not independent, so tasks are drawn with replacement and not pairs: a
/// pair enters once for each time its row was drawn and its column was drawn. `None` where fewer
/// than half of the draws have a correlation.
pub fn bootstrap_interval(
    transfer: &TaskMatrix,
    similarity: &TaskMatrix,
    level: f64,
    draws: usize,
    seed: u64,
) -> Option<(f64, f64)> {
    let pairs = pairs(transfer, similarity);
    let mut tasks: Vec<&str> = pairs.iter().flat_map(|p| [p.row, p.column]).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let place = |name: &str| {
        tasks
            .binary_search(&name)
            .expect("every name of a pair is in")
    };
    let places: Vec<_> = pairs
        .iter()
        .map(|p| (place(p.row), place(p.column)))
        .collect();
    let mut random = SplitMix64::new(seed);
    let mut rhos = Vec::new();
    for _ in 0..draws {
        let mut drawn = vec![0usize; tasks.len()];
        for _ in 0..tasks.len() {
            drawn[random.below(tasks.len())] += 1;
        }
        let chosen = pairs
            .iter()
            .zip(&places)
            .flat_map(|(pair, &(i, j))| std::iter::repeat_n(pair, drawn[i] * drawn[j]));
        rhos.extend(rho(chosen).1);
    }
    if rhos.is_empty() || 2 * rhos.len() < draws {
        return None;
    }
    rhos.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some((percentile(&rhos, tail), percentile(&rhos, 1.0 - tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|k| format!("task{k}")).collect()
    }

    fn similar(n: usize) -> TaskMatrix {
        TaskMatrix::from_fn(names(n), names(n), |i, j| -(i as f64 - j as f64).abs())
    }

    #[test]
    fn transfer_that_grows_with_similarity_correlates_fully() {
        let transfer = TaskMatrix::from_fn(names(6), names(6), |i, j| {
            (-(i as f64 - j as f64).abs()).exp()
        });
        let found = correlate(&transfer, &similar(6));
        assert_eq!(found.pairs, 30);
        assert!((found.all.unwrap() - 1.0).abs() < 1e-12);
        assert!(found.columns.iter().all(|c| c.pairs == 5));
        let (low, high) = bootstrap_interval(&transfer, &similar(6), 0.95, 200, 1).unwrap();
        assert!(low > 1.0 - 1e-12 && high <= 1.0);
    }

    #[test]
    fn the_diagonal_and_missing_cells_are_left_out() {
        let transfer = TaskMatrix::from_fn(names(5), names(5), |i, j| match (i, j) {
            (0, 1) => f64::NAN,
            _ if i == j => 1e6,
            _ => (i as f64 - j as f64).abs(),
        });
        let found = correlate(&transfer, &similar(5));
        assert_eq!(found.pairs, 19);
        assert!((found.all.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(found.rows[0].pairs, 3);
    }

    #[test]
    fn the_bootstrap_is_the_same_each_time_and_holds_the_estimate() {
        let noisy = TaskMatrix::from_fn(names(8), names(8), |i, j| {
            f64::from((i * 37 + j * 101) as u32 % 17) - 2.0 * (i as f64 - j as f64).abs()
        });
        let all = correlate(&noisy, &similar(8)).all.unwrap();
        let interval = bootstrap_interval(&noisy, &similar(8), 0.95, 500, 7);
        assert_eq!(
            interval,
            bootstrap_interval(&noisy, &similar(8), 0.95, 500, 7)
        );
        let (low, high) = interval.unwrap();
        assert!(low < all && all < high, "{low} {all} {high}");
    }

    #[test]
    fn seeds_give_an_interval() {
        let seed = |k: usize| {
            TaskMatrix::from_fn(names(6), names(6), |i, j| {
                f64::from((i * 7 + j * 13 + k * 29) as u32 % 5) - (i as f64 - j as f64).abs()
            })
        };
        let found = correlate_seeds(&[seed(0), seed(1), seed(2)], &similar(6), 0.95).unwrap();
        assert_eq!(found.count, 3);
        let (low, high) = found.interval.unwrap();
        assert!(low < found.mean && found.mean < high);
    }
}
