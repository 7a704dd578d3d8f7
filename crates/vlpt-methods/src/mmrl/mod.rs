//! MMRL: multi-modal representation learning (Guo and Gu, "MMRL: Multi-Modal Representation Learning for
//! Vision-Language Models", CVPR 2025).
//!
//! One small table of tokens `R`, in a space of neither tower. A linear layer for each of the last
//! blocks of each tower makes rows of it; they enter in front of the first of these blocks and take
//! the place of what became of them before each block after it. Blocks before that are as they are.
//! With K tokens and towers of 12 blocks:
//!
//! ```text
//! blocks 0 to 4    start | words ... end            class | patches
//! blocks 5 to 11   start | R Wt + bt | words ... end    class | R Wv + bv | patches
//! ```
//!
//! Rows have no positions. The image tower has two outputs: `f` of the class token through the frozen
//! projection, and `r` of the mean of the rows after the last block, through a second projection that
//! is learned. With text features `g`, frozen features `f0` and `g0`, and one template:
//!
//! ```text
//! loss = alpha CE(f) + (1 - alpha) CE(r) + lambda (1 - mean cos(f, f0)) + lambda (1 - mean cos(g, g0))
//! ```
//!
//! Of the published code it differs in two ways. The logit scale is the model's own, which is 100 in
//! the published checkpoints as there. And which logits are fused is told by the names of classes
//! ([`Fusion`](crate::Fusion)), where the published code knows which test set is which.

mod options;
mod plus;
mod shared;

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, Tokenizer};

pub use options::{MmrlConfig, MmrlPlusConfig};
pub use plus::MmrlPlus;
pub(crate) use plus::SPEC as PLUS;
use shared::{Representation, Span};

use crate::nn::{Builder, Init, Linear};
use crate::{
    Adaptation, Family, Features, Fit, Flags, Fusion, Method, MethodConfig, MethodSpec, Needs,
    Parameter, Pass, Report, Result, TowerTensors,
};

/// What MMRL says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "mmrl",
    summary: "tokens of a shared space in the last blocks of both towers",
    source: "Guo and Gu, \"MMRL: Multi-Modal Representation Learning for Vision-Language Models\", CVPR 2025",
    good_for: "about 10 points over zero-shot on seven real sets (mini-clip, 16 \
               shots)",
    family: Some(Family::Unified),
    tables: &[&MmrlConfig::TABLE],
    flags: FLAGS,
    report: Report {
        done: "Tokens of a space that both towers share, layers that make rows of them for the last \
               blocks, and a projection of what becomes of these rows were learned",
        holds: "learned tokens, layers that make rows of them for the last blocks of both towers, and \
                a projection of what becomes of these rows",
    },
    needs: |_| shared::needs(),
    check: |method| method.options::<MmrlConfig>().check(),
    fit: Fit::Tune(|method, build| {
        let model = &build.clip.config;
        Ok(Box::new(Mmrl::new(method.options(), model, build.seed)?))
    }),
    ..MethodSpec::BASE
};

/// The options that short flags set.
const FLAGS: Flags = Flags {
    context: None,
    init: None,
    prompts: Some("mmrl.tokens"),
};

impl From<MmrlConfig> for MethodConfig {
    fn from(options: MmrlConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Rows made of shared tokens. The parameters, with K tokens of width r, towers of width dt and dv,
/// and `i` counting a tower's blocks with rows:
///
/// - `tokens` (K x r);
/// - `text_projections.{i}.weight` (dt x r) and `.bias` (dt);
/// - `visual_projections.{i}.weight` (dv x r) and `.bias` (dv);
/// - `row_projection` (dv x embed).
#[derive(Debug, Clone)]
pub struct Mmrl {
    parameters: Vec<Parameter>,
    shared: Representation,
    text: Vec<Linear>,
    visual: Vec<Linear>,
    row_projection: Tensor,
}

impl Mmrl {
    /// Initial values from `seed`: tokens N(0, 0.02); the layers of a tower copies of one, uniform
    /// within 1 / sqrt(r); the projection N(0, 1 / sqrt(dv)).
    ///
    /// # Errors
    /// Options out of range, or towers of one block.
    pub fn new(config: &MmrlConfig, model: &ClipConfig, seed: u64) -> Result<Self> {
        let mut builder = Builder::new("mmrl", seed);
        let shared = Representation::new(config, model, 0.0, &mut builder)?;
        let layers = |builder: &mut Builder, side: &str, span: Span, width: usize| {
            let bound = 1.0 / (config.width as f64).sqrt();
            let part = |builder: &mut Builder, i: usize, part: &str, shape: &[usize]| {
                let mut stream = builder.stream(&format!("{side}_projections.{part}"));
                let values = Init::Values(stream.uniforms(shape.iter().product(), bound));
                builder.parameter(&format!("{side}_projections.{i}.{part}"), shape, values)
            };
            let layer = |i: usize| {
                let weight = part(builder, i, "weight", &[width, config.width])?;
                let bias = part(builder, i, "bias", &[width])?;
                Ok(Linear::of(weight, bias))
            };
            (0..span.blocks).map(layer).collect::<Result<Vec<Linear>>>()
        };
        let (dt, dv) = (model.text.width, model.vision.width);
        let text = layers(&mut builder, "text", shared.text, dt)?;
        let visual = layers(&mut builder, "visual", shared.visual, dv)?;
        let deviation = 1.0 / (dv as f64).sqrt();
        let values = builder
            .stream("row_projection")
            .normals(dv * model.embed_dim, deviation);
        let shape = [dv, model.embed_dim];
        let row_projection = builder.parameter("row_projection", &shape, Init::Values(values))?;
        Ok(Self {
            parameters: builder.finish(),
            shared,
            text,
            visual,
            row_projection,
        })
    }
}

impl Method for Mmrl {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.shared.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        shared::needs()
    }

    fn text_plan(&self) -> TextPlanOptions {
        self.shared.text_plan()
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let rows = |layers: &[Linear]| {
            let row = |layer: &Linear| layer.forward(&self.shared.tokens);
            layers.iter().map(row).collect::<Result<Vec<Tensor>>>()
        };
        Ok(Adaptation {
            text: self.shared.prompts(self.shared.text, &rows(&self.text)?)?,
            visual: TowerTensors {
                row_projection: Some(self.row_projection.clone()),
                ..self
                    .shared
                    .prompts(self.shared.visual, &rows(&self.visual)?)?
            },
        })
    }

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        self.shared.teacher(clip, classes).map(Some)
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        self.shared.regulariser(features).map(Some)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(self.shared.fusion())
    }
}

#[cfg(test)]
mod tests;
