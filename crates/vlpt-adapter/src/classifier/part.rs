//! The part of a classifier for some of its classes.

use super::{Classifier, Head};

impl Classifier {
    /// The classifier for these of its classes alone, by number and in this order. A logit keeps its
    /// bits; probabilities are among these classes.
    #[must_use]
    pub fn part(&self, classes: &[usize]) -> Self {
        let embed = self.embed;
        let rows = |features: &[f32]| -> Vec<f32> {
            let row = |&class: &usize| &features[class * embed..(class + 1) * embed];
            classes.iter().flat_map(row).copied().collect()
        };
        let head = match &self.head {
            Head::Cosine {
                features,
                logit_scale,
            } => Head::Cosine {
                features: rows(features),
                logit_scale: *logit_scale,
            },
            Head::Fused {
                features,
                logit_scale,
                shares,
            } => Head::Fused {
                features: rows(features),
                logit_scale: *logit_scale,
                shares: classes.iter().map(|&class| shares[class]).collect(),
            },
            Head::Conditional {
                method,
                texts,
                logit_scale,
            } => Head::Conditional {
                method: method.clone(),
                texts: classes.iter().map(|&class| texts[class].clone()).collect(),
                logit_scale: *logit_scale,
            },
            Head::Features(head) => Head::Features(head.part(classes)),
        };
        let names: Vec<String> = classes.iter().map(|&c| self.classes[c].clone()).collect();
        Self {
            temperature: self.temperature,
            ..Self::with_head(&names, embed, head).with_visual(self.visual.clone())
        }
    }

    /// The same classifier with other names for its classes, one each.
    #[must_use]
    pub(crate) fn named(mut self, classes: &[String]) -> Self {
        debug_assert_eq!(self.classes.len(), classes.len());
        self.classes = classes.to_vec();
        self
    }
}
