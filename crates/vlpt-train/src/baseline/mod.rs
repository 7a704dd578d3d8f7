//! Baselines: from image features to a classifier.
//!
//! [`fit`] is given training images and, where the run has some, validation images; test images
//! never come here. What a baseline has to choose, it chooses on images it was not fitted to: see
//! [`held_out`].

mod finetune;
mod held_out;
mod probe;
mod tip;

use std::path::Path;

use serde_json::{Value, json};
use vlpt_clip::Clip;
use vlpt_data::{Metric, Sample};
use vlpt_methods::MethodConfig;
use vlpt_methods::baselines::{TemplateChoice, TipAdapter};
use vlpt_methods::zeroshot;

use crate::{EpochEnd, Observer, Result, TrainError};

/// What a baseline is fitted from; nothing else reaches it.
pub(crate) struct Inputs<'a> {
    /// The baseline and its options.
    pub(crate) method: &'a MethodConfig,
    /// The run's seed; only the order of images in Tip-Adapter-F depends on it.
    pub(crate) seed: u64,
    /// The frozen model.
    pub(crate) clip: &'a Clip,
    /// Class names.
    pub(crate) classes: &'a [String],
    /// The task's own templates.
    pub(crate) templates: &'a [String],
    /// Whether an image may show several classes.
    pub(crate) multi_label: bool,
    /// What hyper-parameters are chosen by.
    pub(crate) metric: Metric,
    /// Training images.
    pub(crate) train: &'a [Sample],
    /// Their features, one block (images x embed) for each view; not normalised.
    pub(crate) views: &'a [Vec<f32>],
    /// Validation images; can be empty.
    pub(crate) val: &'a [Sample],
    /// Their features, images x embed; not normalised.
    pub(crate) val_features: &'a [f32],
    /// The run folder, for messages.
    pub(crate) dir: &'a Path,
}

/// A fitted baseline.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    /// What its classifier is made of.
    pub(crate) head: FittedHead,
    /// The templates that class names went into, where they did.
    pub(crate) templates: Option<Vec<String>>,
    /// Number of values that were learned.
    pub(crate) parameters: usize,
    /// The task's metric on the validation images, where there are some that were not trained on.
    pub(crate) val: Option<f64>,
    /// The epochs of training, where there was any.
    pub(crate) epochs: Vec<EpochEnd>,
    /// Hyper-parameters, by what they were chosen, and what was measured, for `metrics.json`.
    pub(crate) metrics: Value,
}

/// The parts of a baseline's classifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FittedHead {
    /// Normalised text features, classes x embed.
    Text(Vec<f32>),
    /// `x W^T + b`.
    Linear {
        /// Whether `x` is divided by its length.
        normalised: bool,
        /// Classes x embed.
        weight: Vec<f32>,
        /// One for each class.
        bias: Vec<f32>,
    },
    /// Text features and a cache.
    Cached(TipAdapter),
}

/// Fits a baseline. The result does not depend on the number of threads.
///
/// # Errors
/// Options that make no sense, features and images that do not go together, templates that cannot
/// be used, a prompt method, or a stop that the observer asked for.
pub(crate) fn fit(inputs: &Inputs, observer: &dyn Observer) -> Result<Fitted> {
    inputs.check()?;
    match inputs.method {
        MethodConfig::ZeroShot(config) => {
            let (templates, text) = inputs.text(config.templates)?;
            let val = inputs.val_metric(|images| inputs.cosines(&text, images), observer)?;
            Ok(Fitted {
                head: FittedHead::Text(text),
                metrics: json!({"templates": templates.len()}),
                templates: Some(templates),
                parameters: 0,
                val,
                epochs: Vec::new(),
            })
        }
        MethodConfig::LinearProbe(config) => {
            config.check()?;
            probe::fit(inputs, config, observer)
        }
        MethodConfig::TipAdapter(config) => {
            config.check()?;
            tip::fit(inputs, config, observer)
        }
        _ => Err(unfit(
            format!("{} is no baseline", inputs.method.name()),
            None,
        )),
    }
}

impl Inputs<'_> {
    fn embed(&self) -> usize {
        self.clip.config.embed_dim
    }

    fn check(&self) -> Result<()> {
        let (train, val) = (self.train.len(), self.val.len());
        if self.views.is_empty() && !matches!(self.method, MethodConfig::ZeroShot(_)) {
            return Err(unfit(
                format!(
                    "{} works on image features computed once",
                    self.method.name()
                ),
                Some("set views.mode to \"none\" or \"bank\""),
            ));
        }
        let fits = |features: &[f32], images: usize| features.len() == images * self.embed();
        let views = self.views.iter().all(|view| fits(view, train));
        if !views || !fits(self.val_features, val) {
            return Err(unfit(
                format!("features do not belong to {train} training and {val} validation images"),
                None,
            ));
        }
        Ok(())
    }

    /// The templates of a choice, and the text features made of them.
    fn text(&self, choice: TemplateChoice) -> Result<(Vec<String>, Vec<f32>)> {
        let general = vlpt_data::catalogue::template_set("imagenet-80");
        let general = general.map_or(&[][..], |set| &set.templates);
        let templates = choice.of(self.templates, general);
        let text = zeroshot::classifier(self.clip, self.classes, &templates)?;
        Ok((templates, text))
    }

    /// Zero-shot logits of image features.
    fn cosines(&self, text: &[f32], images: &[f32]) -> Result<Vec<f32>> {
        let (classes, embed) = (self.classes, self.embed());
        let scale = self.clip.logit_scale;
        crate::Classifier::cosine(classes, embed, text.to_vec(), scale)?.logits(self.clip, images)
    }

    /// The metric on the validation images, where they can tell it.
    fn val_metric(
        &self,
        logits: impl FnOnce(&[f32]) -> Result<Vec<f32>>,
        observer: &dyn Observer,
    ) -> Result<Option<f64>> {
        if held_out::HeldOut::of(self, observer) != held_out::HeldOut::Validation {
            return Ok(None);
        }
        let labels: Vec<Vec<u32>> = self.val.iter().map(|item| item.labels.clone()).collect();
        let logits = logits(self.val_features)?;
        held_out::metric(self, &logits, &labels).map(Some)
    }

    /// An error once the observer wants the run to stop: a baseline is quick, and begins anew.
    fn stop(&self, observer: &dyn Observer) -> Result<()> {
        if observer.should_stop() {
            return Err(TrainError::Stopped {
                dir: self.dir.to_owned(),
                epochs: 0,
            });
        }
        Ok(())
    }
}

fn unfit(what: String, hint: Option<&str>) -> TrainError {
    TrainError::Unfit {
        what,
        hint: hint.map(str::to_owned),
    }
}

/// The rows of some images.
fn rows(features: &[f32], images: &[usize], embed: usize) -> Vec<f32> {
    let row = |&image: &usize| &features[image * embed..(image + 1) * embed];
    images.iter().flat_map(row).copied().collect()
}

#[cfg(test)]
mod tests;
