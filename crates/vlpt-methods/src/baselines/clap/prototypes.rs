//! Class vectors, their loss, and a step down it.

use rayon::prelude::*;
use vlpt_kernels::{matrix_product, softmax};

use crate::UnitRows;
use crate::baselines::cross_entropy::cross_entropy;
use crate::head::dot;

/// Rows whose probabilities are held at once: a constant, so that sums have one order.
const ROWS: usize = 1024;
/// Classes that one thread moves at a time.
const CLASSES: usize = 16;
/// Columns that one thread turns over at a time.
const COLUMNS: usize = 16;

/// One vector for each class, and what SGD knows of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prototypes {
    /// `w_c`, classes x width.
    vectors: Vec<f32>,
    /// One divided by the length of each; 0 for a vector of zeros.
    inverse: Vec<f32>,
    /// SGD's momentum of each value.
    moments: Vec<f32>,
    /// `t_c`, where they began.
    texts: Vec<f32>,
    /// `lambda_c / C`.
    pulls: Vec<f32>,
    width: usize,
    scratch: Scratch,
}

/// Matrices of a step that are kept for the next one: new ones would be filled with zeros first.
#[derive(Debug, Clone, PartialEq, Default)]
struct Scratch {
    /// Classes x rows.
    by_class: Vec<f32>,
    /// Rows x classes.
    scores: Vec<f32>,
    /// Classes x width.
    gradient: Vec<f32>,
}

/// Rows of a step, all times the logit scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    /// Rows x width: features of length one, times the scale.
    pub(super) features: &'a [f32],
    /// The class of each.
    pub(super) labels: &'a [u32],
    /// The share of each in the loss; they add up to 1.
    pub(super) shares: &'a [f32],
}

/// What a step found before it moved anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// The batch's cross entropy and the penalty.
    pub(super) loss: f64,
    /// Rows whose most probable class is their own.
    pub(super) right: usize,
}

impl Prototypes {
    /// Vectors at `texts` (classes x width), held there by `lambdas`, one for each class.
    pub(super) fn new(texts: Vec<f32>, lambdas: &[f64], width: usize) -> Self {
        let share = 1.0 / lambdas.len() as f64;
        Self {
            inverse: texts.chunks_exact(width).map(inverse_length).collect(),
            moments: vec![0.0; texts.len()],
            pulls: lambdas.iter().map(|l| (l * share) as f32).collect(),
            vectors: texts.clone(),
            texts,
            width,
            scratch: Scratch::default(),
        }
    }

    /// The vectors divided by their lengths, classes x width.
    pub(super) fn units(&self) -> Vec<f32> {
        let rows = self.vectors.chunks_exact(self.width).zip(&self.inverse);
        rows.flat_map(|(row, &inverse)| row.iter().map(move |v| v * inverse))
            .collect()
    }

    /// Cross entropy and rows whose class leads; the gradient in the units is left in the scratch.
    fn entropy(&mut self, batch: &Batch) -> (f64, usize) {
        let (rows, width) = (batch.labels.len(), self.width);
        let classes = self.pulls.len();
        let Scratch {
            by_class,
            scores,
            gradient,
        } = &mut self.scratch;
        by_class.resize(classes * rows, 0.0);
        scores.resize(classes * rows, 0.0);
        gradient.resize(classes * width, 0.0);
        // Classes are many and rows are few: as rows of the product they keep more threads busy.
        let vectors = (self.vectors.as_slice(), false);
        let sizes = (classes, rows, width);
        matrix_product(sizes, vectors, (batch.features, true), by_class);
        turn(by_class, rows, &self.inverse, scores);
        let found = cross_entropy(scores, &[], batch.labels, batch.shares);
        let sizes = (classes, width, rows);
        matrix_product(sizes, (scores, true), (batch.features, false), gradient);
        (found.loss, found.right)
    }

    /// One step of SGD: `m = momentum m + g`, `w -= lr m`.
    pub(super) fn step(&mut self, batch: &Batch, momentum: f64, lr: f64) -> Found {
        let (loss, right) = self.entropy(batch);
        let (momentum, lr) = (momentum as f32, lr as f32);
        let width = self.width;
        let size = CLASSES * width;
        let penalties: Vec<f64> = self
            .vectors
            .par_chunks_mut(size)
            .zip(self.inverse.par_chunks_mut(CLASSES))
            .zip(self.moments.par_chunks_mut(size))
            .zip(self.scratch.gradient.par_chunks_mut(size))
            .zip(self.texts.par_chunks(size))
            .zip(self.pulls.par_chunks(CLASSES))
            .map(
                |(((((vectors, inverses), moments), gradient), texts), pulls)| {
                    let mut penalty = 0.0;
                    for (class, (&pull, inverse)) in pulls.iter().zip(inverses).enumerate() {
                        let row = class * width..(class + 1) * width;
                        let vector = &mut vectors[row.clone()];
                        let (d, text) = (&mut gradient[row.clone()], &texts[row.clone()]);
                        penalty += through_length(vector, *inverse, text, pull, d);
                        moved(vector, &mut moments[row], d, momentum, lr);
                        *inverse = inverse_length(vector);
                    }
                    penalty
                },
            )
            .collect();
        Found {
            loss: loss + penalties.iter().sum::<f64>(),
            right,
        }
    }
}

/// A matrix with rows of `width`, each times a factor, turned over: its columns as rows.
fn turn(matrix: &[f32], width: usize, factors: &[f32], columns: &mut [f32]) {
    let height = matrix.len() / width.max(1);
    columns
        .par_chunks_mut(COLUMNS * height)
        .enumerate()
        .for_each(|(block, columns)| {
            let (first, count) = (block * COLUMNS, columns.len() / height);
            for (at, (row, &factor)) in matrix.chunks_exact(width).zip(factors).enumerate() {
                for (column, &value) in row[first..first + count].iter().enumerate() {
                    columns[column * height + at] = factor * value;
                }
            }
        });
}

/// Turns the gradient in the unit vector `u = w / |w|` into that in the vector, `(d - u (u . d)) / |w|`,
/// adds that of the penalty `pull |w - t|^2`, and gives the penalty. `inverse` is `1 / |w|`.
fn through_length(vector: &[f32], inverse: f32, text: &[f32], pull: f32, d: &mut [f32]) -> f64 {
    let along = dot(vector, d) * inverse * inverse;
    let mut squares = 0.0;
    for ((d, &value), &text) in d.iter_mut().zip(vector).zip(text) {
        let apart = value - text;
        squares += apart * apart;
        *d = (*d - value * along) * inverse + 2.0 * pull * apart;
    }
    f64::from(pull) * f64::from(squares)
}

fn moved(vector: &mut [f32], moments: &mut [f32], d: &[f32], momentum: f32, lr: f32) {
    for ((value, m), &d) in vector.iter_mut().zip(moments).zip(d) {
        *m = momentum * *m + d;
        *value -= lr * *m;
    }
}

/// One divided by a row's length; 0 for a row of zeros.
fn inverse_length(row: &[f32]) -> f32 {
    let length = dot(row, row).sqrt();
    if length > 0.0 { 1.0 / length } else { 0.0 }
}

/// For each class the mean over its rows of the probability that `units` (classes x width, of length
/// one) give to it: the softmax of `scale` times the cosines. Every view is images x width; `labels`
/// has the class of each image. A class without an image is held as firmly as can be: 1.
pub(super) fn confidences(
    views: &[Vec<f32>],
    labels: &[u32],
    units: &[f32],
    width: usize,
    scale: f32,
) -> crate::Result<Vec<f64>> {
    let classes = units.len() / width;
    let (mut sums, mut counts) = (vec![0.0; classes], vec![0_usize; classes]);
    for view in views {
        for (features, labels) in view.chunks(ROWS * width).zip(labels.chunks(ROWS)) {
            let features = UnitRows::new(features, width)?;
            let sizes = (labels.len(), classes, width);
            let mut scores = vec![0.0; labels.len() * classes];
            matrix_product(sizes, (features.rows(), false), (units, true), &mut scores);
            let own: Vec<f64> = scores
                .par_chunks_exact_mut(classes)
                .zip(labels)
                .map(|(row, &label)| {
                    for score in row.iter_mut() {
                        *score *= scale;
                    }
                    softmax(row, classes, &mut [0.0]);
                    f64::from(row[label as usize])
                })
                .collect();
            for (probability, &label) in own.into_iter().zip(labels) {
                sums[label as usize] += probability;
                counts[label as usize] += 1;
            }
        }
    }
    let mean = |(sum, count): (f64, usize)| if count == 0 { 1.0 } else { sum / count as f64 };
    Ok(sums.into_iter().zip(counts).map(mean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(from: usize, count: usize) -> Vec<f32> {
        (from..from + count)
            .map(|i| (i as f32 * 1.3).sin())
            .collect()
    }

    impl Prototypes {
        fn move_to(&mut self, vectors: Vec<f32>) {
            let rows = vectors.chunks_exact(self.width);
            self.inverse = rows.map(inverse_length).collect();
            self.vectors = vectors;
        }
    }

    #[test]
    fn the_step_is_down_the_gradient_of_finite_differences() {
        let (classes, width) = (3, 4);
        let mut prototypes = Prototypes::new(wave(0, classes * width), &[0.2, 0.9, 0.5], width);
        // Away from the texts, where the penalty has no gradient.
        prototypes.move_to(wave(70, classes * width));
        let features = wave(30, 5 * width);
        let batch = Batch {
            features: &features,
            labels: &[0, 1, 2, 1, 0],
            shares: &[0.1, 0.3, 0.2, 0.2, 0.2],
        };
        let mut after = prototypes.clone();
        after.step(&batch, 0.0, 1.0);
        for i in 0..classes * width {
            let at = |by: f32| {
                let mut moved = prototypes.clone();
                let mut vectors = prototypes.vectors.clone();
                vectors[i] += by;
                moved.move_to(vectors);
                moved.step(&batch, 0.0, 0.0).loss
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            let step = f64::from(prototypes.vectors[i] - after.vectors[i]);
            assert!((slope - step).abs() < 1e-3, "value {i}: {slope} and {step}");
        }
    }

    #[test]
    fn a_matrix_is_turned_over_whatever_its_size() {
        for (height, width) in [(1, 1), (3, 16), (5, 40), (2, 33)] {
            let matrix = wave(0, height * width);
            let factors: Vec<f32> = (1..=height).map(|row| row as f32).collect();
            let mut found = vec![0.0; matrix.len()];
            turn(&matrix, width, &factors, &mut found);
            for (i, value) in found.iter().enumerate() {
                let row = i % height;
                assert_eq!(*value, factors[row] * matrix[row * width + i / height]);
            }
        }
    }

    #[test]
    fn a_class_is_held_by_the_mean_probability_of_its_own_images() {
        // Unit vectors; cosines 1 and 0, 0.6 and 0.8.
        let views = [vec![2.0, 0.0, 0.6, 0.8]];
        let found = confidences(&views, &[0, 0], &[1.0, 0.0, 0.0, 1.0], 2, 10.0).unwrap();
        let share = |own: f64, other: f64| 1.0 / (1.0 + (10.0 * (other - own)).exp());
        let expected = f64::midpoint(share(1.0, 0.0), share(0.6, 0.8));
        assert!((found[0] - expected).abs() < 1e-6, "{found:?}");
        assert_eq!(found[1], 1.0);
    }
}
