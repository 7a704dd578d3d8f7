//! The loss of LP++, its gradient, and the step sizes that follow from the features.

use rayon::prelude::*;
use vlpt_kernels::matrix_product;

use crate::baselines::cross_entropy::cross_entropy;
use crate::baselines::symmetric::{largest_eigenvalue, scatter};
use crate::head::dot;

/// Images whose scores are held at once: a constant, so that sums have one order.
const ROWS: usize = 4096;
/// What the mean cosine of images with their own class's text is multiplied by, for the first alpha.
const FIRST_ALPHA: f64 = 250.0;

/// Images, texts, and what each image is worth.
#[derive(Debug, Clone)]
pub(super) struct Problem<'a> {
    /// Rows x width, of length one.
    pub(super) features: &'a [f32],
    /// The class of each row.
    pub(super) labels: &'a [u32],
    /// The share of each row in the loss; they add up to 1.
    pub(super) shares: &'a [f32],
    /// Classes x width, of length one.
    pub(super) texts: &'a [f32],
    pub(super) width: usize,
}

/// What is learned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    /// `w_c`, classes x width.
    pub(super) weight: Vec<f32>,
    /// `b_c`, one for each class.
    pub(super) bias: Vec<f32>,
    /// `alpha_c`, one for each class.
    pub(super) alpha: Vec<f32>,
}

/// The loss and its gradient at a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slope {
    /// Mean cross entropy, by the rows' shares.
    pub(super) loss: f64,
    /// Rows whose most probable class is their own.
    pub(super) right: usize,
    pub(super) d_weight: Vec<f32>,
    pub(super) d_bias: Vec<f32>,
    pub(super) d_alpha: Vec<f32>,
}

/// Step sizes: of N rows, each the inverse of a bound on the curvature of the mean loss along what
/// it is for (that of the texts' weights, as published, a sixteenth of it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// `4 N / lambda`, with the largest eigenvalue of F'F, F being the features.
    pub(super) weight: f64,
    /// `N / (4 max over c of sum over n of (f_n . t_c)^2)`.
    pub(super) alpha: f64,
}

impl Problem<'_> {
    fn classes(&self) -> usize {
        self.texts.len() / self.width
    }

    /// The step sizes. Rows count by N times their shares, all alike where they weigh alike.
    pub(super) fn rates(&self) -> Rates {
        let (width, rows) = (self.width, self.labels.len());
        let products = scatter(rows, width, |n, row| {
            let weight = (f64::from(self.shares[n]) * rows as f64).sqrt();
            let feature = &self.features[n * width..][..width];
            for (value, &f) in row.iter_mut().zip(feature) {
                *value = weight * f64::from(f);
            }
        });
        // sum (f . t)^2 = t' F'F t
        let squares: Vec<f64> = self
            .texts
            .par_chunks_exact(width)
            .map(|text| {
                let each = products.chunks_exact(width).zip(text);
                let each = each.map(|(row, &t)| {
                    let product: f64 = row.iter().zip(text).map(|(p, &t)| p * f64::from(t)).sum();
                    product * f64::from(t)
                });
                each.sum()
            })
            .collect();
        let most = squares.iter().copied().fold(0.0, f64::max);
        let rows = rows as f64;
        Rates {
            weight: 4.0 * rows / largest_eigenvalue(&products, width),
            alpha: rows / (4.0 * most),
        }
    }

    /// Where it begins: a class's weight is the sum of its rows over the number of `views` that an
    /// image has, `bias` is given, and all alphas are 250 times the mean over the classes of their rows'
    /// mean cosine with their own text.
    pub(super) fn first(&self, views: usize, bias: Vec<f32>) -> Model {
        let width = self.width;
        let mut sums = vec![0.0_f64; self.texts.len()];
        let mut counts = vec![0_usize; self.classes()];
        for (row, &label) in self.features.chunks_exact(width).zip(self.labels) {
            let sum = &mut sums[label as usize * width..][..width];
            sum.iter_mut()
                .zip(row)
                .for_each(|(s, &f)| *s += f64::from(f));
            counts[label as usize] += 1;
        }
        let cosines: f64 = sums
            .chunks_exact(width)
            .zip(self.texts.chunks_exact(width))
            .zip(&counts)
            .map(|((sum, text), &count)| {
                let total: f64 = sum.iter().zip(text).map(|(s, &t)| s * f64::from(t)).sum();
                total / count.max(1) as f64
            })
            .sum();
        let alpha = FIRST_ALPHA * cosines / self.classes() as f64;
        Model {
            weight: sums.iter().map(|s| (s / views as f64) as f32).collect(),
            bias,
            alpha: vec![alpha as f32; self.classes()],
        }
    }

    /// Loss and gradient. With one vector a class, `v_c = w_c + alpha_c t_c`, both terms are one
    /// product, and the gradient in `alpha_c` is that in `w_c` times `t_c`.
    pub(super) fn slope(&self, model: &Model) -> Slope {
        let (width, classes) = (self.width, self.classes());
        let vectors = model.vectors(self.texts, width);
        let mut slope = Slope {
            loss: 0.0,
            right: 0,
            d_weight: vec![0.0; vectors.len()],
            d_bias: vec![0.0; classes],
            d_alpha: Vec::new(),
        };
        let mut scores = vec![0.0; ROWS.min(self.labels.len()) * classes];
        let mut part = vec![0.0; vectors.len()];
        let blocks = self.features.chunks(ROWS * width);
        let blocks = blocks
            .zip(self.labels.chunks(ROWS))
            .zip(self.shares.chunks(ROWS));
        for ((features, labels), shares) in blocks {
            let rows = labels.len();
            let scores = &mut scores[..rows * classes];
            matrix_product(
                (rows, classes, width),
                (features, false),
                (&vectors, true),
                scores,
            );
            let found = cross_entropy(scores, &model.bias, labels, shares);
            slope.loss += found.loss;
            slope.right += found.right;
            add(&mut slope.d_bias, &found.d_bias);
            matrix_product(
                (classes, width, rows),
                (scores, true),
                (features, false),
                &mut part,
            );
            add(&mut slope.d_weight, &part);
        }
        let each = slope.d_weight.chunks_exact(width);
        let each = each.zip(self.texts.chunks_exact(width));
        slope.d_alpha = each.map(|(d, text)| dot(d, text)).collect();
        slope
    }
}

impl Model {
    /// `w_c + alpha_c t_c`, classes x width.
    pub(super) fn vectors(&self, texts: &[f32], width: usize) -> Vec<f32> {
        let rows = self
            .weight
            .chunks_exact(width)
            .zip(texts.chunks_exact(width));
        rows.zip(&self.alpha)
            .flat_map(|((w, t), &alpha)| w.iter().zip(t).map(move |(w, t)| w + alpha * t))
            .collect()
    }

    /// Number of values: classes x (width + 2).
    pub(super) fn parameters(&self) -> usize {
        self.weight.len() + self.bias.len() + self.alpha.len()
    }
}

/// `sum += part`.
pub(super) fn add(sum: &mut [f32], part: &[f32]) {
    sum.iter_mut()
        .zip(part)
        .for_each(|(sum, part)| *sum += part);
}
