//! CoOp: context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models",
//! IJCV 2022).
//!
//! A class's text is learned context tokens and the class's name. The context is shared by all
//! classes (unified) or each class has its own (class-specific).
//!
//! With `kg_weight` it is KgCoOp (Yao et al., "Visual-Language Prompt Tuning with Knowledge-guided
//! Context Optimization", CVPR 2023): a term of the loss holds the features `g` of the classes' texts
//! near those of the frozen model, `g0`, of a hand-written template. All are of length one, and `w` is
//! the weight:
//!
//! ```text
//! cosine   w (1 - mean cos(g, g0))      the published code
//! squared  w mean |g - g0|^2            the paper: twice the other
//! ```

use serde::{Deserialize, Serialize};
use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::import::{Import, Reader, Source};
use crate::zeroshot::{self, DEFAULT_TEMPLATE, fill};
use crate::{
    Adaptation, Family, Features, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, Position, PromptTensor, Report, Result, TowerTensors,
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
        /// Weight of a term that holds the texts' features near the frozen model's, which makes this
        /// KgCoOp (published: 8); left out, there is no such term.
        #[serde(skip_serializing_if = "Option::is_none")]
        kg_weight: Option<f64> = None, "0 or more";
        /// That term: 1 less the mean cosine, as KgCoOp's code has it, or the mean squared distance, as
        /// its paper; left out, cosine.
        #[serde(skip_serializing_if = "Option::is_none")]
        kg_form: Option<KgForm> = None, "cosine or squared";
        /// The frozen model's texts; `{}` stands for the name; left out, `a photo of a {}.`. The
        /// published code has a template for each data set.
        #[serde(skip_serializing_if = "Option::is_none")]
        kg_template: Option<String> = None, "a text with {}";
    }
}

/// How far features are from the frozen model's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KgForm {
    /// [`Features::text_cosine_distance`].
    #[default]
    Cosine,
    /// [`Features::text_squared_distance`].
    Squared,
}

/// What CoOp says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "coop",
    summary: "learned context around the class names",
    source: "Zhou et al., \"Learning to Prompt for Vision-Language Models\", IJCV 2022",
    good_for: "about 21 points over zero-shot on seven real sets, the most that \
               one prompt for all classes gains; with `class_specific` about 27 \
               (mini-clip, 16 shots)",
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
    check: |method| method.options::<CoOpConfig>().check(),
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
            ..Self::default()
        }
    }

    /// What can be said without a model.
    ///
    /// # Errors
    /// A weight that is none, a template without a place for the name, or what says how the term is
    /// made where there is none.
    pub fn check(&self) -> Result<()> {
        let refuse = |key, found: String, expected: &str| {
            Err(MethodError::Option {
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        let alone = "left out where coop.kg_weight is";
        match (self.kg_weight, self.kg_form, &self.kg_template) {
            (None, Some(form), _) => refuse("coop.kg_form", format!("{form:?}"), alone),
            (None, _, Some(template)) => refuse("coop.kg_template", template.clone(), alone),
            (Some(weight), ..) if !(weight.is_finite() && weight >= 0.0) => {
                refuse("coop.kg_weight", weight.to_string(), "0 or more")
            }
            (_, _, Some(template)) => fill(template, "name").map(|_| ()),
            _ => Ok(()),
        }
    }
}

/// A unified or class-specific learned context, the parameter `ctx`: (n x width), or
/// (classes x n x width).
#[derive(Debug, Clone)]
pub struct CoOp {
    parameters: Vec<Parameter>,
    context: Context,
    /// Weight, form and template of KgCoOp's term.
    kg: Option<(f64, KgForm, String)>,
}

impl CoOp {
    /// A context with its initial values: the embeddings of the words of `config.init` (before
    /// positions are added), or random values of N(0, 0.02) from `seed`.
    ///
    /// # Errors
    /// A context of length 0, or a length that differs from the number of initial words' tokens; or as
    /// [`CoOpConfig::check`].
    pub fn new(config: &CoOpConfig, clip: &Clip, classes: usize, seed: u64) -> Result<Self> {
        config.check()?;
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
        let template = config.kg_template.as_deref().unwrap_or(DEFAULT_TEMPLATE);
        let form = config.kg_form.unwrap_or_default();
        let weight = config.kg_weight.filter(|weight| *weight > 0.0);
        Ok(Self {
            parameters: vec![Parameter::new("ctx", &context.shape(width), values)?],
            context,
            kg: weight.map(|weight| (weight, form, template.to_owned())),
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

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        let features = |(_, _, template): &(f64, KgForm, String)| {
            zeroshot::classifier(clip, classes, std::slice::from_ref(template))
        };
        self.kg.as_ref().map(features).transpose()
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        match &self.kg {
            Some((weight, form, _)) if features.images.is_none() => {
                let distance = match form {
                    KgForm::Cosine => features.text_cosine_distance()?,
                    KgForm::Squared => features.text_squared_distance()?,
                };
                Ok(Some(distance * *weight))
            }
            _ => Ok(None),
        }
    }
}
