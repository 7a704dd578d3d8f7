//! TCP: class-aware prompts made of the classes' texts (Yao et al., "TCP: Textual-based Class-aware
//! Prompt tuning for Visual-Language Model", CVPR 2024).
//!
//! A learned context stands before every class name. In the middle of the text tower the context of
//! each class is replaced by rows of its own, which a small network makes of the class's text: of the
//! feature `g0` (of length one) that the frozen model has for a hand-written template,
//!
//! ```text
//! rows = W2 quick_gelu(W1 g0 + b1) + b2        context x text width numbers a class
//! ```
//!
//! A term of the loss, `weight (1 - mean cos(g, g0))`, holds the tuned features `g` near these. The image
//! tower stays as it is. Rows of classes that were not trained with are made of their texts, too: what is
//! learned serves any list of names.

mod options;

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, TextRowsAt, Tokenizer};

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::import::{Import, Source};
use crate::nn::{Builder, Init, Linear};
use crate::zeroshot;
use crate::{
    Adaptation, Family, Features, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, Position, PromptTensor, Report, Result, TextRowsTensor, TowerTensors,
};

use options::{imported, makes_rows};

pub use options::TcpConfig;

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 4;
/// The published hidden layer is so many times narrower than the joint space.
const REDUCTION: usize = 4;
/// The names of the network's layers, as in published checkpoints.
const LAYERS: [&str; 2] = ["meta_net.linear1", "meta_net.linear2"];
const KEYS: Keys = Keys {
    count: "tcp.context",
    // The context is always shared.
    class_specific: "",
};

/// What TCP says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "tcp",
    summary: "context, replaced in the text tower by rows made of each class",
    source: "Yao et al., \"TCP: Textual-based Class-aware Prompt tuning for Visual-Language Model\", CVPR 2024",
    good_for: "about 10 points over zero-shot on seven real sets; the best on \
               CIFAR-100, whose names the model knows (3 points; mini-clip, 16 \
               shots)",
    family: Some(Family::Text),
    tables: &[&TcpConfig::TABLE],
    flags: Flags {
        context: Some("tcp.context"),
        init: Some("tcp.init"),
        prompts: None,
    },
    report: Report {
        done: "A context, and the network that makes rows for each class of its text, were learned",
        holds: "a learned context, and a network that makes rows for each class of its text",
    },
    needs: |_| needs(),
    check: |method| method.options::<TcpConfig>().check(),
    fit: Fit::Tune(|method, build| {
        let method = Tcp::new(method.options(), build.clip, build.seed)?;
        Ok(Box::new(method))
    }),
    import: Some(Import {
        matches: makes_rows,
        read: |reader| MethodConfig::of(&SPEC, imported(reader)),
        sources: &[Source::Own],
        position: false,
        place: false,
        tensors: "TCP these too, with several rows a class in `meta_net.linear2.*`",
    }),
    ..MethodSpec::BASE
};

fn needs() -> Needs {
    Needs {
        frozen_class_features: true,
        ..Needs::default()
    }
}

impl From<TcpConfig> for MethodConfig {
    fn from(options: TcpConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// A context and its network: the parameters `ctx` (n x text width), `meta_net.linear1.weight`
/// (hidden x embed), `meta_net.linear1.bias`, `meta_net.linear2.weight` ((n text width) x hidden) and
/// `meta_net.linear2.bias`.
#[derive(Debug, Clone)]
pub struct Tcp {
    parameters: Vec<Parameter>,
    context: Context,
    ctx: Tensor,
    linear1: Linear,
    linear2: Linear,
    block: usize,
    class_template: String,
    weight: f64,
    embed: usize,
}

impl Tcp {
    /// A context that starts as in [`CoOp`](crate::CoOp), and a network with PyTorch's initial
    /// values: weights and biases uniform within 1 / sqrt(inputs).
    ///
    /// # Errors
    /// As [`TcpConfig::check`]; a context of length 0, or whose length differs from the number of
    /// initial words' tokens; a block that the text tower does not have.
    pub fn new(config: &TcpConfig, clip: &Clip, seed: u64) -> Result<Self> {
        Self::with_words(config, &clip.config, &Words::new(clip, &config.init), seed)
    }

    fn with_words(
        config: &TcpConfig,
        model: &ClipConfig,
        words: &Words,
        seed: u64,
    ) -> Result<Self> {
        config.check()?;
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
        let rows = context.count() * width;
        let mut builder = Builder::new("tcp", seed);
        let values = context.initial(words, width, builder.stream("ctx"));
        let ctx = builder.parameter("ctx", &context.shape(width), Init::Values(values))?;
        let linear1 = Linear::new(&mut builder, LAYERS[0], embed, hidden)?;
        let linear2 = Linear::new(&mut builder, LAYERS[1], hidden, rows)?;
        Ok(Self {
            parameters: builder.finish(),
            context: context.with_template(&config.template),
            ctx,
            linear1,
            linear2,
            block: config.block_of(model)?,
            class_template: config.class_template.clone(),
            weight: config.weight,
            embed,
        })
    }
}

impl Method for Tcp {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.context.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        needs()
    }

    fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions {
            text_rows: Some(TextRowsAt {
                block: self.block,
                rows: self.context.count(),
            }),
            ..TextPlanOptions::default()
        }
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        let refuse = |found: String| MethodError::Incompatible {
            what: format!(
                "{} makes rows of the classes' texts: expected their features (classes x {}), found \
                 {found}",
                SPEC.name, self.embed
            ),
            hint: None,
        };
        let classes = pass.classes.ok_or_else(|| refuse("none".to_owned()))?;
        let count = match classes.shape() {
            [count, embed] if *embed == self.embed => *count,
            other => return Err(refuse(format!("{other:?}"))),
        };
        let [tokens, width] = self.ctx.dims()?;
        let hidden = self.linear1.forward(classes)?.quick_gelu();
        let rows = self.linear2.forward(&hidden)?;
        Ok(Adaptation {
            text: TowerTensors {
                prompts: Some(PromptTensor::shallow(&self.ctx)?),
                text_rows: Some(TextRowsTensor {
                    rows: rows.reshape(&[count, tokens, width])?,
                    block: self.block,
                }),
                ..TowerTensors::default()
            },
            ..Adaptation::default()
        })
    }

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        let template = std::slice::from_ref(&self.class_template);
        zeroshot::classifier(clip, classes, template).map(Some)
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        if features.images.is_some() || self.weight == 0.0 {
            return Ok(None);
        }
        Ok(Some(features.text_cosine_distance()? * self.weight))
    }
}

#[cfg(test)]
mod tests;
