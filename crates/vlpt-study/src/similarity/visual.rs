//! How alike the images of two tasks are, from their features in one frozen image tower.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::{cosine, mean, unit_rows};
use crate::linear::{column_products, dot, fewer_columns};
use crate::matrix::TaskMatrix;
use crate::{Result, StudyError};

/// The features of a task's images, as their mean and a factor of their covariance.
///
/// The factor F (`width x r`, `r` at most the smaller of images and width) has `F F'` equal to the
/// covariance. Up to `width` images its columns are the centred features over the root of
/// `images - 1`; beyond, fewer columns with the same product.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    mean: Vec<f64>,
    factor: DMatrix<f64>,
    /// Frobenius norm of the covariance.
    norm: f64,
    /// Trace of the covariance.
    trace: f64,
}

impl FeatureSet {
    /// From features of at least two images, `images x width`, row after row. Rows are scaled to
    /// unit length first: CLIP compares directions only.
    ///
    /// # Errors
    /// Fewer images, or values that are not finite.
    pub fn new(features: &[f32], width: usize) -> Result<Self> {
        let mut rows = unit_rows("image features", features, width)?;
        if rows.len() < 2 {
            return Err(StudyError::numbers(
                "image features",
                "1 image",
                "at least 2: one has no spread",
            ));
        }
        let mean = mean(&rows);
        let scale = (rows.len() as f64 - 1.0).sqrt();
        for row in &mut rows {
            row.iter_mut()
                .zip(&mean)
                .for_each(|(v, m)| *v = (*v - m) / scale);
        }
        let centred = DMatrix::from_vec(width, rows.len(), rows.concat());
        let factor = fewer_columns(centred);
        let norm = frobenius(&column_products(&factor, &factor));
        let trace = dot(factor.as_slice(), factor.as_slice());
        Ok(Self {
            mean,
            factor,
            norm,
            trace,
        })
    }

    /// Cosine of the mean features.
    pub fn mean_cosine(&self, other: &Self) -> f64 {
        cosine(&self.mean, &other.mean)
    }

    /// Linear CKA of the covariances, from 0 to 1:
    ///
    /// `<S, T> / (|S| |T|)`, with S and T the covariances over images and Frobenius products.
    ///
    /// Linear CKA (Kornblith et al., 2019) is this quotient of two Gram matrices over examples
    /// that both sides share. Two tasks share no images, but their features share axes, being
    /// those of one frozen tower; so the Gram matrices are taken over axes: `X' X` of the centred
    /// features. It is 1 where the images of both tasks vary in the same directions by the same
    /// proportions and 0 where the directions are orthogonal; it needs no pairing, and knows neither
    /// means, nor the order or number of images, nor the overall spread.
    pub fn cka(&self, other: &Self) -> f64 {
        let norms = self.norm * other.norm;
        if norms == 0.0 {
            return 0.0;
        }
        let cross = frobenius(&column_products(&self.factor, &other.factor));
        (cross * cross / norms).clamp(0.0, 1.0)
    }

    /// Fréchet distance of the two Gaussians with these means and covariances, squared (as the
    /// Fréchet inception distance is usually given); 0 where they agree:
    ///
    /// `|m - n|^2 + tr S + tr T - 2 tr (S T)^(1/2)`
    ///
    /// The last trace is the sum of the singular values of `F' G`, F and G being factors of S and
    /// T, because `S^(1/2) T S^(1/2)` has their squares as its eigenvalues. No root of a nearly singular matrix is taken, so the
    /// distance is sound with fewer images than dimensions. It does depend on the number of
    /// images; compare tasks with like numbers.
    pub fn frechet(&self, other: &Self) -> f64 {
        let apart: Vec<f64> = self
            .mean
            .iter()
            .zip(&other.mean)
            .map(|(a, b)| a - b)
            .collect();
        let cross = column_products(&self.factor, &other.factor);
        let root: f64 = cross.singular_values().iter().sum();
        (dot(&apart, &apart) + self.trace + other.trace - 2.0 * root).max(0.0)
    }
}

fn frobenius(matrix: &DMatrix<f64>) -> f64 {
    dot(matrix.as_slice(), matrix.as_slice()).sqrt()
}

/// Three views of how alike images are. All are symmetric.
#[derive(Debug, Clone, PartialEq)]
pub struct VisualSimilarity {
    /// Cosine of the mean features.
    pub mean_cosine: TaskMatrix,
    /// [`FeatureSet::cka`].
    pub cka: TaskMatrix,
    /// [`FeatureSet::frechet`]: a distance, small where tasks are alike.
    pub frechet: TaskMatrix,
}

/// Compares each task with each. Pairs run in parallel; the result does not depend on it.
///
/// # Errors
/// Features of different widths.
pub fn visual_similarity(tasks: &[(String, FeatureSet)]) -> Result<VisualSimilarity> {
    if let Some((name, set)) = tasks
        .iter()
        .find(|(_, set)| set.mean.len() != tasks[0].1.mean.len())
    {
        return Err(StudyError::numbers(
            "image features",
            format!("width {} for \"{name}\"", set.mean.len()),
            format!("width {} as for \"{}\"", tasks[0].1.mean.len(), tasks[0].0),
        ));
    }
    let n = tasks.len();
    let pairs: Vec<_> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
    let values: Vec<[f64; 3]> = pairs
        .par_iter()
        .map(|&(i, j)| {
            let (a, b) = (&tasks[i].1, &tasks[j].1);
            if i == j {
                return [1.0, 1.0, 0.0];
            }
            [a.mean_cosine(b), a.cka(b), a.frechet(b)]
        })
        .collect();
    let names: Vec<_> = tasks.iter().map(|(name, _)| name.clone()).collect();
    let matrix = |which: usize| {
        TaskMatrix::from_fn(names.clone(), names.clone(), |i, j| {
            let (low, high) = (i.min(j), i.max(j));
            values[low * n - low * (low + 1) / 2 + high][which]
        })
    };
    Ok(VisualSimilarity {
        mean_cosine: matrix(0),
        cka: matrix(1),
        frechet: matrix(2),
    })
}
