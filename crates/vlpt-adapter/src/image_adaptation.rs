//! What a classifier changes in the image tower.

use std::fmt;
use std::sync::Arc;

use vlpt_autograd::Tensor;
use vlpt_base::hash::sha256;
use vlpt_clip::{Clip, TowerAdaptation};
use vlpt_methods::{Method, MethodError, Parameter, Pass, TowerValues, UnitRows};

use crate::Result;

/// What images must be embedded with.
#[derive(Clone)]
pub enum ImageAdaptation {
    /// The same for every image.
    Fixed(TowerValues),
    /// Made of each image's features under the frozen tower.
    PerImage(Arc<dyn Method>),
}

impl ImageAdaptation {
    /// That of a method's parameters as they are; none where it leaves the image tower as it is. What
    /// depends on the image follows later changes of the parameters.
    ///
    /// # Errors
    /// A tensor operation that failed.
    pub fn of_method(method: &Arc<dyn Method>) -> Result<Option<Self>> {
        let needs = method.needs();
        if !needs.pixels {
            return Ok(None);
        }
        if needs.visual_per_image {
            return Ok(Some(Self::PerImage(Arc::clone(method))));
        }
        let values = method.adapt(&Pass::EVAL)?.visual.values()?;
        Ok((!values.is_empty()).then_some(Self::Fixed(values)))
    }

    /// How many features an image has under it: that of the class token, and one of the learned rows
    /// where they have a projection.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Fixed(values) => 1 + usize::from(values.row_projection.is_some()),
            Self::PerImage(_) => 1,
        }
    }

    /// The same with the feature of the class token alone.
    #[must_use]
    pub fn of_class_token(mut self) -> Self {
        if let Self::Fixed(values) = &mut self {
            values.row_projection = None;
        }
        self
    }

    /// Numbers of an image's features under an adaptation, or under none, of features of length
    /// `embed`.
    pub fn width(this: Option<&Self>, embed: usize) -> usize {
        this.map_or(1, Self::outputs) * embed
    }

    /// The prompts, where they are the same for every image.
    pub fn prompts(&self) -> Option<&vlpt_methods::PromptValues> {
        match self {
            Self::Fixed(values) => values.prompts.as_ref(),
            Self::PerImage(_) => None,
        }
    }

    /// Features (n x [`ImageAdaptation::width`]) of pixels (n x 3 x side x side) under an adaptation,
    /// or of the frozen tower; not normalised.
    ///
    /// # Errors
    /// A method that refused the images, or one that makes a second feature of rows that each image has
    /// of its own.
    pub fn features(
        this: Option<&Self>,
        clip: &Clip,
        pixels: &[f32],
        n: usize,
    ) -> Result<Vec<f32>> {
        let rows = Self::tower_rows(this, clip, pixels, n)?;
        Ok(Self::of_tower_rows(this, clip, &rows))
    }

    /// What the tower itself has to be asked for, of which [`ImageAdaptation::of_tower_rows`] makes
    /// features: what is projected (n x width), which is the same under another projection; where
    /// each image has an adaptation of its own or a second feature, its features
    /// (n x [`ImageAdaptation::width`]).
    ///
    /// # Errors
    /// A method that refused the images.
    pub(crate) fn tower_rows(
        this: Option<&Self>,
        clip: &Clip,
        pixels: &[f32],
        n: usize,
    ) -> Result<Vec<f32>> {
        Ok(match this {
            None => clip.vision.unprojected(pixels, n, &TowerAdaptation::NONE),
            Some(fixed @ Self::Fixed(values)) => {
                let updates = values.updates();
                let adaptation = values.for_tower(&updates);
                if fixed.is_projected_last() {
                    clip.vision.unprojected(pixels, n, &adaptation)
                } else {
                    clip.vision.features(pixels, n, &adaptation)
                }
            }
            Some(Self::PerImage(method)) => {
                let frozen = clip.vision.features(pixels, n, &TowerAdaptation::NONE);
                let units = unit_tensor(&frozen, clip.config.embed_dim)?;
                let pass = Pass {
                    images: Some(&units),
                    ..Pass::EVAL
                };
                let values = method.adapt(&pass)?.visual.values()?;
                if values.row_projection.is_some() {
                    return Err(crate::AdapterError::Incompatible {
                        what: format!(
                            "the method {} makes a second feature of rows of each image",
                            method.name()
                        ),
                        hint: Some("make the rows of parameters alone".to_owned()),
                    });
                }
                let updates = values.updates();
                clip.vision.features(pixels, n, &values.for_tower(&updates))
            }
        })
    }

    /// Length of a row of [`ImageAdaptation::tower_rows`].
    pub(crate) fn row_width(this: Option<&Self>, clip: &Clip) -> usize {
        if this.is_none_or(Self::is_projected_last) {
            clip.vision.width()
        } else {
            Self::width(this, clip.config.embed_dim)
        }
    }

    /// Features (n x [`ImageAdaptation::width`]) of rows of the tower.
    pub(crate) fn of_tower_rows(this: Option<&Self>, clip: &Clip, rows: &[f32]) -> Vec<f32> {
        if this.is_none_or(Self::is_projected_last) {
            clip.vision.project(rows, this.and_then(Self::projection))
        } else {
            rows.to_vec()
        }
    }

    /// Whether an image has one feature that a projection common to all images makes at the end.
    pub(crate) fn is_projected_last(&self) -> bool {
        matches!(self, Self::Fixed(values) if values.row_projection.is_none())
    }

    /// Another projection alone (width x embed).
    pub fn of_projection(projection: Vec<f32>) -> Self {
        Self::Fixed(TowerValues {
            projection: Some(projection),
            ..TowerValues::default()
        })
    }

    /// The projection (width x embed), where it is another than the tower's own and the same for
    /// every image.
    pub fn projection(&self) -> Option<&[f32]> {
        match self {
            Self::Fixed(values) => values.projection.as_deref(),
            Self::PerImage(_) => None,
        }
    }

    /// What rows of the tower are known by: shape and every bit of the numbers that they depend on.
    /// None where they are those of the frozen tower.
    pub(crate) fn rows_fingerprint(&self) -> Option<String> {
        match self {
            Self::Fixed(values) if self.is_projected_last() => {
                let before = TowerValues {
                    projection: None,
                    ..values.clone()
                };
                (!before.is_empty()).then(|| Self::Fixed(before).fingerprint())
            }
            _ => Some(self.fingerprint()),
        }
    }

    /// What it is known by: shape and every bit of its numbers.
    pub fn fingerprint(&self) -> String {
        // As text a number has as many digits as tell it from its neighbours.
        match self {
            Self::Fixed(values) => {
                let text = format!("{values:?}");
                format!("image adaptation {}", sha256(text.as_bytes()))
            }
            Self::PerImage(method) => {
                let values: Vec<_> = method.parameters().iter().map(Parameter::values).collect();
                let text = format!("{values:?}");
                format!("per image {} {}", method.name(), sha256(text.as_bytes()))
            }
        }
    }
}

impl PartialEq for ImageAdaptation {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl fmt::Debug for ImageAdaptation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(values) => values.fmt(f),
            Self::PerImage(method) => write!(f, "per image, by {}", method.name()),
        }
    }
}

/// Image features divided by their lengths, as methods take them.
///
/// # Errors
/// A number of values that is no multiple of `embed`.
pub fn unit_tensor(features: &[f32], embed: usize) -> Result<Tensor> {
    let units = UnitRows::new(features, embed)?;
    let values = units.rows().to_vec();
    Ok(Tensor::new(values, &[units.len(), embed]).map_err(MethodError::from)?)
}
