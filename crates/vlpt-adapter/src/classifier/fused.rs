//! Logits of images that have two features each.

use vlpt_methods::{MethodError, UnitRows};

use super::{Classifier, Head};
use crate::Result;

impl Classifier {
    /// The same classifier for images of two features, the first of which has these shares in the
    /// logits of the classes; as it is where the second one counts for none.
    #[must_use]
    pub(crate) fn fused(mut self, shares: Vec<f32>) -> Self {
        if let Head::Cosine {
            features,
            logit_scale,
        } = &mut self.head
            && shares.iter().any(|&share| share < 1.0)
        {
            self.head = Head::Fused {
                features: std::mem::take(features),
                logit_scale: *logit_scale,
                shares,
            };
        }
        self
    }
}

/// Logits (images x classes) of unit features, two an image, one behind the other.
pub(super) fn logits(
    images: &UnitRows,
    texts: &UnitRows,
    scale: f32,
    shares: &[f32],
) -> Result<Vec<f32>> {
    if !images.len().is_multiple_of(2) {
        return Err(MethodError::Incompatible {
            what: format!(
                "{} image features for a classifier that needs two of each image",
                images.len()
            ),
            hint: Some("embed images with the prompt that the classifier belongs to".to_owned()),
        }
        .into());
    }
    let classes = texts.len();
    let both = images.logits(texts, scale)?;
    Ok(both
        .chunks_exact((2 * classes).max(1))
        .flat_map(|both| {
            let (own, rows) = both.split_at(classes);
            own.iter()
                .zip(rows)
                .zip(shares)
                .map(|((own, rows), &share)| mix(*own, *rows, share))
        })
        .collect())
}

/// `share own + (1 - share) other`; exactly one of them where the other has no share.
fn mix(own: f32, other: f32, share: f32) -> f32 {
    if share == 1.0 {
        own
    } else if share == 0.0 {
        other
    } else {
        share * own + (1.0 - share) * other
    }
}
