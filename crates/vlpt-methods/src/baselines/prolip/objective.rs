//! The loss of a projection on images, and its gradient.

use rayon::prelude::*;
use vlpt_kernels::{add, matrix_product};

use crate::head::{UnitRows, first_largest};
use crate::{MethodError, Result};

/// Images whose features and logits are held at once; a constant, since sums over images are taken
/// part by part.
const IMAGES_AT_ONCE: usize = 4096;

/// What a projection W (width x embed) is tuned to.
#[derive(Debug, Clone, Copy)]
pub struct ProjectionObjective<'a> {
    /// Text features, classes x embed, rows of length one.
    pub text: &'a [f32],
    /// The projection W0 that W is held near, width x embed.
    pub origin: &'a [f32],
    /// Length of a feature.
    pub embed: usize,
    /// Factor of the cosines.
    pub scale: f32,
    /// Weight of `|W - W0|^2`, the sum of squares.
    pub lambda: f64,
}

/// The loss at one projection, and its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectionLoss {
    /// Mean cross entropy of the images.
    pub cross_entropy: f64,
    /// `lambda |W - W0|^2`.
    pub penalty: f64,
    /// Gradient of the sum of both in W, width x embed.
    pub gradient: Vec<f32>,
    /// Images whose most probable class is one of theirs.
    pub right: usize,
}

impl ProjectionLoss {
    /// What is minimised.
    pub fn total(&self) -> f64 {
        self.cross_entropy + self.penalty
    }
}

impl ProjectionObjective<'_> {
    /// Loss and gradient at `projection` (width x embed) on images before it (images x width) and
    /// their classes. The classes of an image share its weight; an image of no class adds nothing.
    ///
    /// # Errors
    /// Sizes that do not fit, or a class beyond the text features.
    pub fn at(
        &self,
        projection: &[f32],
        images: &[f32],
        labels: &[Vec<u32>],
    ) -> Result<ProjectionLoss> {
        let width = self.check(projection, images, labels)?;
        let (embed, share) = (self.embed, 1.0 / labels.len() as f64);
        let mut gradient = vec![0.0; projection.len()];
        let mut part = vec![0.0; projection.len()];
        let (mut loss, mut right) = (0.0, 0);
        let groups = images.chunks(IMAGES_AT_ONCE * width);
        for (rows, labels) in groups.zip(labels.chunks(IMAGES_AT_ONCE)) {
            let (sum, hits, d_features) = self.of_group(projection, rows, labels, share)?;
            loss += sum;
            right += hits;
            let sizes = (width, embed, labels.len());
            matrix_product(sizes, (rows, true), (&d_features, false), &mut part);
            add(&mut gradient, &part);
        }
        let factor = 2.0 * self.lambda as f32;
        let mut distance = 0.0;
        for ((d, &value), &origin) in gradient.iter_mut().zip(projection).zip(self.origin) {
            let apart = value - origin;
            distance += f64::from(apart) * f64::from(apart);
            *d += factor * apart;
        }
        Ok(ProjectionLoss {
            cross_entropy: loss * share,
            penalty: self.lambda * distance,
            gradient,
            right,
        })
    }

    /// Sum of the losses of some images, how many of them are right, and the gradient of the mean
    /// loss in their features (images x embed).
    fn of_group(
        &self,
        projection: &[f32],
        rows: &[f32],
        labels: &[Vec<u32>],
        share: f64,
    ) -> Result<(f64, usize, Vec<f32>)> {
        let (images, embed) = (labels.len(), self.embed);
        let width = projection.len() / embed;
        let classes = self.text.len() / embed;
        let mut features = vec![0.0; images * embed];
        let sizes = (images, embed, width);
        matrix_product(sizes, (rows, false), (projection, false), &mut features);
        let units = UnitRows::new(&features, embed)?;

        let mut logits = vec![0.0; images * classes];
        let sizes = (images, classes, embed);
        matrix_product(sizes, (units.rows(), false), (self.text, true), &mut logits);
        let factor = share as f32 * self.scale;
        let losses: Vec<(f64, bool)> = logits
            .par_chunks_exact_mut(classes)
            .zip(labels)
            .map(|(row, own)| cross_entropy(row, own, self.scale, factor))
            .collect();

        let mut d_features = features;
        let sizes = (images, embed, classes);
        matrix_product(sizes, (&logits, false), (self.text, false), &mut d_features);
        units.backward(&mut d_features);
        let sum = losses.iter().map(|(loss, _)| loss).sum();
        let right = losses.iter().filter(|(_, right)| *right).count();
        Ok((sum, right, d_features))
    }

    /// The width, where all sizes fit.
    fn check(&self, projection: &[f32], images: &[f32], labels: &[Vec<u32>]) -> Result<usize> {
        let incompatible = |what: String| Err(MethodError::Incompatible { what, hint: None });
        let (embed, size) = (self.embed, projection.len());
        let sound = embed > 0 && size > 0 && size.is_multiple_of(embed) && !self.text.is_empty();
        if !sound || size != self.origin.len() || !self.text.len().is_multiple_of(embed) {
            return incompatible(format!(
                "a projection of {size} values, one of {} to be near to and {} values of text \
                 features: expected rows of {embed}",
                self.origin.len(),
                self.text.len()
            ));
        }
        let width = size / embed;
        if labels.is_empty() || images.len() != labels.len() * width {
            return incompatible(format!(
                "{} values before the projection: expected {} images x {width}",
                images.len(),
                labels.len()
            ));
        }
        let classes = self.text.len() / embed;
        let beyond = |&&label: &&u32| label as usize >= classes;
        match labels.iter().flatten().find(beyond) {
            Some(label) => incompatible(format!(
                "an image has class {label}: expected a number below {classes}"
            )),
            None => Ok(width),
        }
    }
}

/// The loss of one row of cosines and whether its largest is one of `labels`; the row becomes
/// `factor` times the gradient of the loss in the logits, which are `scale` times the cosines.
fn cross_entropy(row: &mut [f32], labels: &[u32], scale: f32, factor: f32) -> (f64, bool) {
    if labels.is_empty() {
        row.fill(0.0);
        return (0.0, false);
    }
    let top = first_largest(row);
    let largest = row[top];
    let part = 1.0 / labels.len() as f32;
    let own: f64 = labels
        .iter()
        .map(|&label| f64::from(scale * (row[label as usize] - largest)))
        .sum();
    for cosine in row.iter_mut() {
        *cosine = (scale * (*cosine - largest)).exp();
    }
    let sum: f64 = row.iter().map(|&power| f64::from(power)).sum();
    let share = (f64::from(factor) / sum) as f32;
    for power in row.iter_mut() {
        *power *= share;
    }
    for &label in labels {
        row[label as usize] -= factor * part;
    }
    let loss = sum.ln() - own * f64::from(part);
    (loss, labels.contains(&(top as u32)))
}
