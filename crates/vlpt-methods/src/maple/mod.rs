//! MaPLe: multi-modal prompt learning (Khattak et al., CVPR 2023).
//!
//! Learned text prompts, and visual prompts that linear layers make of them. Each of the first
//! blocks of both towers has prompts of its own; they replace what the block before made of its:
//!
//! ```text
//! block 0:      ctx                         -> proj                                -> visual prompts
//! block l >= 1: compound_prompts_text.{l-1} -> compound_prompt_projections.{l-1}   -> visual prompts
//! ```
//!
//! The visual prompts of block 0 enter before `ln_pre`. The text prompts take the place of the
//! first words of a template, whose other words stay between them and the class's name. With two
//! prompts and "a photo of a":
//!
//! ```text
//! start | ctx 1 | ctx 2 | of | a | name | . end
//! ```

mod options;

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, Tokenizer, VisualPlace};

pub use options::MaPLeConfig;
use options::{Start, depth, imported};

use crate::context::INIT_DEVIATION;
use crate::import::{Import, Source};
use crate::nn::{Builder, Init, Linear};
use crate::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, PromptTensor, Report, Result, TowerTensors, class_text,
};

/// The option for the number of prompts.
const CONTEXT: &str = "maple.context";
/// One token in every CLIP vocabulary; stands for a prompt while the text is tokenised.
const PLACEHOLDER: &str = "X";
/// Names of the parameters of the blocks after the first, each before its number.
const DEEP_TEXT: &str = "compound_prompts_text";
const DEEP_PROJECTION: &str = "compound_prompt_projections";

/// What MaPLe says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "maple",
    summary: "text prompts in the first blocks, and visual prompts made of them",
    source: "Khattak et al., \"MaPLe: Multi-modal Prompt Learning\", CVPR 2023",
    good_for: "about 10 points over zero-shot on seven real sets (mini-clip, 16 \
               shots)",
    family: Some(Family::Unified),
    tables: &[&MaPLeConfig::TABLE],
    flags: Flags {
        context: Some(CONTEXT),
        init: Some("maple.init"),
        prompts: None,
    },
    report: Report {
        done: "Text prompts in the first blocks and linear layers that make visual prompts of them \
               were learned",
        holds: "learned text prompts in the first blocks, and visual prompts that learned linear \
                layers make of them",
    },
    needs: |_| Needs {
        pixels: true,
        ..Needs::default()
    },
    fit: Fit::Tune(|method, build| {
        Ok(Box::new(MaPLe::new(
            method.options(),
            build.clip,
            build.seed,
        )?))
    }),
    import: Some(Import {
        matches: |names| {
            names.has("ctx") && (names.has("proj.weight") || names.any("compound_prompt"))
        },
        read: |reader| MethodConfig::of(&SPEC, imported(reader)),
        sources: &[Source::Own],
        position: false,
        place: false,
        tensors: "MaPLe `ctx` with `proj.*` and `compound_prompt*`",
    }),
    ..MethodSpec::BASE
};

impl From<MaPLeConfig> for MethodConfig {
    fn from(options: MaPLeConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Coupled prompts. The parameters, with `n` prompts a block, `dt` and `dv` the widths of the
/// towers, and `l` from 0 to the number of prompted blocks less two:
///
/// - `ctx` (n x dt), `proj.weight` (dv x dt), `proj.bias` (dv);
/// - `compound_prompts_text.{l}` (n x dt) of block `l + 1`;
/// - `compound_prompt_projections.{l}.weight` (dv x dt) and `.bias` (dv) of block `l + 1`.
#[derive(Debug, Clone)]
pub struct MaPLe {
    parameters: Vec<Parameter>,
    /// Of each block, its text prompts and what makes visual prompts of them.
    blocks: Vec<(Tensor, Linear)>,
    context: usize,
    /// What stands before the class name, the prompts' places included.
    words: String,
    /// The option that makes the words longer or shorter.
    key: &'static str,
}

impl MaPLe {
    /// Prompts with their initial values: `ctx` the embeddings of the first words of
    /// `config.init` (before positions are added), all other text prompts N(0, 0.02) from `seed`;
    /// the linear layers uniform within 1 / sqrt(dt), `proj` by itself, all others copies of one.
    ///
    /// # Errors
    /// More prompts than the words have tokens, or than the text tower has room for; more blocks
    /// than a tower has; none of either.
    pub fn new(config: &MaPLeConfig, clip: &Clip, seed: u64) -> Result<Self> {
        let start = Start::new(config, clip);
        Self::with_start(config, &clip.config, start, seed)
    }

    fn with_start(
        config: &MaPLeConfig,
        model: &ClipConfig,
        start: Start,
        seed: u64,
    ) -> Result<Self> {
        let context = config.context;
        start.check(context, model.text.context_length)?;
        let depth = depth(config.depth, model)?;
        let (text, vision) = (model.text.width, model.vision.width);
        let mut builder = Builder::new("maple", seed);
        let normal = |builder: &Builder, name: &str| {
            Init::Values(builder.stream(name).normals(context * text, INIT_DEVIATION))
        };
        let (words, first, key) = match start.tokens {
            0 => {
                let words = vec![PLACEHOLDER; context].join(" ");
                (words, normal(&builder, "ctx"), CONTEXT)
            }
            _ => (start.words, Init::Values(start.embeddings), "maple.init"),
        };
        let mut prompts = vec![builder.parameter("ctx", &[context, text], first)?];
        let mut projections = vec![Linear::new(&mut builder, "proj", text, vision)?];
        for block in 0..depth - 1 {
            let name = format!("{DEEP_TEXT}.{block}");
            let values = normal(&builder, &name);
            prompts.push(builder.parameter(&name, &[context, text], values)?);
        }
        let bound = 1.0 / (text as f64).sqrt();
        let copy = |builder: &mut Builder, block: usize, part: &str, shape: &[usize]| {
            let mut stream = builder.stream(&format!("{DEEP_PROJECTION}.{part}"));
            let values = Init::Values(stream.uniforms(shape.iter().product(), bound));
            builder.parameter(&format!("{DEEP_PROJECTION}.{block}.{part}"), shape, values)
        };
        for block in 0..depth - 1 {
            let weight = copy(&mut builder, block, "weight", &[vision, text])?;
            let bias = copy(&mut builder, block, "bias", &[vision])?;
            projections.push(Linear::of(weight, bias));
        }
        Ok(Self {
            parameters: builder.finish(),
            blocks: prompts.into_iter().zip(projections).collect(),
            context,
            words,
            key,
        })
    }

    /// Prompts a block, in each tower.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Number of blocks with prompts of their own.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// The tokens of the text of class number `index`.
    fn text(&self, tokenizer: &Tokenizer, index: usize, class: &str) -> Result<Vec<PromptToken>> {
        let name = class_text(class);
        if tokenizer.bpe(&name).is_empty() {
            return Err(MethodError::EmptyName {
                index,
                name: class.to_owned(),
            });
        }
        let ids = tokenizer.bpe(&format!("{} {name}.", self.words));
        let (tokens, limit) = (2 + ids.len(), tokenizer.context_length());
        if tokens > limit {
            return Err(MethodError::TooLong {
                key: self.key,
                name: class.to_owned(),
                tokens,
                context: tokenizer.bpe(&self.words).len(),
                limit,
            });
        }
        let token = |(place, id)| match u32::try_from(place) {
            Ok(row) if place < self.context => PromptToken::Learned(row),
            _ => PromptToken::Token(id),
        };
        let mut slots = vec![PromptToken::Token(tokenizer.sot())];
        slots.extend(ids.into_iter().enumerate().map(token));
        slots.push(PromptToken::Token(tokenizer.eot()));
        Ok(slots)
    }
}

impl Method for MaPLe {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        let classes = classes.iter().enumerate();
        classes
            .map(|(index, class)| self.text(tokenizer, index, class))
            .collect()
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: true,
            ..Needs::default()
        }
    }

    fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions {
            blocks: self.depth(),
            ..TextPlanOptions::default()
        }
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let text: Vec<&Tensor> = self.blocks.iter().map(|(prompts, _)| prompts).collect();
        let visual = self
            .blocks
            .iter()
            .map(|(prompts, projection)| projection.forward(prompts))
            .collect::<Result<Vec<Tensor>>>()?;
        Ok(Adaptation {
            text: TowerTensors::prompts(PromptTensor::deep(Tensor::stack(&text, 0)?)),
            visual: TowerTensors::prompts(PromptTensor {
                place: VisualPlace::BeforeLnPre,
                ..PromptTensor::deep(Tensor::stack(&visual, 0)?)
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::b16;

    fn count(context: usize, depth: Option<usize>) -> usize {
        let config = MaPLeConfig {
            context,
            depth,
            init: String::new(),
        };
        MaPLe::with_start(&config, &b16(), Start::default(), 0)
            .unwrap()
            .parameter_count()
    }

    #[test]
    fn parameters_are_counted_as_published() {
        assert_eq!(count(2, None), 3_555_072);
        // a block has n x 512 numbers and a layer of 512 x 768 + 768
        assert_eq!(count(2, Some(3)), 3 * (2 * 512 + 393_984));
        assert_eq!(count(4, Some(1)), 4 * 512 + 393_984);
    }
}
