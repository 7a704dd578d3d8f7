//! CoCoOp: conditional context optimisation (Zhou et al., "Conditional Prompt Learning for
//! Vision-Language Models", CVPR 2022).
//!
//! A learned context shared by all classes, to every token of which a small network adds a vector
//! made from the image's feature. Every image thus has text prompts of its own, and the class
//! name stands at the end.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, Tokenizer};

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::import::{Import, Names, Reader, Source};
use crate::nn::{Builder, Init, Linear};
use crate::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, Position, PromptTensor, Report, Result, TowerTensors,
};

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 4;
/// The widest hidden layer: a limit against slips.
const MAX_HIDDEN: usize = 8192;
/// The published hidden layer is so many times narrower than the joint space.
const REDUCTION: usize = 16;
const KEYS: Keys = Keys {
    count: "cocoop.context",
    // The context is always shared.
    class_specific: "",
};

options! {
    /// Options of [`CoCoOp`].
    pub struct CoCoOpConfig = "cocoop" {
        /// Number of context tokens; left out, as many as `init` has, or 4.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<usize> = None, "1 to 74 with CLIP";
        /// Words whose embeddings start the context; empty: random.
        init: String = "a photo of a".to_owned(), "words";
        /// Width of the network's hidden layer; left out, a sixteenth of the joint space.
        #[serde(skip_serializing_if = "Option::is_none")]
        hidden: Option<usize> = None, "1 to 8192";
    }
}

/// What CoCoOp says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "cocoop",
    summary: "learned context that each image shifts",
    source: "Zhou et al., \"Conditional Prompt Learning for Vision-Language Models\", CVPR 2022",
    good_for: "about 15 points over zero-shot on seven real sets, 49 on EuroSAT \
               and none on GTSRB (mini-clip, 16 shots)",
    family: Some(Family::Text),
    tables: &[&CoCoOpConfig::TABLE],
    flags: Flags {
        context: Some("cocoop.context"),
        init: Some("cocoop.init"),
        prompts: None,
    },
    report: Report {
        done: "A context and the network that shifts it for each image were learned",
        holds: "a learned context that each image shifts",
    },
    needs: |_| Needs {
        frozen_features: true,
        texts_per_image: true,
        ..Needs::default()
    },
    fit: Fit::Tune(|method, build| {
        Ok(Box::new(CoCoOp::new(
            method.options(),
            build.clip,
            build.seed,
        )?))
    }),
    import: Some(Import {
        matches: |names| {
            names.has("ctx")
                && names.any("meta_net.")
                && one_row(names)
                && !names.any("vpt_")
                && !names.any("mvlpt_proj")
        },
        read: |reader| MethodConfig::of(&SPEC, imported(reader)),
        sources: &[Source::Coop, Source::Mvlpt],
        position: false,
        place: false,
        tensors: "CoCoOp also `meta_net.*`",
    }),
    ..MethodSpec::BASE
};

impl From<CoCoOpConfig> for MethodConfig {
    fn from(options: CoCoOpConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Whether the network makes one vector for all tokens of the context.
fn one_row(names: &Names) -> bool {
    let second = names.shape("meta_net.linear2.weight");
    let mut sizes = second.zip(names.shape("ctx")).into_iter();
    sizes.all(|(second, ctx)| second.first() <= ctx.last())
}

/// The options that the shapes of a checkpoint tell.
fn imported(reader: &mut Reader) -> CoCoOpConfig {
    let (context, _) = reader.context(false);
    let name = "meta_net.linear1.weight";
    let hidden = match reader.shape(name) {
        Some(&[hidden, embed]) => {
            let expected = reader.model.embed_dim;
            reader.same(
                "the width of image features in the meta-net",
                embed,
                "the model's",
                expected,
            );
            Some(hidden)
        }
        // listed among all that are missing
        None => None,
        _ => {
            reader.misshapen(name, "hidden x embed");
            None
        }
    };
    CoCoOpConfig {
        context: Some(context),
        init: String::new(),
        hidden,
    }
}

/// A context and its network: the parameters `ctx` (n x text width), `meta_net.linear1.weight`
/// (hidden x embed), `meta_net.linear1.bias`, `meta_net.linear2.weight` (text width x hidden) and
/// `meta_net.linear2.bias`.
#[derive(Debug, Clone)]
pub struct CoCoOp {
    parameters: Vec<Parameter>,
    context: Context,
    ctx: Tensor,
    linear1: Linear,
    linear2: Linear,
    embed: usize,
}

impl CoCoOp {
    /// A context that starts as in [`CoOp`](crate::CoOp), and a network with PyTorch's initial
    /// values: weights and biases uniform within 1 / sqrt(inputs).
    ///
    /// # Errors
    /// A context or hidden layer of length 0, or a context whose length differs from the number
    /// of initial words' tokens.
    pub fn new(config: &CoCoOpConfig, clip: &Clip, seed: u64) -> Result<Self> {
        Self::with_words(config, &clip.config, &Words::new(clip, &config.init), seed)
    }

    fn with_words(
        config: &CoCoOpConfig,
        model: &ClipConfig,
        words: &Words,
        seed: u64,
    ) -> Result<Self> {
        let (embed, width) = (model.embed_dim, model.text.width);
        let context = Context::new(&ContextOptions {
            keys: KEYS,
            count: config.context,
            default: DEFAULT_CONTEXT,
            words,
            classes: None,
            position: Position::End,
            limit: model.text.context_length,
        })?;
        let hidden = config.hidden.unwrap_or((embed / REDUCTION).max(1));
        if hidden == 0 || hidden > MAX_HIDDEN {
            return Err(MethodError::Option {
                key: "cocoop.hidden",
                found: hidden.to_string(),
                expected: format!("1 to {MAX_HIDDEN}"),
            });
        }
        let mut builder = Builder::new("cocoop", seed);
        let values = context.initial(words, width, builder.stream("ctx"));
        let ctx = builder.parameter("ctx", &context.shape(width), Init::Values(values))?;
        let linear1 = Linear::new(&mut builder, "meta_net.linear1", embed, hidden)?;
        let linear2 = Linear::new(&mut builder, "meta_net.linear2", hidden, width)?;
        Ok(Self {
            parameters: builder.finish(),
            context,
            ctx,
            linear1,
            linear2,
            embed,
        })
    }

    /// Number of context tokens of one image.
    pub fn context(&self) -> usize {
        self.context.count()
    }
}

impl Method for CoCoOp {
    fn name(&self) -> &'static str {
        "cocoop"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.context.texts(tokenizer, classes)
    }

    /// The rows (images n x text width), one image after the other.
    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        let refuse = |found: String| MethodError::Images {
            method: "cocoop",
            embed: self.embed,
            found,
        };
        let images = pass.images.ok_or_else(|| refuse("none".to_owned()))?;
        let count = match images.shape() {
            [count, embed] if *embed == self.embed && *count > 0 => *count,
            other => return Err(refuse(format!("{other:?}"))),
        };
        let hidden = self.linear1.forward(images)?.relu();
        let shift = self.linear2.forward(&hidden)?;
        let text = self
            .ctx
            .unsqueeze(0)?
            .add(&shift.unsqueeze(1)?)?
            .reshape(&[count * self.context.count(), self.ctx.shape()[1]])?;
        Ok(Adaptation {
            text: TowerTensors::prompts(PromptTensor::shallow(&text)?),
            ..Adaptation::default()
        })
    }

    fn needs(&self) -> Needs {
        Needs {
            frozen_features: true,
            texts_per_image: true,
            ..Needs::default()
        }
    }

    fn rows_per_image(&self) -> usize {
        self.context.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::b16;

    #[test]
    fn parameters_are_counted_as_published() {
        let method =
            CoCoOp::with_words(&CoCoOpConfig::default(), &b16(), &Words::default(), 0).unwrap();
        assert_eq!(method.context(), 4);
        assert_eq!(method.parameter_count(), 35_360);
    }
}
