//! A step of a stage that trains the classes' features, with the towers as they are.

use vlpt_adapter::ImageAdaptation;

use super::images::BatchImages;
use super::regulariser::rows_of;
use super::stages::StageState;
use super::step::{Step, StepEngine, StepResult};
use crate::{Result, TrainError};

impl StepEngine<'_> {
    /// Loss of a step and its gradient in the features of all classes, of which the step's are a part:
    /// those of other classes have none.
    ///
    /// # Errors
    /// A method that refused the images, or has no features of classes.
    pub(super) fn class_features_pass(
        &self,
        stage: &StageState,
        step: &Step,
        images: &BatchImages,
    ) -> Result<StepResult> {
        let (n, width) = (step.targets.len(), self.work.clip.config.embed_dim);
        let tuned = self.tuned_features(stage.visual.as_ref(), images, n)?;
        let [parameter] = &stage.trained[..] else {
            return Err(TrainError::Incompatible {
                what: "a stage trains features of classes, but the method has none".to_owned(),
                hint: Some("let its `class_features` name a parameter".to_owned()),
            });
        };
        let ranges = &step.scope.ranges;
        let own = rows_of(&parameter.values()?, width, ranges);
        let output = self.loss_with(step, 0..n, &tuned, &own, (false, true))?;
        let mut gradient = vec![0.0; parameter.len()];
        let mut d_own = &output.d_texts[..];
        for range in ranges {
            let (first, rest) = d_own.split_at(range.len() * width);
            gradient[range.start * width..range.end * width].copy_from_slice(first);
            d_own = rest;
        }
        Ok(StepResult {
            loss: output.loss,
            logits: output.logits,
            gradients: vec![gradient],
        })
    }

    /// Features of `n` images under what is changed in the image tower, as the tower gives them
    /// (images x embed). Features that are given are taken for such.
    ///
    /// # Errors
    /// A method that refused the images.
    pub(super) fn tuned_features(
        &self,
        visual: Option<&ImageAdaptation>,
        images: &BatchImages,
        n: usize,
    ) -> Result<Vec<f32>> {
        match images {
            BatchImages::Features(features) => Ok(features.clone()),
            BatchImages::Pixels(pixels) => {
                let clip = self.work.clip;
                Ok(ImageAdaptation::features(visual, clip, pixels, n)?)
            }
        }
    }
}
