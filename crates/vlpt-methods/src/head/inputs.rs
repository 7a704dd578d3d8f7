//! What a classifier of image features is fitted from; nothing else reaches it.

use vlpt_clip::{Clip, Observer};

use crate::baselines::TemplateChoice;
use crate::baselines::held_out::HeldOut;
use crate::baselines::zero_shot;
use crate::head::{UnitRows, Unprojected};
use crate::{MethodConfig, MethodError, Result};

/// The metric of logits (images x classes) of images with these classes; none where they cannot
/// tell it.
pub type Metric<'a> = dyn Fn(&[f32], &[Vec<u32>]) -> Option<f64> + Sync + 'a;

/// Images by what a fit may know of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labelled<'a> {
    /// A name for each, by which one is known again in another split.
    pub ids: &'a [String],
    /// The classes of each.
    pub labels: &'a [Vec<u32>],
}

impl Labelled<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Training and validation images, the task they are of, and how results are judged.
#[derive(Clone, Copy)]
pub struct HeadInputs<'a> {
    /// The run's seed.
    pub seed: u64,
    /// The frozen model.
    pub clip: &'a Clip,
    /// Class names.
    pub classes: &'a [String],
    /// The task's own templates.
    pub templates: &'a [String],
    /// Templates for any task.
    pub general_templates: &'a [String],
    /// Whether an image may show several classes.
    pub multi_label: bool,
    /// What an image of each class weighs in the loss; none: all alike.
    pub class_weights: Option<&'a [f64]>,
    /// The name of what hyper-parameters are chosen by.
    pub metric_name: &'a str,
    /// How logits are judged.
    pub metric: &'a Metric<'a>,
    /// A random order of so many images in an epoch.
    pub order: &'a (dyn Fn(usize, usize) -> Vec<usize> + Sync),
    /// Training images.
    pub train: Labelled<'a>,
    /// Their features, one block (images x embed) for each view; not normalised. Of a method that
    /// works on what is before the projection there is none.
    pub views: &'a [Vec<f32>],
    /// Images before the tower's last projection, for methods that
    /// [need](crate::Needs::unprojected) them.
    pub unprojected: Option<Unprojected<'a>>,
    /// Validation images; can be none.
    pub val: Labelled<'a>,
    /// Their features, images x embed; not normalised.
    pub val_features: &'a [f32],
}

impl HeadInputs<'_> {
    /// Length of a feature.
    pub fn embed(&self) -> usize {
        self.clip.config.embed_dim
    }

    /// Refuses features that do not belong to the images, and a method that needs some where there
    /// are none.
    ///
    /// # Errors
    /// [`MethodError::Incompatible`].
    pub fn check(&self, method: &MethodConfig) -> Result<()> {
        let (train, val) = (self.train.len(), self.val.len());
        let needs = method.needs();
        let views = match (needs.unprojected, &self.unprojected) {
            (true, Some(unprojected)) => unprojected.train.count(),
            (true, None) => 0,
            (false, _) => self.views.len(),
        };
        if views == 0 && !needs.no_images {
            return Err(MethodError::Incompatible {
                what: format!("{method} works on image features computed once"),
                hint: Some("set views.mode to \"none\" or \"bank\"".to_owned()),
            });
        }
        let fits = |features: &[f32], images: usize| features.len() == images * self.embed();
        let views = self.views.iter().all(|view| fits(view, train));
        let width = self.clip.vision.width();
        let unprojected = self
            .unprojected
            .is_none_or(|rows| rows.val.len() == val * width);
        if !views || !unprojected || !fits(self.val_features, val) {
            return Err(MethodError::Incompatible {
                what: format!(
                    "features do not belong to {train} training and {val} validation images"
                ),
                hint: None,
            });
        }
        Ok(())
    }

    /// The templates of a choice, and the text features made of them (classes x embed, normalised).
    pub(crate) fn text(&self, choice: TemplateChoice) -> Result<(Vec<String>, Vec<f32>)> {
        let templates = choice.of(self.templates, self.general_templates);
        let text = zero_shot::classifier(self.clip, self.classes, &templates)?;
        Ok((templates, text))
    }

    /// The templates of a choice, and the means of the text features made of them (classes x embed),
    /// nothing of which is divided by its length.
    pub(crate) fn text_means(&self, choice: TemplateChoice) -> Result<(Vec<String>, Vec<f32>)> {
        let templates = choice.of(self.templates, self.general_templates);
        let means = zero_shot::means(self.clip, self.classes, &templates, false)?;
        Ok((templates, means))
    }

    /// The metric on the validation images, where they can tell it.
    pub(crate) fn val_metric(
        &self,
        logits: impl FnOnce(&[f32]) -> Result<Vec<f32>>,
        observer: &dyn Observer,
    ) -> Result<Option<f64>> {
        if HeldOut::of(self, observer) != HeldOut::Validation {
            return Ok(None);
        }
        let logits = logits(self.val_features)?;
        self.judge(&logits, self.val.labels).map(Some)
    }

    /// The metric of logits, which these images can tell.
    pub(crate) fn judge(&self, logits: &[f32], labels: &[Vec<u32>]) -> Result<f64> {
        (self.metric)(logits, labels).ok_or_else(|| MethodError::Incompatible {
            what: format!("{} is undefined on the held-out images", self.metric_name),
            hint: None,
        })
    }

    /// An error once the observer wants the run to stop: a fit is quick, and begins anew.
    pub(crate) fn stop(&self, observer: &dyn Observer) -> Result<()> {
        if observer.should_stop() {
            return Err(MethodError::Stopped);
        }
        Ok(())
    }

    /// Zero-shot logits of image features: cosines with `text` times the logit scale.
    pub(crate) fn cosines(&self, text: &[f32], images: &[f32]) -> Result<Vec<f32>> {
        let images = UnitRows::new(images, self.embed())?;
        images.logits(&UnitRows::new(text, self.embed())?, self.clip.logit_scale)
    }
}
