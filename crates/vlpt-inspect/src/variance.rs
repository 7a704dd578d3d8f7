//! How much the images of a class and the texts of the classes vary, which the UPT paper (Zang et
//! al., "Unified Vision and Language Prompt Learning", arXiv 2210.07225) holds against the gains of
//! visual and of text prompts.
//!
//! With all features divided by their length, `x_i` of images and `t_c` of class texts:
//!
//! ```text
//! intra-class visual variance = 1/C  sum over classes c  1/n_c  sum over images i of c  |x_i - m_c|^2,
//!                               m_c = mean of the x_i of c
//! inter-class text variance   = 1/C  sum over classes c  |t_c - m|^2,   m = mean of the t_c
//! ```
//!
//! Both are between 0 and 1. The mean of `n` images lies nearer to them than the true mean does, by
//! the factor `(n - 1) / n` on average: with few images in a class the first one comes out low.

use serde::Serialize;
use vlpt_adapter::AdapterError;
use vlpt_clip::Clip;
use vlpt_data::{Split, Task};
use vlpt_methods::zeroshot;

use crate::Result;

/// What was found of one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variances {
    /// The data set.
    pub task: String,
    /// Number of classes.
    pub classes: usize,
    /// Classes with an image; the others have no visual variance and are left out of it.
    pub classes_with_images: usize,
    /// Number of images.
    pub images: usize,
    /// Images in the class with the fewest, classes without one aside.
    pub fewest: usize,
    /// Intra-class visual variance.
    pub visual: f64,
    /// Inter-class text variance.
    pub text: f64,
}

/// Both variances of a data set: of the features of a split's images (images x embed, in the order
/// of the split, of any length) and of its class names in its own templates. An image of several
/// classes counts in each.
///
/// # Errors
/// A template or class name that makes no text, or no image with a class.
pub fn variances(clip: &Clip, task: &Task, split: &Split, features: &[f32]) -> Result<Variances> {
    let embed = clip.config.embed_dim;
    let texts = zeroshot::classifier(clip, &task.classes, &task.templates);
    let texts = texts.map_err(AdapterError::from)?;
    let labels: Vec<&[u32]> = split.samples.iter().map(|item| &*item.labels).collect();
    let counts = split.class_counts(task.classes.len());
    let seen: Vec<usize> = counts.iter().copied().filter(|&n| n > 0).collect();
    let Some(&fewest) = seen.iter().min() else {
        return Err(AdapterError::Incompatible {
            what: format!("{}: no image has a class", task.name),
            hint: Some("choose another split or data set".to_owned()),
        }
        .into());
    };
    Ok(Variances {
        task: task.name.clone(),
        classes: task.classes.len(),
        classes_with_images: seen.len(),
        images: split.len(),
        fewest,
        visual: within_classes(features, embed, &labels, task.classes.len()),
        text: spread(&units(&texts, embed)),
    })
}

/// Mean over the classes with an image of [`spread`] of their images.
pub fn within_classes(features: &[f32], embed: usize, labels: &[&[u32]], classes: usize) -> f64 {
    let units = units(features, embed);
    let mut of_class: Vec<Vec<Vec<f64>>> = vec![Vec::new(); classes];
    for (unit, labels) in units.iter().zip(labels) {
        for &label in *labels {
            if let Some(rows) = of_class.get_mut(label as usize) {
                rows.push(unit.clone());
            }
        }
    }
    let spreads: Vec<f64> = of_class
        .iter()
        .filter(|rows| !rows.is_empty())
        .map(|rows| spread(rows))
        .collect();
    spreads.iter().sum::<f64>() / spreads.len().max(1) as f64
}

/// Mean squared distance of vectors from their mean; 0 of none.
pub fn spread(rows: &[Vec<f64>]) -> f64 {
    let Some(first) = rows.first() else {
        return 0.0;
    };
    let mut mean = vec![0.0; first.len()];
    for row in rows {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value / rows.len() as f64;
        }
    }
    let distance = |row: &Vec<f64>| -> f64 {
        let pairs = row.iter().zip(&mean);
        pairs.map(|(value, mean)| (value - mean).powi(2)).sum()
    };
    rows.iter().map(distance).sum::<f64>() / rows.len() as f64
}

/// Rows of `embed` values divided by their length, in f64; a row of zeros stays as it is.
pub fn units(rows: &[f32], embed: usize) -> Vec<Vec<f64>> {
    let unit = |row: &[f32]| {
        let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
        let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 1.0 };
        row.into_iter().map(|v| v * scale).collect()
    };
    rows.chunks_exact(embed.max(1)).map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_of_the_plane_come_out_by_hand() {
        // class 0: two opposite directions, mean 0, distance 1 each; class 1: one image, no spread
        let features = [2.0, 0.0, -3.0, 0.0, 0.0, 5.0];
        let labels: [&[u32]; 3] = [&[0], &[0], &[1]];
        assert!((within_classes(&features, 2, &labels, 2) - 0.5).abs() < 1e-12);
        // a class without images takes no part
        assert!((within_classes(&features, 2, &labels, 3) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_image_of_two_classes_counts_in_both() {
        let features = [1.0, 0.0, 0.0, 1.0];
        let labels: [&[u32]; 2] = [&[0, 1], &[1]];
        // class 0: 0; class 1: mean (1/2, 1/2), distance 1/2 each
        assert!((within_classes(&features, 2, &labels, 2) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn the_spread_of_unit_vectors_is_one_less_the_square_of_their_mean() {
        let rows = units(&[3.0, 4.0, 1.0, 0.0, 0.0, -2.0], 2);
        let mean = [(0.6 + 1.0) / 3.0, (0.8 - 1.0) / 3.0];
        let expected = 1.0 - (mean[0] * mean[0] + mean[1] * mean[1]);
        assert!((spread(&rows) - expected).abs() < 1e-7);
        assert_eq!(spread(&[]), 0.0);
    }
}
