//! IVLP: independent vision-language prompts, the baseline of MaPLe (Khattak et al., "MaPLe:
//! Multi-modal Prompt Learning", CVPR 2023) and the prompts of PromptSRC.
//!
//! Both towers have learned tokens of their own at the input of their first blocks, coupled by
//! nothing but the loss:
//!
//! ```text
//! text:    start | ctx 1..n | name | . end      replaced before blocks 1 to depth_text - 1
//! images:  class | patches | prompts 1..m       replaced before blocks 1 to depth_visual - 1
//! ```
//!
//! The first context gets the positions where it stands, as words do; the rows that replace it get
//! none. The first visual prompts stand in front of `ln_pre`, which normalises them with the patches;
//! they have no positions. After the last block with rows of its own they go on as ordinary tokens.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, Tokenizer, VisualPlace};

use crate::context::{Context, ContextOptions, INIT_DEVIATION, Keys, Words};
use crate::import::{Import, Reader, Source};
use crate::nn::{Builder, Init};
use crate::visual::MAX_COUNT;
use crate::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, Position, PromptTensor, Report, Result, TowerTensors,
};

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 4;
/// Visual prompts a block.
const DEFAULT_PROMPTS: usize = 4;
/// Blocks of a tower with rows of their own.
const DEFAULT_DEPTH: usize = 9;
const KEYS: Keys = Keys {
    count: "ivlp.context",
    // The context is always shared.
    class_specific: "",
};
/// The names of the parameters in the published code. That of a later block stands between
/// `BLOCK` and its number, and `LATER`.
const CONTEXT: &str = "ctx";
const VISUAL: &str = "image_encoder.VPT";
const TEXT_BLOCK: &str = "text_encoder.transformer.resblocks.";
const IMAGE_BLOCK: &str = "image_encoder.transformer.resblocks.";
const LATER: &str = ".VPT_shallow";

options! {
    /// Options of [`Ivlp`].
    pub struct IvlpConfig = "ivlp" {
        /// Number of context tokens a block; left out, as many as `init` has, or 4.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<usize> = None, "1 to 74 with CLIP";
        /// Words whose embeddings start the first block's context, such as `a photo of a`; empty:
        /// random, as in the other blocks.
        init: String = "a photo of a".to_owned(), "words";
        /// Number of visual prompts a block.
        prompts: usize = DEFAULT_PROMPTS, "1 to 1024";
        /// Blocks of the text tower with a context of their own, from the first on; left out, 9, or
        /// all of a smaller tower.
        #[serde(skip_serializing_if = "Option::is_none")]
        depth_text: Option<usize> = None, "1 to the text tower's blocks";
        /// Blocks of the image tower with prompts of their own, from the first on; left out, 9, or
        /// all of a smaller tower.
        #[serde(skip_serializing_if = "Option::is_none")]
        depth_visual: Option<usize> = None, "1 to the image tower's blocks";
    }
}

/// What independent prompts say of themselves.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "ivlp",
    summary: "learned tokens at the first blocks of both towers",
    source: "Khattak et al., \"MaPLe: Multi-modal Prompt Learning\", CVPR 2023 (independent prompts)",
    good_for: "about 16 points over zero-shot on seven real sets (mini-clip, 16 \
               shots)",
    family: Some(Family::Joint),
    tables: &[&IvlpConfig::TABLE],
    flags: FLAGS,
    report: Report {
        done: "Tokens at the first blocks of both towers were learned, each by itself",
        holds: "learned tokens at the first blocks of both towers, each by itself",
    },
    needs: |_| Needs {
        pixels: true,
        ..Needs::default()
    },
    fit: Fit::Tune(|method, build| {
        let (clip, seed) = (build.clip, build.seed);
        Ok(Box::new(Ivlp::new(method.options(), clip, seed)?))
    }),
    import: Some(Import {
        matches: |names| prompts_in_both_towers(names) && !names.teacher,
        read: |reader| MethodConfig::of(&SPEC, IvlpConfig::imported(reader)),
        sources: &[Source::Own],
        position: false,
        place: false,
        tensors: "IVLP `ctx`, `image_encoder.VPT` and `*.resblocks.*.VPT_shallow`",
    }),
    ..MethodSpec::BASE
};

/// The options that short flags set.
pub(crate) const FLAGS: Flags = Flags {
    context: Some("ivlp.context"),
    init: Some("ivlp.init"),
    prompts: Some("ivlp.prompts"),
};

impl From<IvlpConfig> for MethodConfig {
    fn from(options: IvlpConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Whether a checkpoint holds a context and visual prompts inside the image tower.
pub(crate) fn prompts_in_both_towers(names: &crate::import::Names) -> bool {
    names.has(CONTEXT) && names.has(VISUAL)
}

impl IvlpConfig {
    /// The options that the shapes of a checkpoint tell.
    pub(crate) fn imported(reader: &mut Reader) -> Self {
        let (context, _) = reader.context(false);
        let prompts = if let Some(&[prompts, width]) = reader.shape(VISUAL) {
            let expected = reader.model.vision.width;
            let (what, of) = (
                "the width of `image_encoder.VPT`",
                "that of the image tower",
            );
            reader.same(what, width, of, expected);
            prompts
        } else {
            reader.misshapen(VISUAL, "prompts x image width");
            1
        };
        // A block that is missing in between is found when the parameters are looked for.
        let depth = |block: &str| {
            let number = |name: &String| {
                let number = name.strip_prefix(block)?.strip_suffix(LATER)?;
                number.parse::<usize>().ok()
            };
            let last = reader.names.tensors.keys().filter_map(number).max();
            last.unwrap_or(0).saturating_add(1)
        };
        Self {
            context: Some(context),
            init: String::new(),
            prompts,
            depth_text: Some(depth(TEXT_BLOCK)),
            depth_visual: Some(depth(IMAGE_BLOCK)),
        }
    }
}

/// Independent prompts: the parameters `ctx` (n x text width), `image_encoder.VPT` (m x image
/// width), and for each later block `i` with rows of its own
/// `text_encoder.transformer.resblocks.{i}.VPT_shallow` (n x text width) and
/// `image_encoder.transformer.resblocks.{i}.VPT_shallow` (m x image width). These are the names of
/// the published code.
#[derive(Debug, Clone)]
pub struct Ivlp {
    parameters: Vec<Parameter>,
    context: Context,
    /// The rows of each block, n x text width.
    text: Vec<Tensor>,
    /// The rows of each block, m x image width.
    visual: Vec<Tensor>,
}

impl Ivlp {
    /// Prompts with their initial values: the first context as the embeddings of the words of
    /// `config.init` (before positions are added), all other rows N(0, 0.02) from `seed`.
    ///
    /// # Errors
    /// A number of tokens or blocks out of range, or a context whose length differs from the number
    /// of initial words' tokens.
    pub fn new(config: &IvlpConfig, clip: &Clip, seed: u64) -> Result<Self> {
        Self::with_words(config, &clip.config, &Words::new(clip, &config.init), seed)
    }

    pub(crate) fn with_words(
        config: &IvlpConfig,
        model: &ClipConfig,
        words: &Words,
        seed: u64,
    ) -> Result<Self> {
        let context = Context::new(&ContextOptions {
            keys: KEYS,
            count: config.context,
            default: DEFAULT_CONTEXT,
            words,
            classes: None,
            position: Position::End,
            limit: model.text.context_length,
        })?;
        within(Some(config.prompts), MAX_COUNT, "ivlp.prompts")?;
        let (text, visual) = (&model.text, &model.vision);
        let depth_text = within(config.depth_text, text.layers, "ivlp.depth_text")?;
        let depth_visual = within(config.depth_visual, visual.layers, "ivlp.depth_visual")?;

        let mut builder = Builder::new("ivlp", seed);
        let first = context.initial(words, text.width, builder.stream(CONTEXT));
        let shape = [context.count(), text.width];
        let mut text = vec![builder.parameter(CONTEXT, &shape, Init::Values(first))?];
        for block in 1..depth_text {
            text.push(normal(
                &mut builder,
                &format!("{TEXT_BLOCK}{block}{LATER}"),
                shape,
            )?);
        }
        let shape = [config.prompts, visual.width];
        let mut visual = vec![normal(&mut builder, VISUAL, shape)?];
        for block in 1..depth_visual {
            visual.push(normal(
                &mut builder,
                &format!("{IMAGE_BLOCK}{block}{LATER}"),
                shape,
            )?);
        }
        Ok(Self {
            parameters: builder.finish(),
            context,
            text,
            visual,
        })
    }

    /// Number of context tokens a block.
    pub fn context(&self) -> usize {
        self.context.count()
    }

    /// Numbers of blocks of the text and of the image tower with rows of their own.
    pub fn depths(&self) -> (usize, usize) {
        (self.text.len(), self.visual.len())
    }
}

impl Method for Ivlp {
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
        Needs {
            pixels: true,
            ..Needs::default()
        }
    }

    fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions {
            blocks: self.text.len(),
            ..TextPlanOptions::default()
        }
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        Ok(Adaptation {
            text: TowerTensors::prompts(PromptTensor::deep(Tensor::stack(&self.text, 0)?)),
            visual: TowerTensors::prompts(PromptTensor {
                place: VisualPlace::BeforeLnPre,
                ..PromptTensor::deep(Tensor::stack(&self.visual, 0)?)
            }),
        })
    }
}

/// A parameter of N(0, 0.02).
fn normal(builder: &mut Builder, name: &str, shape: [usize; 2]) -> Result<Tensor> {
    let values = builder
        .stream(name)
        .normals(shape[0] * shape[1], INIT_DEVIATION);
    builder.parameter(name, &shape, Init::Values(values))
}

/// A number of at least 1 and at most `limit`; left out, the published depth as far as that goes.
fn within(given: Option<usize>, limit: usize, key: &'static str) -> Result<usize> {
    match given {
        None => Ok(DEFAULT_DEPTH.min(limit)),
        Some(number) if (1..=limit).contains(&number) => Ok(number),
        Some(number) => Err(MethodError::Option {
            key,
            found: number.to_string(),
            expected: format!("1 to {limit} with this model"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::b16;

    fn ivlp(config: &IvlpConfig) -> Result<Ivlp> {
        Ivlp::with_words(config, &b16(), &Words::default(), 1)
    }

    fn depths(text: usize, visual: usize) -> IvlpConfig {
        IvlpConfig {
            depth_text: Some(text),
            depth_visual: Some(visual),
            ..IvlpConfig::default()
        }
    }

    #[test]
    fn parameters_are_counted_as_published() {
        let deep = ivlp(&IvlpConfig::default()).unwrap();
        assert_eq!(deep.depths(), (9, 9));
        assert_eq!(deep.parameter_count(), 46_080);
        let few = ivlp(&depths(3, 3)).unwrap();
        assert_eq!(few.parameter_count(), 3 * 4 * (512 + 768));
        let uneven = ivlp(&IvlpConfig {
            context: Some(2),
            ..depths(12, 1)
        });
        assert_eq!(uneven.unwrap().parameter_count(), 12 * 2 * 512 + 4 * 768);
    }

    #[test]
    fn parameters_have_the_published_names_and_shapes() {
        let found = ivlp(&depths(3, 2)).unwrap();
        let found: Vec<_> = found
            .parameters()
            .iter()
            .map(|p| (p.name(), p.shape()))
            .collect();
        let expected: [(&str, &[usize]); 5] = [
            ("ctx", &[4, 512]),
            (
                "text_encoder.transformer.resblocks.1.VPT_shallow",
                &[4, 512],
            ),
            (
                "text_encoder.transformer.resblocks.2.VPT_shallow",
                &[4, 512],
            ),
            ("image_encoder.VPT", &[4, 768]),
            (
                "image_encoder.transformer.resblocks.1.VPT_shallow",
                &[4, 768],
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_of_each_block_are_its_parameter_and_stand_before_ln_pre() {
        let method = ivlp(&depths(3, 2)).unwrap();
        let adaptation = method.adapt(&Pass::EVAL).unwrap();
        let values: Vec<Vec<f32>> = method
            .parameters()
            .iter()
            .map(|p| p.values().unwrap())
            .collect();
        let text = adaptation.text.values().unwrap().prompts.unwrap();
        assert_eq!((text.first, text.blocks, text.rows), (0, 3, 4));
        assert_eq!(text.values, values[..3].concat());
        let visual = adaptation.visual.values().unwrap().prompts.unwrap();
        assert_eq!((visual.first, visual.blocks, visual.rows), (0, 2, 4));
        assert_eq!(visual.values, values[3..].concat());
        assert_eq!(visual.place, VisualPlace::BeforeLnPre);
        assert_eq!(method.text_plan().blocks, 3);
    }

    #[test]
    fn the_first_context_starts_from_words_and_the_rest_at_random() {
        let clip = Clip::mini();
        let config = IvlpConfig::default();
        let method = Ivlp::new(&config, &clip, 1).unwrap();
        // All blocks of towers that have fewer than nine.
        let (text, visual) = (clip.config.text.layers, clip.config.vision.layers);
        assert!(text < 9 && visual < 9);
        assert_eq!(method.depths(), (text, visual));
        let words = clip.tokenizer.bpe("a photo of a");
        let of = |i: usize| method.parameters()[i].values().unwrap();
        assert_eq!(of(0), clip.text.token_embeddings(&words));
        let again = Ivlp::new(&config, &clip, 1).unwrap();
        let other = Ivlp::new(&config, &clip, 2).unwrap();
        for i in 1..method.parameters().len() {
            let values = of(i);
            let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
            let deviation = (squares / values.len() as f64).sqrt();
            assert!((deviation - 0.02).abs() < 0.003, "{deviation}");
            assert_eq!(values, again.parameters()[i].values().unwrap());
            assert_ne!(values, other.parameters()[i].values().unwrap());
        }
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        let error = |config: &IvlpConfig| ivlp(config).unwrap_err().to_string();
        assert_eq!(
            error(&depths(13, 9)),
            "ivlp.depth_text = 13: expected 1 to 12 with this model"
        );
        assert_eq!(
            error(&depths(9, 0)),
            "ivlp.depth_visual = 0: expected 1 to 12 with this model"
        );
        let none = IvlpConfig {
            prompts: 0,
            ..IvlpConfig::default()
        };
        assert_eq!(
            error(&none),
            "ivlp.prompts = 0: expected 1 to 1024 with this model"
        );
    }
}
