//! PromptSRC: prompting with self-regulating constraints (Khattak et al., "Self-regulating Prompts:
//! Foundational Model Adaptation without Forgetting", ICCV 2023).
//!
//! The prompts are those of [`Ivlp`]. Three terms beside cross-entropy hold them near the frozen
//! model. With tuned features `f` of the B images and `g` of the C classes' texts, frozen ones `f0`
//! and `g0`, all of length one and D wide, and the logit scale `s`:
//!
//! ```text
//! 25 mean |g - g0|  +  10 mean |f - f0|  +  sum p0 (log p0 - log p) / (B C)
//!
//! p = softmax(s f g'), p0 = softmax(s f0 g0')       means are over C x D and B x D
//! ```
//!
//! Of a class, `g0` is the mean over templates of its text features, each of its own length, divided
//! by the length of that mean. `f0` is of the same view of an image as `f`. The last term, a
//! Kullback-Leibler divergence from the frozen to the tuned model, is divided by all B C logits as in
//! the published code, so it is small with many classes.
//!
//! A run ends with an average of the parameters after its epochs 1 to T, where epoch `e` has a weight
//! in proportion to `exp(-(e - mu)^2 / (2 sigma^2))`. Training itself goes on from the parameters, not
//! from the average. The published code averages the whole state dict in its own number format; here
//! it is the parameters alone, since nothing else changes.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, PromptToken, TextPlanOptions, Tokenizer};

use crate::baselines::zero_shot::{ensemble, fill};
use crate::import::{Import, Source};
use crate::ivlp::{self, prompts_in_both_towers};
use crate::{
    Adaptation, Family, Features, Fit, Ivlp, IvlpConfig, Method, MethodConfig, MethodError,
    MethodSpec, Needs, Parameter, Pass, Report, Result,
};

/// The teacher's templates: one a line, after comments.
const TEMPLATES: &str = include_str!("../../assets/promptsrc-templates.txt");
const MEAN: &str = "promptsrc.average_mean";
const DEVIATION: &str = "promptsrc.average_deviation";

options! {
    /// Options of [`PromptSrc`] beside those of its prompts, [`IvlpConfig`].
    pub struct PromptSrcConfig = "promptsrc" {
        /// Weight of the mean distance between tuned and frozen text features.
        text_weight: f64 = 25.0, "0 or more";
        /// Weight of the mean distance between tuned and frozen image features.
        image_weight: f64 = 10.0, "0 or more";
        /// Weight of the divergence of the tuned logits from the frozen ones.
        logit_weight: f64 = 1.0, "0 or more";
        /// The epoch, counted from 1, that weighs most in the average of the parameters.
        average_mean: f64 = 15.0, "a number";
        /// How fast the weights fall off around it: the standard deviation, in epochs.
        average_deviation: f64 = 1.0, "above 0";
        /// Templates of the frozen model's texts, `{}` stands for the class name; empty: the 60 of the
        /// published code.
        teacher_templates: Vec<String> = Vec::new(), "texts with {}";
    }
}

/// What PromptSRC says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "promptsrc",
    summary: "the same, held near the frozen model and averaged over epochs",
    source: "Khattak et al., \"Self-regulating Prompts: Foundational Model Adaptation without Forgetting\", ICCV 2023",
    good_for: "about 16 points over zero-shot on seven real sets, the most of \
               methods with visual prompts (mini-clip, 16 shots)",
    family: Some(Family::Joint),
    tables: &[&IvlpConfig::TABLE, &PromptSrcConfig::TABLE],
    flags: ivlp::FLAGS,
    report: Report {
        done: "Tokens at the first blocks of both towers were learned, held near the frozen model, \
               and averaged over epochs",
        holds: "learned tokens at the first blocks of both towers, an average over epochs",
    },
    needs: |_| needs(),
    check: |method| method.options::<PromptSrcConfig>().check(),
    fit: Fit::Tune(|method, build| {
        let (ivlp, own) = (method.options(), method.options());
        Ok(Box::new(PromptSrc::new(ivlp, own, build.clip, build.seed)?))
    }),
    // Its prompts are IVLP's; what tells its files is the teacher that the published code saves with
    // them. Without one a file is IVLP's, which predicts the same.
    import: Some(Import {
        matches: |names| prompts_in_both_towers(names) && names.teacher,
        read: |reader| {
            reader.assume(
                "the prompts are an average over epochs already; the terms of the loss and the \
                 weights of the average are not in the file, and only another training needs them",
            );
            MethodConfig::of(&SPEC, IvlpConfig::imported(reader))
        },
        sources: &[Source::Own],
        position: false,
        place: false,
        tensors: "PromptSRC also `ZS_image_encoder.*`",
    }),
    ..MethodSpec::BASE
};

fn needs() -> Needs {
    Needs {
        pixels: true,
        frozen_features: true,
        ..Needs::default()
    }
}

impl From<(IvlpConfig, PromptSrcConfig)> for MethodConfig {
    fn from((ivlp, own): (IvlpConfig, PromptSrcConfig)) -> Self {
        let mut config = Self::of(&SPEC, ivlp);
        config.set(own);
        config
    }
}

impl PromptSrcConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        let need = |fits: bool, key, found: f64, expected: &str| {
            if fits {
                return Ok(());
            }
            Err(MethodError::Option {
                key,
                found: found.to_string(),
                expected: expected.to_owned(),
            })
        };
        for (key, weight) in [
            ("promptsrc.text_weight", self.text_weight),
            ("promptsrc.image_weight", self.image_weight),
            ("promptsrc.logit_weight", self.logit_weight),
        ] {
            need(
                weight.is_finite() && weight >= 0.0,
                key,
                weight,
                "0 or more",
            )?;
        }
        let (mean, deviation) = (self.average_mean, self.average_deviation);
        need(mean.is_finite(), MEAN, mean, "a number")?;
        let fits = deviation.is_finite() && deviation > 0.0;
        need(fits, DEVIATION, deviation, "above 0")?;
        for template in &self.teacher_templates {
            fill(template, "name")?;
        }
        Ok(())
    }

    /// The teacher's templates.
    pub fn templates(&self) -> Vec<String> {
        if !self.teacher_templates.is_empty() {
            return self.teacher_templates.clone();
        }
        let lines = TEMPLATES.lines().map(str::trim);
        let texts = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        texts.map(str::to_owned).collect()
    }

    /// The weight of the parameters after epoch `epoch` (counted from 1) of `epochs`; the weights of
    /// all epochs add up to 1.
    pub fn average_weight(&self, epoch: usize, epochs: usize) -> f64 {
        let exponent = |epoch: usize| {
            let distance = (epoch as f64 - self.average_mean) / self.average_deviation;
            -0.5 * distance * distance
        };
        // Taking the largest off changes no weight, and one of them is then no underflow.
        let exponents = (1..=epochs).map(exponent);
        let largest = exponents.clone().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = exponents.map(|e| (e - largest).exp()).sum();
        (exponent(epoch) - largest).exp() / total
    }
}

/// [`Ivlp`]'s prompts under the names that they have there, with the same initial values, and what
/// holds them near the frozen model.
#[derive(Debug, Clone)]
pub struct PromptSrc {
    prompts: Ivlp,
    config: PromptSrcConfig,
}

impl PromptSrc {
    /// The prompts with their initial values.
    ///
    /// # Errors
    /// As [`Ivlp::new`] and [`PromptSrcConfig::check`].
    pub fn new(ivlp: &IvlpConfig, own: &PromptSrcConfig, clip: &Clip, seed: u64) -> Result<Self> {
        own.check()?;
        Ok(Self {
            prompts: Ivlp::new(ivlp, clip, seed)?,
            config: own.clone(),
        })
    }
}

impl Method for PromptSrc {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        self.prompts.parameters()
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.prompts.texts(tokenizer, classes)
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        self.prompts.adapt(pass)
    }

    fn needs(&self) -> Needs {
        needs()
    }

    fn text_plan(&self) -> TextPlanOptions {
        self.prompts.text_plan()
    }

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        ensemble(clip, classes, &self.config.templates(), false).map(Some)
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        let (texts, frozen_texts) = (features.texts, features.frozen_texts);
        let Some(images) = &features.images else {
            let distance = texts.sub(frozen_texts)?.abs().mean_all();
            return Ok(Some(distance * self.config.text_weight));
        };
        let ([classes, embed], batch) = (texts.dims()?, images.batch as f64);
        let distance = images.tuned.sub(images.frozen)?.abs().sum_all();
        let logs = |images: &Tensor, texts: &Tensor| {
            (images.matmul_nt(texts)? * f64::from(features.scale)).log_softmax()
        };
        let tuned = logs(images.tuned, texts)?;
        let frozen = logs(images.frozen, frozen_texts)?;
        let divergence = frozen.exp().mul(&frozen.sub(&tuned)?)?.sum_all();
        let distance = distance * (self.config.image_weight / (batch * embed as f64));
        let divergence = divergence * (self.config.logit_weight / (batch * classes as f64));
        Ok(Some(distance.add(&divergence)?))
    }

    fn average_weight(&self, epoch: usize, epochs: usize) -> Option<f64> {
        Some(self.config.average_weight(epoch, epochs))
    }
}

#[cfg(test)]
mod tests;
