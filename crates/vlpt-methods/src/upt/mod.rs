//! UPT: unified prompt tuning (Zang et al., "Unified Vision and Language Prompt Learning", 2022).
//!
//! Learned tokens pass through a small transformer together, and what comes out is split into
//! text prompts and visual prompts. Two shapes are published:
//!
//! ```text
//! mvlpt:    text tokens   -> linear -> \                      / -> linear -> text prompts
//!                                       block of width 128 ->
//!           visual tokens -> linear -> /                      \ -> linear -> visual prompts
//!
//! release:  tokens of the text tower's width -> block -> the first are the text prompts,
//!                                                        the others -> linear -> visual prompts
//! ```
//!
//! In the paper every token looks at all others ([`Attention::Joint`]). Both published codes give
//! a batch-first tensor to a sequence-first attention, so that every token is a sequence of its
//! own and nothing is exchanged ([`Attention::Tokenwise`]).

mod mvlpt;
mod options;
mod release;

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, Tokenizer, VisualPlace};

pub use options::{Attention, UptConfig, UptShape};

use crate::context::{Context, Words};
use crate::import::{Import, Reader, Source};
use crate::nn::Builder;
use crate::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodSpec, Needs, Parameter, Pass,
    PromptTensor, Report, Result, TowerTensors,
};

use mvlpt::Mvlpt;
use options::Plan;
use release::Release;

/// What UPT says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "upt",
    summary: "both, made together by a small Transformer",
    source: "Zang et al., \"Unified Vision and Language Prompt Learning\", 2022",
    good_for: "about 11 points over zero-shot on seven real sets, less than \
               either prompt alone (mini-clip, 16 shots)",
    family: Some(Family::Unified),
    tables: &[&UptConfig::TABLE],
    flags: Flags {
        context: Some("upt.text_count"),
        init: Some("upt.init"),
        prompts: Some("upt.visual_count"),
    },
    report: Report {
        done: "Tokens of both towers and the small Transformer that makes them were learned",
        holds: "tokens of both towers, made together by a small Transformer that is learned with \
                them",
    },
    needs: |method| Needs {
        pixels: true,
        class_specific: method.options::<UptConfig>().class_specific,
        ..Needs::default()
    },
    fit: Fit::Tune(|method, build| {
        let (clip, classes, seed) = (build.clip, build.classes, build.seed);
        Ok(Box::new(Upt::new(method.options(), clip, classes, seed)?))
    }),
    import: Some(Import {
        matches: |names| names.has("ctx") && names.has("vpt_embeddings") && names.any("mvlpt_proj"),
        read: |reader| {
            let (position, place) = (reader.position(), Some(reader.place()));
            let upt = UptConfig {
                position,
                place,
                ..imported(reader)
            };
            MethodConfig::of(&SPEC, upt)
        },
        sources: &[Source::Mvlpt],
        position: true,
        place: true,
        tensors: "UPT both `ctx` and `vpt_embeddings` with `mvlpt_proj.*`",
    }),
    ..MethodSpec::BASE
};

impl From<UptConfig> for MethodConfig {
    fn from(options: UptConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// The options that the shapes of a checkpoint tell.
fn imported(reader: &mut Reader) -> UptConfig {
    let (text_count, class_specific) = reader.context(true);
    let (visual_count, _, depth) = reader.visual(true);
    let name = "mvlpt_proj.resblocks.0.attn.out_proj.weight";
    let width = reader.shape(name).and_then(|shape| match *shape {
        [width, _] => Some(width),
        _ => None,
    });
    if width.is_none() {
        reader.misshapen(name, "width x width");
    }
    reader.assume(
        "one attention head, and attention of each token to itself alone, as MVLPT's code \
         computes it",
    );
    UptConfig {
        shape: UptShape::Mvlpt,
        attention: Attention::Tokenwise,
        text_count,
        visual_count,
        width,
        heads: 1,
        depth: Some(depth),
        class_specific,
        init: String::new(),
        ..UptConfig::default()
    }
}

/// Unified prompts.
///
/// The parameters of the mvlpt shape, with `w` the width of the block, `dt` and `dv` those of the
/// towers:
///
/// - `ctx` (n x dt, or classes x n x dt), `vpt_embeddings` (1 x m x dv), `vpt_embeddings_deep`
///   (blocks - 1 x m x dv);
/// - `mvlpt_proj_ctx_coop_pre` and `mvlpt_proj_ctx_vpt_pre` (to w), `mvlpt_proj_ctx_coop_post` and
///   `mvlpt_proj_ctx_vpt_post` (from w), each `.weight` and `.bias`; a pair is absent where the
///   tower's width is `w`;
/// - the block, `mvlpt_proj.resblocks.0.*` with `attn.in_proj_weight`, `attn.in_proj_bias`,
///   `attn.out_proj.*`, `ln_1.*`, `mlp.c_fc.*`, `mlp.c_proj.*`, `ln_2.*`.
///
/// Those of the release shape: `uni_ctx` (1 x text and visual tokens x dt), `attn.in_proj_weight`,
/// `attn.in_proj_bias`, `attn.out_proj.*`, `norm1.*`, `norm2.*`, `linear1.*`, `linear2.*` and
/// `visual_proj.*` (to dv).
#[derive(Debug, Clone)]
pub struct Upt {
    parameters: Vec<Parameter>,
    context: Context,
    network: Network,
    layers: usize,
    place: VisualPlace,
}

#[derive(Debug, Clone)]
enum Network {
    Mvlpt(Mvlpt),
    Release(Release),
}

/// What a network makes: (text tokens x text width) and (visual tokens x vision width), the
/// visual tokens of the first block first.
struct Halves {
    text: Tensor,
    visual: Tensor,
}

impl Upt {
    /// Tokens and network with their initial values from `seed`: text tokens as in
    /// [`CoOp`](crate::CoOp), visual tokens as in [`Vpt`](crate::Vpt) (in the release shape all
    /// tokens are N(0, 0.02)), the network as PyTorch starts its layers.
    ///
    /// # Errors
    /// Options out of range, that do not fit the model's sizes, or that the shape does not have.
    pub fn new(config: &UptConfig, clip: &Clip, classes: usize, seed: u64) -> Result<Self> {
        let words = Words::new(clip, &config.init);
        Self::with_words(config, &clip.config, &words, classes, seed)
    }

    fn with_words(
        config: &UptConfig,
        model: &ClipConfig,
        words: &Words,
        classes: usize,
        seed: u64,
    ) -> Result<Self> {
        let plan = Plan::new(config, model, words, classes)?;
        let mut builder = Builder::new("upt", seed);
        let network = match config.shape {
            UptShape::Mvlpt => Network::Mvlpt(Mvlpt::new(&mut builder, &plan, words)?),
            UptShape::Release => Network::Release(Release::new(&mut builder, &plan)?),
        };
        Ok(Self {
            parameters: builder.finish(),
            context: plan.context,
            network,
            layers: plan.layers,
            place: plan.place.into(),
        })
    }

    /// Text tokens of one context.
    pub fn context(&self) -> usize {
        self.context.count()
    }

    /// Number of blocks of the image tower with prompts of their own.
    pub fn layers(&self) -> usize {
        self.layers
    }
}

impl Method for Upt {
    fn name(&self) -> &'static str {
        "upt"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.context.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: true,
            ..Needs::default()
        }
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        let halves = match &self.network {
            Network::Mvlpt(network) => network.forward(pass)?,
            Network::Release(network) => network.forward(pass)?,
        };
        let [rows, width] = halves.visual.dims()?;
        let visual = halves
            .visual
            .reshape(&[self.layers, rows / self.layers, width])?;
        Ok(Adaptation {
            text: TowerTensors::prompts(PromptTensor::shallow(&halves.text)?),
            visual: TowerTensors::prompts(PromptTensor {
                place: self.place,
                ..PromptTensor::deep(visual)
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Depth;
    use crate::context::b16;

    fn count(config: &UptConfig, classes: usize) -> usize {
        Upt::with_words(config, &b16(), &Words::default(), classes, 0)
            .unwrap()
            .parameter_count()
    }

    #[test]
    fn parameters_are_counted_as_published() {
        let mvlpt = UptConfig::default();
        assert_eq!(count(&mvlpt, 10), 566_400);
        let release = UptConfig {
            shape: UptShape::Release,
            ..UptConfig::default()
        };
        assert_eq!(count(&release, 10), 1_976_064);
    }

    #[test]
    fn attention_does_not_change_the_count_but_depth_and_classes_do() {
        let mvlpt = UptConfig::default();
        let tokenwise = UptConfig {
            attention: Attention::Tokenwise,
            ..mvlpt.clone()
        };
        assert_eq!(count(&tokenwise, 10), 566_400);
        let shallow = UptConfig {
            depth: Some(Depth::Shallow),
            ..mvlpt.clone()
        };
        assert_eq!(count(&shallow, 10), 566_400 - 11 * 4 * 768);
        let specific = UptConfig {
            class_specific: true,
            ..mvlpt
        };
        assert_eq!(count(&specific, 10), 566_400 + 9 * 4 * 512);
    }
}
