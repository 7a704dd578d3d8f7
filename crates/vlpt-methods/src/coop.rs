//! CoOp: context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models",
//! IJCV 2022).
//!
//! A class's text is learned context tokens and the class's name. The context is shared by all
//! classes (unified) or each class has its own (class-specific).

use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::import::{Import, Reader, Source};
use crate::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodSpec, Needs, Parameter, Pass,
    Position, PromptTensor, Report, Result, TowerTensors,
};
use vlpt_base::random::Stream;

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 16;
const KEYS: Keys = Keys {
    count: "coop.context",
    class_specific: "coop.class_specific",
};

options! {
    /// Options of [`CoOp`].
    pub struct CoOpConfig = "coop" {
        /// Number of context tokens; left out, as many as `init` has, or 16.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<usize> = None, "1 to 74 with CLIP";
        /// One context for each class instead of one for all.
        class_specific: bool = false, "true or false";
        /// Where the class name stands.
        position: Position = Position::End, "end, middle or front";
        /// Words whose embeddings start the context, such as `a photo of a`; empty: random.
        init: String = String::new(), "words";
    }
}

/// What CoOp says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "coop",
    summary: "learned context around the class names",
    source: "Zhou et al., \"Learning to Prompt for Vision-Language Models\", IJCV 2022",
    family: Some(Family::Text),
    tables: &[&CoOpConfig::TABLE],
    flags: Flags {
        context: Some("coop.context"),
        init: Some("coop.init"),
        prompts: None,
    },
    report: Report {
        done: "A context around the class names was learned",
        holds: "a learned context around the class names",
    },
    needs: |method| Needs {
        class_specific: method.options::<CoOpConfig>().class_specific,
        ..Needs::default()
    },
    fit: Fit::Tune(|method, build| {
        let (clip, classes, seed) = (build.clip, build.classes, build.seed);
        Ok(Box::new(CoOp::new(method.options(), clip, classes, seed)?))
    }),
    import: Some(Import {
        matches: |names| {
            names.has("ctx")
                && !names.any("vpt_")
                && !names.any("meta_net.")
                && !names.any(".VPT")
                && !names.any("mvlpt_proj")
                && names.tensors.len() == 1
        },
        read: |reader| {
            if reader.hints.source.is_none() && reader.source == Source::Coop {
                reader.assume(
                    "written by CoOp's own code: its files and MVLPT's have the same names here \
                     (--source mvlpt for MVLPT's)",
                );
            }
            let position = reader.position();
            MethodConfig::of(&SPEC, CoOpConfig::imported(reader, position))
        },
        sources: &[Source::Coop, Source::Mvlpt],
        position: true,
        place: false,
        tensors: "CoOp has `ctx`",
    }),
    ..MethodSpec::BASE
};

impl From<CoOpConfig> for MethodConfig {
    fn from(options: CoOpConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl CoOpConfig {
    /// The options that the shape of `ctx` tells.
    pub(crate) fn imported(reader: &mut Reader, position: Position) -> Self {
        let (context, class_specific) = reader.context(true);
        Self {
            context: Some(context),
            class_specific,
            position,
            init: String::new(),
        }
    }
}

/// A unified or class-specific learned context, the parameter `ctx`: (n x width), or
/// (classes x n x width).
#[derive(Debug, Clone)]
pub struct CoOp {
    parameters: Vec<Parameter>,
    context: Context,
}

impl CoOp {
    /// A context with its initial values: the embeddings of the words of `config.init` (before
    /// positions are added), or random values of N(0, 0.02) from `seed`.
    ///
    /// # Errors
    /// A context of length 0, or a length that differs from the number of initial words' tokens.
    pub fn new(config: &CoOpConfig, clip: &Clip, classes: usize, seed: u64) -> Result<Self> {
        let width = clip.config.text.width;
        let words = Words::new(clip, &config.init);
        let context = Context::new(&ContextOptions {
            keys: KEYS,
            count: config.context,
            default: DEFAULT_CONTEXT,
            words: &words,
            classes: config.class_specific.then_some(classes),
            position: config.position,
            limit: clip.config.text.context_length,
        })?;
        let values = context.initial(&words, width, Stream::new(seed, "coop.ctx"));
        Ok(Self {
            parameters: vec![Parameter::new("ctx", &context.shape(width), values)?],
            context,
        })
    }

    /// Number of context tokens.
    pub fn context(&self) -> usize {
        self.context.count()
    }
}

impl Method for CoOp {
    fn name(&self) -> &'static str {
        "coop"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.context.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        Needs {
            class_specific: self.parameters[0].shape().len() == 3,
            ..Needs::default()
        }
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let context = self.parameters[0].var().as_tensor();
        let text = match context.shape() {
            [classes, n, width] => context.reshape(&[classes * n, *width])?,
            _ => context.clone(),
        };
        Ok(Adaptation {
            text: TowerTensors::prompts(PromptTensor::shallow(&text)?),
            ..Adaptation::default()
        })
    }
}
