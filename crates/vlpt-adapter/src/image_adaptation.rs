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

    /// The prompts, where they are the same for every image.
    pub fn prompts(&self) -> Option<&vlpt_methods::PromptValues> {
        match self {
            Self::Fixed(values) => values.prompts.as_ref(),
            Self::PerImage(_) => None,
        }
    }

    /// Features (n x embed) of pixels (n x 3 x side x side) under an adaptation, or of the frozen
    /// tower; not normalised.
    ///
    /// # Errors
    /// A method that refused the images.
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
    /// each image has an adaptation of its own, its features (n x embed).
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
            Some(Self::Fixed(values)) => {
                let updates = values.updates();
                let adaptation = values.for_tower(&updates);
                clip.vision.unprojected(pixels, n, &adaptation)
            }
            Some(Self::PerImage(method)) => {
                let frozen = clip.vision.features(pixels, n, &TowerAdaptation::NONE);
                let units = unit_tensor(&frozen, clip.config.embed_dim)?;
                let pass = Pass {
                    images: Some(&units),
                    ..Pass::EVAL
                };
                let values = method.adapt(&pass)?.visual.values()?;
                let updates = values.updates();
                clip.vision.features(pixels, n, &values.for_tower(&updates))
            }
        })
    }

    /// Length of a row of [`ImageAdaptation::tower_rows`].
    pub(crate) fn row_width(this: Option<&Self>, clip: &Clip) -> usize {
        match this {
            None | Some(Self::Fixed(_)) => clip.vision.width(),
            Some(Self::PerImage(_)) => clip.config.embed_dim,
        }
    }

    /// Features (n x embed) of rows of the tower.
    pub(crate) fn of_tower_rows(this: Option<&Self>, clip: &Clip, rows: &[f32]) -> Vec<f32> {
        match this {
            None => clip.vision.project(rows, None),
            Some(Self::Fixed(values)) => clip.vision.project(rows, values.projection.as_deref()),
            Some(Self::PerImage(_)) => rows.to_vec(),
        }
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
            Self::Fixed(values) => {
                let before = TowerValues {
                    projection: None,
                    prompts: values.prompts.clone(),
                    updates: values.updates.clone(),
                };
                (!before.is_empty()).then(|| Self::Fixed(before).fingerprint())
            }
            Self::PerImage(_) => Some(self.fingerprint()),
        }
    }

    /// What it is known by: shape and every bit of its numbers.
    pub(crate) fn fingerprint(&self) -> String {
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
