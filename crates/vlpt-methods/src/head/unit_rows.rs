//! Features of length one, and what is done with rows.

use rayon::prelude::*;

use crate::{MethodError, Result};

/// Rows divided by their Euclidean lengths; a row of zeros stays, and has no gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRows {
    rows: Vec<f32>,
    lengths: Vec<f32>,
    width: usize,
}

impl UnitRows {
    /// Normalises `features`, rows x `width`.
    ///
    /// # Errors
    /// [`MethodError::Incompatible`] when the number of values is not a multiple of `width`.
    pub fn new(features: &[f32], width: usize) -> Result<Self> {
        if width == 0 || !features.len().is_multiple_of(width) {
            return Err(MethodError::Incompatible {
                what: format!("{} feature values are no rows of {width}", features.len()),
                hint: None,
            });
        }
        let mut rows = features.to_vec();
        let lengths = rows
            .par_chunks_exact_mut(width)
            .with_min_len(ROWS)
            .map(|row| {
                let length = dot(row, row).sqrt();
                if length > 0.0 {
                    for value in row {
                        *value /= length;
                    }
                }
                length
            })
            .collect();
        Ok(Self {
            rows,
            lengths,
            width,
        })
    }

    /// Cosines of these rows, images, with others, classes, times `scale`: images x classes.
    ///
    /// # Errors
    /// [`MethodError::Incompatible`] when the widths differ.
    pub fn logits(&self, texts: &Self, scale: f32) -> Result<Vec<f32>> {
        if self.width != texts.width {
            return Err(MethodError::Incompatible {
                what: format!(
                    "image features of width {} and text features of width {}",
                    self.width, texts.width
                ),
                hint: Some("take both from one model".to_owned()),
            });
        }
        let mut logits = vec![0.0; self.len() * texts.len()];
        logits
            .par_chunks_exact_mut(texts.len().max(1))
            .enumerate()
            .for_each(|(image, row)| {
                for (class, logit) in row.iter_mut().enumerate() {
                    *logit = scale * dot(self.row(image), texts.row(class));
                }
            });
        Ok(logits)
    }

    /// The unit rows, one after the other.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One unit row.
    pub fn row(&self, at: usize) -> &[f32] {
        &self.rows[at * self.width..(at + 1) * self.width]
    }

    /// Turns gradients in the unit rows into gradients in the rows as given:
    /// `(d - u (u . d)) / length`.
    pub fn backward(&self, gradients: &mut [f32]) {
        let rows = self.rows.par_chunks_exact(self.width).zip(&self.lengths);
        let both = gradients.par_chunks_exact_mut(self.width).zip(rows);
        both.with_min_len(ROWS)
            .for_each(|(gradient, (unit, &length))| {
                if length > 0.0 {
                    let along = dot(unit, gradient);
                    for (d, &u) in gradient.iter_mut().zip(unit) {
                        *d = (*d - u * along) / length;
                    }
                } else {
                    gradient.fill(0.0);
                }
            });
    }
}

/// Fewer rows than these are not worth a second thread; each is computed by itself.
const ROWS: usize = 64;

/// Dot product in sixteen partial sums, added up in a fixed order.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + tail
}

/// `row += factor * other`.
pub fn add(row: &mut [f32], factor: f32, other: &[f32]) {
    for (value, &o) in row.iter_mut().zip(other) {
        *value += factor * o;
    }
}
