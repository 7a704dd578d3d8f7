//! How alike tasks are: by their images, their class names and their prompts.
//!
//! Every matrix has the sources as rows and the targets as columns; only
//! [`LabelSimilarity::best_match`] differs from its transpose.

mod label;
mod prompt;
mod visual;

pub use label::{LabelSimilarity, TaskLabels, label_similarity, normalised_class_name};
pub use prompt::{PromptMeasure, prompt_similarity};
pub use visual::{FeatureSet, VisualSimilarity, visual_similarity};

use crate::{Result, StudyError};

/// Rows of unit length, in double precision.
fn unit_rows(what: &'static str, features: &[f32], width: usize) -> Result<Vec<Vec<f64>>> {
    if width == 0 || features.is_empty() || !features.len().is_multiple_of(width) {
        return Err(StudyError::numbers(
            what,
            format!("{} values", features.len()),
            format!("rows of {width}, at least one"),
        ));
    }
    features
        .chunks_exact(width)
        .enumerate()
        .map(|(place, row)| {
            let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
            if norm > 0.0 && norm.is_finite() {
                return Ok(row.iter().map(|v| v / norm).collect());
            }
            Err(StudyError::numbers(
                what,
                format!("length {norm} in row {place}"),
                "finite values that are not all zero",
            ))
        })
        .collect()
}

/// Mean of rows of equal length.
fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; rows[0].len()];
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
    sum.iter().map(|s| s / rows.len() as f64).collect()
}

/// Cosine of the angle between two vectors; 0 where one is zero.
fn cosine(x: &[f64], y: &[f64]) -> f64 {
    use crate::linear::dot;
    let norms = (dot(x, x) * dot(y, y)).sqrt();
    if norms > 0.0 {
        (dot(x, y) / norms).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}
