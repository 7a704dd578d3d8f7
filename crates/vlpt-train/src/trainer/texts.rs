//! The text side: features that never change, or plans of texts with learned tokens.

use std::collections::BTreeMap;
use std::ops::Range;

use vlpt_clip::{
    Clip, MemoryBudget, PromptToken, TextPlan, TextPlanOptions, TextTape, TowerAdaptation,
    TowerGradients,
};
use vlpt_methods::{Method, TowerValues};

use crate::Result;
use vlpt_adapter::copies;

/// Plans of a conditional method that are kept: a whole batch, an epoch's last one, and as many
/// again for another task.
const KEPT_PLANS: usize = 4;

/// The texts of a run.
pub(crate) struct TextSide {
    /// Classes that are encoded together; a step encodes one or several of these parts.
    parts: Vec<Range<usize>>,
    embed: usize,
    kind: Kind,
}

enum Kind {
    /// No text has a learned token: features of all classes, computed once.
    Constant(Vec<f32>),
    /// A plan for each part.
    Learned(Vec<TextPlan>),
    /// Each image has texts of its own.
    Conditional {
        texts: Vec<Vec<PromptToken>>,
        /// Prompt rows of an image.
        rows: usize,
        budget: MemoryBudget,
        /// By parts and number of images.
        plans: BTreeMap<(Vec<usize>, usize), TextPlan>,
    },
}

/// The parts that a step encodes, in ascending order, and how its classes are numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) parts: Vec<usize>,
    /// The classes of each part.
    pub(crate) ranges: Vec<Range<usize>>,
}

impl Scope {
    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    /// The column, among the logits of the step, of one of the classes.
    pub(crate) fn column(&self, class: usize) -> Option<usize> {
        let mut first = 0;
        for range in &self.ranges {
            if range.contains(&class) {
                return Some(first + class - range.start);
            }
            first += range.len();
        }
        None
    }

    /// All classes, in the order of the columns.
    fn all(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.ranges.iter().cloned().flatten()
    }
}

/// Whether a method's texts have a learned token.
pub(crate) fn learned(texts: &[Vec<PromptToken>]) -> bool {
    let mut tokens = texts.iter().flatten();
    tokens.any(|token| matches!(token, PromptToken::Learned(_)))
}

impl TextSide {
    /// The texts of `classes`, encoded in `parts` that together are all classes in their order.
    /// The budget is that of one step, which encodes at most `at_once` parts.
    ///
    /// # Errors
    /// Class names that the method cannot be used with.
    pub(crate) fn new(
        clip: &Clip,
        method: &dyn Method,
        classes: &[String],
        parts: Vec<Range<usize>>,
        budget: MemoryBudget,
        at_once: usize,
    ) -> Result<Self> {
        let texts = method.texts(&clip.tokenizer, classes)?;
        let budget = budget.shared(at_once.min(parts.len()));
        let needs = method.needs();
        let kind = if !learned(&texts) && !needs.text_weights {
            // Part by part, so that a part has the bits that it has alone.
            let features = |part: &Range<usize>| {
                clip.text
                    .features(&texts[part.clone()], &TowerAdaptation::NONE)
            };
            Kind::Constant(parts.iter().flat_map(features).collect())
        } else if needs.texts_per_image {
            Kind::Conditional {
                texts,
                rows: method.rows_per_image(),
                budget,
                plans: BTreeMap::new(),
            }
        } else {
            let options = method.text_plan();
            let plan = |part: &Range<usize>| clip.text.plan(&texts[part.clone()], options, budget);
            Kind::Learned(parts.iter().map(plan).collect())
        };
        Ok(Self {
            parts,
            embed: clip.config.embed_dim,
            kind,
        })
    }

    /// The scope of some parts.
    pub(crate) fn scope(&self, parts: Vec<usize>) -> Scope {
        let ranges = parts.iter().map(|&part| self.parts[part].clone()).collect();
        Scope { parts, ranges }
    }

    /// The scope of all parts.
    pub(crate) fn whole(&self) -> Scope {
        self.scope((0..self.parts.len()).collect())
    }

    /// Whether no text has a learned token.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::Constant(_))
    }

    /// Makes the plan that a step on so many images needs, if it is not there.
    ///
    /// # Errors
    /// No image.
    pub(crate) fn prepare(&mut self, clip: &Clip, scope: &Scope, images: usize) -> Result<()> {
        let Kind::Conditional {
            texts,
            rows,
            budget,
            plans,
        } = &mut self.kind
        else {
            return Ok(());
        };
        let key = (scope.parts.clone(), images);
        if !plans.contains_key(&key) {
            let own: Vec<Vec<PromptToken>> =
                scope.all().map(|class| texts[class].clone()).collect();
            let plan = clip.text.plan(
                &copies(&own, *rows * images, images)?,
                TextPlanOptions::default(),
                *budget,
            );
            if plans.len() >= KEPT_PLANS {
                plans.clear();
            }
            plans.insert(key, plan);
        }
        Ok(())
    }

    /// Features of a scope's texts under what is learned, and what backward needs; of a conditional
    /// method, features of the texts of each of the images that the scope was prepared for.
    pub(crate) fn forward(
        &self,
        clip: &Clip,
        scope: &Scope,
        images: usize,
        values: &TowerValues,
    ) -> (Vec<f32>, Vec<TextTape>) {
        if let Kind::Constant(features) = &self.kind {
            let of =
                |range: &Range<usize>| &features[range.start * self.embed..range.end * self.embed];
            return (
                scope.ranges.iter().flat_map(of).copied().collect(),
                Vec::new(),
            );
        }
        let (mut features, mut tapes) = (Vec::new(), Vec::new());
        let updates = values.updates();
        let adaptation = values.for_tower(&updates);
        let (width, mut first) = (clip.text.width(), 0);
        for plan in self.plans(scope, images) {
            let texts = first..first + plan.texts();
            first = texts.end;
            let rows = adaptation.text_rows;
            let adaptation = TowerAdaptation {
                text_rows: rows.map(|rows| rows.of_texts(texts, width)),
                ..adaptation
            };
            let (own, tape) = clip.text.forward(plan, &adaptation);
            features.extend(own);
            tapes.push(tape);
        }
        (features, tapes)
    }

    /// Gradient of what is learned, given that of the features of [`TextSide::forward`].
    pub(crate) fn backward(
        &self,
        clip: &Clip,
        scope: &Scope,
        images: usize,
        tapes: Vec<TextTape>,
        d_features: &[f32],
    ) -> TowerGradients {
        let (mut sum, mut left): (Option<TowerGradients>, _) = (None, d_features);
        // of each text's own, so nothing to be added up
        let mut text_rows = Vec::new();
        for (plan, tape) in self.plans(scope, images).into_iter().zip(tapes) {
            let (own, rest) = left.split_at(plan.texts() * self.embed);
            left = rest;
            let mut d = clip.text.backward(plan, tape, own);
            text_rows.append(&mut d.text_rows);
            match &mut sum {
                None => sum = Some(d),
                Some(sum) => sum.add(&d),
            }
        }
        TowerGradients {
            text_rows,
            ..sum.unwrap_or_default()
        }
    }

    fn plans(&self, scope: &Scope, images: usize) -> Vec<&TextPlan> {
        match &self.kind {
            Kind::Constant(_) => Vec::new(),
            Kind::Learned(plans) => scope.parts.iter().map(|&part| &plans[part]).collect(),
            Kind::Conditional { plans, .. } => {
                let plan = plans.get(&(scope.parts.clone(), images));
                vec![plan.expect("a step prepares its plan before it runs")]
            }
        }
    }
}

/// Adds values in their order.
pub(crate) fn add_to(sum: &mut [f32], values: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}
