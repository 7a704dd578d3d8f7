//! 2SFS: two stages of few-shot tuning (Farina, Mancini, Iacca and Ricci, "Rethinking Few-Shot
//! Adaptation of Vision-Language Models in Two Stages", CVPR 2025).
//!
//! The first stage tunes gains and biases of the towers' layer norms; the classes' texts come from a
//! template and go through the text tower at every step. The second leaves the towers as they are by
//! then and tunes one feature for each class, which starts as that of its text, of length one; logits
//! are scaled cosines in both. In the end a class that was trained on is known by its tuned feature,
//! and every other class by its text under the tuned text tower.
//!
//! Gains and biases are the parameters, as in the published code, and weight decay acts on them as
//! such. A tower takes a change of what its norm gives: with a gain `g0` and a bias `b0` of the
//! model's own, a scale `g / g0` and a shift `b - b0 g / g0`. A norm with a gain of 0 has no such
//! scale, and a model that has one is refused.

mod norms;
mod options;

use vlpt_clip::{Clip, PromptToken, TextPlanOptions, Tokenizer};

pub use options::{Norms, TwoStageConfig};

use crate::nn::{Builder, Init};
use crate::{
    Adaptation, Family, Fit, Method, MethodConfig, MethodSpec, Needs, Parameter, Pass, Report,
    Result, Stage, TowerTensors, Trains, template_texts,
};
use norms::{Tower, TunedNorm};

/// The parameter with the classes' features.
const CLASS_FEATURES: &str = "class_features";

/// What 2SFS says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "2sfs",
    summary: "gains and biases of layer norms, then features of the classes",
    source: "Farina, Mancini, Iacca and Ricci, \"Rethinking Few-Shot Adaptation of Vision-Language \
             Models in Two Stages\", CVPR 2025",
    good_for: "about 20 points over zero-shot on seven real sets, the most of \
               methods inside the towers (mini-clip, 16 shots)",
    family: Some(Family::Weights),
    tables: &[&TwoStageConfig::TABLE],
    report: Report {
        done: "Gains and biases of layer norms in the towers were tuned, and then a feature for each class",
        holds: "gains and biases of layer norms in the towers, and a feature for each class",
    },
    needs: |_| NEEDS,
    check: |method| method.options::<TwoStageConfig>().check(),
    fit: Fit::Tune(|method, build| {
        Ok(Box::new(TwoStage::new(
            method.options(),
            build.clip,
            build.classes,
        )?))
    }),
    ..MethodSpec::BASE
};

const NEEDS: Needs = Needs {
    pixels: true,
    frozen_features: false,
    frozen_class_features: false,
    texts_per_image: false,
    visual_per_image: false,
    class_specific: false,
    no_images: false,
    unprojected: false,
    open_classes: false,
    validation: false,
    text_weights: true,
    image_weights: true,
    class_features: true,
};

impl From<TwoStageConfig> for MethodConfig {
    fn from(options: TwoStageConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Gains and biases with the names that `transformers` gives them, such as
/// `text_model.encoder.layers.0.layer_norm1.weight` (width), the text tower's first and in the order
/// of their computation; then `class_features` (classes x embed).
#[derive(Debug, Clone)]
pub struct TwoStage {
    parameters: Vec<Parameter>,
    text: Vec<TunedNorm>,
    visual: Vec<TunedNorm>,
    first_stage: f64,
    template: String,
}

impl TwoStage {
    /// The model's own gains and biases. Features of classes are zeros until their stage begins.
    ///
    /// # Errors
    /// Options out of range, a template without a place for the name, or a model with a gain of 0.
    pub fn new(config: &TwoStageConfig, clip: &Clip, classes: usize) -> Result<Self> {
        config.check()?;
        let mut builder = Builder::new(SPEC.name, 0);
        let mut tuned = |tower| TunedNorm::all(clip, tower, config.norms, &mut builder);
        let (text, visual) = (tuned(Tower::Text)?, tuned(Tower::Vision)?);
        let shape = [classes, clip.config.embed_dim];
        builder.parameter(CLASS_FEATURES, &shape, Init::Constant(0.0))?;
        Ok(Self {
            parameters: builder.finish(),
            text,
            visual,
            first_stage: config.first_stage,
            template: config.template.clone(),
        })
    }
}

impl Method for TwoStage {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        template_texts(tokenizer, &self.template, classes)
    }

    fn needs(&self) -> Needs {
        NEEDS
    }

    fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions {
            blocks: 0,
            updates: Some(0),
            ..TextPlanOptions::default()
        }
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let tensors = |norms: &[TunedNorm]| -> Result<TowerTensors> {
            let updates: Result<Vec<_>> = norms.iter().map(TunedNorm::update).collect();
            Ok(TowerTensors {
                updates: updates?,
                ..TowerTensors::default()
            })
        };
        Ok(Adaptation {
            text: tensors(&self.text)?,
            visual: tensors(&self.visual)?,
        })
    }

    fn stages(&self) -> Vec<Stage> {
        let stage = |share, trains| Stage { share, trains };
        vec![
            stage(self.first_stage, Trains::Adaptation),
            stage(1.0 - self.first_stage, Trains::ClassFeatures),
        ]
    }

    fn class_features(&self) -> Option<&Parameter> {
        self.parameters.last()
    }
}

#[cfg(test)]
mod tests;
