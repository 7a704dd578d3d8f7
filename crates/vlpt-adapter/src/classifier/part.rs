//! The part of a classifier for some of its classes.

use std::ops::Range;

use vlpt_methods::baselines::TipAdapter;

use super::{Classifier, Head};

impl Classifier {
    /// The classifier for these of its classes alone. A logit keeps its bits; probabilities are
    /// among these classes.
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
            Head::Linear {
                normalised,
                weight,
                bias,
            } => Head::Linear {
                normalised: *normalised,
                weight: rows(weight, embed),
                bias: rows(bias, 1),
            },
            Head::Cached(adapter) => Head::Cached(part_of_cache(adapter, classes)),
        };
        Self::with_head(&self.classes[classes.clone()], embed, head)
            .with_visual(self.visual.clone())
    }
}

/// The cache with the values of these classes; a key of none of them adds to no logit.
fn part_of_cache(adapter: &TipAdapter, classes: &Range<usize>) -> TipAdapter {
    let embed = adapter.embed;
    let own = |class: &&u32| classes.contains(&(**class as usize));
    let renumbered = |of: &Vec<u32>| {
        let own = of.iter().filter(own);
        own.map(|class| class - classes.start as u32).collect()
    };
    TipAdapter {
        values: adapter.values.iter().map(renumbered).collect(),
        text: adapter.text[classes.start * embed..classes.end * embed].to_vec(),
        ..adapter.clone()
    }
}
