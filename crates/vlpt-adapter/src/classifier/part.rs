//! The part of a classifier for some of its classes.

use std::ops::Range;

use super::{Classifier, Head};

impl Classifier {
    /// The classifier for these of its classes alone. A logit keeps its bits; probabilities are
    /// among these classes.
    #[must_use]
    pub fn part(&self, classes: &Range<usize>) -> Self {
        let embed = self.embed;
        let rows = |values: &[f32], width: usize| {
            values[classes.start * width..classes.end * width].to_vec()
        };
        let head = match &self.head {
            Head::Cosine {
                features,
                logit_scale,
            } => Head::Cosine {
                features: rows(features, embed),
                logit_scale: *logit_scale,
            },
            Head::Conditional {
                method,
                texts,
                logit_scale,
            } => Head::Conditional {
                method: method.clone(),
                texts: texts[classes.clone()].to_vec(),
                logit_scale: *logit_scale,
            },
            Head::Features(head) => Head::Features(head.part(classes)),
        };
        Self::with_head(&self.classes[classes.clone()], embed, head)
            .with_visual(self.visual.clone())
    }
}
