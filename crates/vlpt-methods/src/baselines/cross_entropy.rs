//! Softmax cross entropy of many rows of scores at once, with its gradient.

use rayon::prelude::*;
use vlpt_kernels::softmax;

/// Rows that one thread works on at a time: a constant, so that sums have one order.
const ROWS: usize = 32;

/// What rows of scores are worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Losses {
    /// The sum of the rows' losses, each times its share.
    pub(super) loss: f64,
    /// Rows whose own class has the first of the largest scores.
    pub(super) right: usize,
    /// The sum of the gradient over the rows, one for each class: the gradient in the bias. Empty
    /// without one.
    pub(super) d_bias: Vec<f32>,
}

/// The loss of `scores` (rows x classes), to which `bias` (one for each class, or nothing) is added
/// first: `sum over n of share_n (ln sum_c exp(s_nc) - s_n,label)`. The scores become its gradient
/// in them, `share_n (softmax(s_n) - one-hot(label_n))`.
pub(super) fn cross_entropy(
    scores: &mut [f32],
    bias: &[f32],
    labels: &[u32],
    shares: &[f32],
) -> Losses {
    let classes = scores.len() / labels.len().max(1);
    let parts: Vec<Losses> = scores
        .par_chunks_mut((ROWS * classes).max(1))
        .zip(labels.par_chunks(ROWS))
        .zip(shares.par_chunks(ROWS))
        .map(|((scores, labels), shares)| part(scores, bias, labels, shares))
        .collect();
    let mut whole = Losses {
        loss: 0.0,
        right: 0,
        d_bias: vec![0.0; bias.len()],
    };
    for part in parts {
        whole.loss += part.loss;
        whole.right += part.right;
        add(&mut whole.d_bias, &part.d_bias);
    }
    whole
}

/// [`cross_entropy`] of at most [`ROWS`] rows, on the calling thread.
fn part(scores: &mut [f32], bias: &[f32], labels: &[u32], shares: &[f32]) -> Losses {
    let classes = scores.len() / labels.len();
    let mut own = [0.0_f32; ROWS];
    let mut right = 0;
    let rows = scores.chunks_exact_mut(classes).zip(labels);
    for ((row, &label), own) in rows.zip(&mut own) {
        add(row, bias);
        *own = row[label as usize];
        right += usize::from(leads(row, label as usize));
    }
    let mut logs = [0.0_f32; ROWS];
    let logs = &mut logs[..labels.len()];
    softmax(scores, classes, logs);
    let (mut loss, mut d_bias) = (0.0, vec![0.0; bias.len()]);
    let rows = scores.chunks_exact_mut(classes).zip(labels).zip(shares);
    for (((row, &label), &share), (log, own)) in rows.zip(logs.iter().zip(own)) {
        loss += f64::from(share) * f64::from(log - own);
        row[label as usize] -= 1.0;
        for error in &mut *row {
            *error *= share;
        }
        add(&mut d_bias, row);
    }
    Losses {
        loss,
        right,
        d_bias,
    }
}

/// Adds as many values as both have.
fn add(values: &mut [f32], others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value += other;
    }
}

/// Whether this is the first of the largest scores.
fn leads(row: &[f32], label: usize) -> bool {
    let (before, from) = row.split_at(label);
    before.iter().all(|&score| score < from[0]) && from.iter().all(|&score| score <= from[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::first_largest;

    #[test]
    fn the_leading_score_is_the_first_of_the_largest() {
        for row in [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, -1.0, 5.0]] {
            for label in 0..3 {
                assert_eq!(
                    leads(&row, label),
                    first_largest(&row) == label,
                    "{row:?} {label}"
                );
            }
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let (rows, classes) = (ROWS + 5, 3);
        let scores: Vec<f32> = (0..rows * classes)
            .map(|i| (i as f32).sin() * 2.0)
            .collect();
        let bias = [0.3, -0.2, 0.1];
        let labels: Vec<u32> = (0..rows as u32).map(|i| i * 5 % 3).collect();
        let shares: Vec<f32> = (1..=rows).map(|i| i as f32 / 10.0).collect();
        let loss = |scores: &[f32], bias: &[f32]| {
            cross_entropy(&mut scores.to_vec(), bias, &labels, &shares).loss
        };
        let mut gradient = scores.clone();
        let found = cross_entropy(&mut gradient, &bias, &labels, &shares);
        let slope = |up: f64, down: f64| (up - down) / 2e-2;
        for i in 0..scores.len() {
            let at = |by: f32| {
                let mut moved = scores.clone();
                moved[i] += by;
                loss(&moved, &bias)
            };
            let expected = slope(at(1e-2), at(-1e-2));
            assert!(
                (expected - f64::from(gradient[i])).abs() < 1e-3,
                "score {i}"
            );
        }
        for i in 0..classes {
            let at = |by: f32| {
                let mut moved = bias;
                moved[i] += by;
                loss(&scores, &moved)
            };
            let expected = slope(at(1e-2), at(-1e-2));
            assert!(
                (expected - f64::from(found.d_bias[i])).abs() < 2e-2,
                "bias {i}"
            );
        }
    }
}
