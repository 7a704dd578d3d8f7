//! The classifier that a method's parameters make.

use std::sync::Arc;

use vlpt_clip::Clip;
use vlpt_methods::{Method, Pass, frozen_class_features};

use super::{Classifier, Head, check_texts, rows};
use crate::{AdapterError, ImageAdaptation, Result};

impl Classifier {
    /// The classifier of a method's parameters as they are, for the classes that they were trained on,
    /// with its visual prompts. A conditional method is kept and follows later changes of its
    /// parameters; any other is read once.
    ///
    /// # Errors
    /// Class names that the method cannot be used with.
    pub fn of_method(clip: &Clip, method: Arc<dyn Method>, classes: &[String]) -> Result<Self> {
        Self::of_trained(clip, method, classes, classes)
    }

    /// As [`Classifier::of_method`], for any classes after a training on the classes `trained`, of which
    /// some may be among them: what was learned for a class by itself goes by its name.
    ///
    /// # Errors
    /// As [`Classifier::of_method`].
    pub fn of_trained(
        clip: &Clip,
        method: Arc<dyn Method>,
        classes: &[String],
        trained: &[String],
    ) -> Result<Self> {
        let texts = method.texts(&clip.tokenizer, classes)?;
        let needs = method.needs();
        if needs.texts_per_image && needs.pixels {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "the method {} makes texts of each image and changes the image tower too",
                    method.name()
                ),
                hint: Some("make one of the two of parameters alone".to_owned()),
            });
        }
        if needs.texts_per_image {
            return Ok(Self::with_head(
                classes,
                clip.config.embed_dim,
                Head::Conditional {
                    method,
                    texts,
                    logit_scale: clip.logit_scale,
                },
            ));
        }
        let frozen = frozen_class_features(method.as_ref(), clip, classes)?;
        let pass = Pass {
            classes: frozen.as_ref(),
            ..Pass::EVAL
        };
        let text = method.adapt(&pass)?.text.values()?;
        let updates = text.updates();
        let adaptation = text.for_tower(&updates);
        let names = (classes, trained);
        let features = rows::features(clip, method.as_ref(), texts, &adaptation, names)?;
        check_texts(classes, &features)?;
        Self::of_texts(clip, &method, classes, trained, features)
    }

    /// The classifier of the features that a method's texts for `classes` have (classes x embed, not
    /// normalised), with its visual prompts, after a training on the classes `trained`.
    ///
    /// # Errors
    /// A tensor operation that failed.
    pub fn of_texts(
        clip: &Clip,
        method: &Arc<dyn Method>,
        classes: &[String],
        trained: &[String],
        features: Vec<f32>,
    ) -> Result<Self> {
        let visual = ImageAdaptation::of_method(method)?;
        let mut classifier = Self::new(clip, classes, features);
        let two = visual.as_ref().is_some_and(|visual| visual.outputs() > 1);
        if let Some(fusion) = method.fusion().filter(|_| two) {
            classifier = classifier.fused(fusion.shares(classes, trained));
        }
        Ok(classifier.with_visual(visual))
    }
}
