//! Operations on rows: softmax, layer norm, division by length. A row is along the last axis.

use std::sync::Arc;

use crate::shape::axis_of;
use crate::sum::sum;
use crate::{Result, Tensor};

/// A row shorter than this is divided by it instead of by its length, as PyTorch does.
const SHORTEST: f32 = 1e-12;

impl Tensor {
    /// `exp(x) / sum(exp(x))` in each row.
    ///
    /// # Errors
    /// A tensor without axes.
    pub fn softmax(&self) -> Result<Self> {
        let width = self.row_width("softmax")?;
        let (mut exps, mut sums) = (self.to_vec(), Vec::new());
        for row in exps.chunks_exact_mut(width) {
            // The maximum that is taken off for safety does not change the result.
            let maximum = maximum(row);
            for x in row.iter_mut() {
                *x = (*x - maximum).exp();
            }
            sums.push(sum(row));
        }
        let values: Vec<f32> = exps
            .chunks_exact(width)
            .zip(&sums)
            .flat_map(|(row, sum)| row.iter().map(move |power| power / sum))
            .collect();
        Ok(Self::computed(
            values,
            self.shape().to_vec(),
            &[self],
            // By the rule of the quotient: by the power above the line, and by their sum below.
            move |gradient, inputs| {
                let mut d_x = Vec::with_capacity(gradient.len());
                let rows = gradient.chunks_exact(width).zip(exps.chunks_exact(width));
                for ((gradient, exps), total) in rows.zip(&sums) {
                    let below = |(g, power): (&f32, &f32)| -(g * power / (total * total));
                    let below: Vec<f32> = gradient.iter().zip(exps).map(below).collect();
                    let d_sum = sum(&below);
                    let d = |(g, power): (&f32, &f32)| (g / total + d_sum) * power;
                    d_x.extend(gradient.iter().zip(exps).map(d));
                }
                inputs.add(0, d_x)
            },
        ))
    }

    /// The logarithm of the softmax, exact where that is near 0.
    ///
    /// # Errors
    /// A tensor without axes.
    pub fn log_softmax(&self) -> Result<Self> {
        let width = self.row_width("log_softmax")?;
        let mut values = self.to_vec();
        for row in values.chunks_exact_mut(width) {
            let maximum = maximum(row);
            for x in row.iter_mut() {
                *x -= maximum;
            }
            let exps: Vec<f32> = row.iter().map(|x| x.exp()).collect();
            let log = sum(&exps).ln();
            for x in row.iter_mut() {
                *x -= log;
            }
        }
        let values = Arc::new(values);
        let kept = Arc::clone(&values);
        Ok(Self::computed(
            values,
            self.shape().to_vec(),
            &[self],
            move |gradient, inputs| {
                let mut d_x = Vec::with_capacity(gradient.len());
                let rows = gradient.chunks_exact(width).zip(kept.chunks_exact(width));
                for (gradient, logs) in rows {
                    let total = sum(gradient);
                    let d = |(g, log): (&f32, &f32)| g - log.exp() * total;
                    d_x.extend(gradient.iter().zip(logs).map(d));
                }
                inputs.add(0, d_x)
            },
        ))
    }

    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias` in each row (Ba et al., "Layer
    /// normalization", 2016); weight and bias are as long as a row.
    ///
    /// # Errors
    /// A tensor without axes, or weights that do not fit it.
    pub fn layer_norm(&self, weight: &Self, bias: &Self, epsilon: f64) -> Result<Self> {
        let centred = self.sub(&self.mean_keepdim(-1)?)?;
        let variance = centred.sqr().mean_keepdim(-1)?;
        let deviation = (variance + epsilon).sqrt();
        centred.div(&deviation)?.mul(weight)?.add(bias)
    }

    /// Each row divided by its Euclidean length, or by 1e-12 where that is less.
    ///
    /// # Errors
    /// A tensor without axes.
    pub fn l2_normalise(&self) -> Result<Self> {
        let width = self.row_width("l2_normalise")?;
        let (mut units, mut lengths) = (self.to_vec(), Vec::new());
        for row in units.chunks_exact_mut(width) {
            let squares: Vec<f32> = row.iter().map(|x| x * x).collect();
            let length = sum(&squares).sqrt();
            for x in row.iter_mut() {
                *x /= length.max(SHORTEST);
            }
            lengths.push(length);
        }
        let units = Arc::new(units);
        let kept = Arc::clone(&units);
        Ok(Self::computed(
            units,
            self.shape().to_vec(),
            &[self],
            move |gradient, inputs| {
                let mut d_x = Vec::with_capacity(gradient.len());
                let rows = gradient.chunks_exact(width).zip(kept.chunks_exact(width));
                for ((gradient, unit), &length) in rows.zip(&lengths) {
                    // What a gradient has along the row changes only its length, which is 1.
                    let along = if length > SHORTEST {
                        let products: Vec<f32> =
                            gradient.iter().zip(unit).map(|(g, u)| g * u).collect();
                        sum(&products)
                    } else {
                        0.0
                    };
                    let d = |(g, u): (&f32, &f32)| (g - u * along) / length.max(SHORTEST);
                    d_x.extend(gradient.iter().zip(unit).map(d));
                }
                inputs.add(0, d_x)
            },
        ))
    }

    /// The length of a row, at least 1 so that rows of nothing can be counted.
    fn row_width(&self, operation: &'static str) -> Result<usize> {
        let last = axis_of(operation, self.shape(), -1)?;
        Ok(self.shape()[last].max(1))
    }
}

fn maximum(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
