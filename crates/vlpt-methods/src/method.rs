//! What every prompt method is: named parameters, a layout of slots, and prompts made of them.

use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::{
    CoCoOp, CoCoOpConfig, CoOp, CoOpConfig, LinearProbeConfig, MethodError, Parameter, Pass,
    Prompts, Result, TipAdapterConfig, Upt, UptConfig, Vlpt, Vpt, VptConfig, ZeroShotConfig,
};

/// A prompt method with its parameters in memory.
pub trait PromptMethod: Send + Sync {
    /// The name in configurations and prompt folders, such as `coop`.
    fn name(&self) -> &'static str;

    /// All trainable parameters, always in the same order.
    fn parameters(&self) -> &[Parameter];

    /// For each class, the slots of its text from the start to the end token. A
    /// [`PromptToken::Learned`] names a row of [`Prompts::text`].
    ///
    /// # Errors
    /// A name without a token, a text longer than the tower's positions, or a number of classes
    /// that the parameters do not have.
    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>>;

    /// The prompts made of the parameters' current values. They may share memory with the
    /// parameters: take values and gradients from them before a parameter is set.
    ///
    /// # Errors
    /// A tensor operation that failed, or a pass without the images that the method needs.
    fn prompts(&self, pass: &Pass) -> Result<Prompts>;

    /// Whether each image has text prompts of its own, made from its features. [`Prompts::text`]
    /// then holds the rows of all images, one image after the other, and the rows that
    /// [`PromptMethod::texts`] names are those within an image's.
    fn conditional(&self) -> bool {
        false
    }

    /// Number of trainable values.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(Parameter::len).sum()
    }
}

/// The options of one method, as a configuration or a prompt folder holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum MethodConfig {
    /// Context optimisation, see [`CoOp`].
    CoOp(CoOpConfig),
    /// Visual prompt tuning, see [`Vpt`].
    Vpt(VptConfig),
    /// Both side by side, see [`Vlpt`].
    Vlpt {
        /// The text side.
        #[serde(default)]
        coop: CoOpConfig,
        /// The image side.
        #[serde(default)]
        vpt: VptConfig,
    },
    /// Unified prompt tuning, see [`Upt`].
    Upt(UptConfig),
    /// Conditional context optimisation, see [`CoCoOp`].
    CoCoOp(CoCoOpConfig),
    /// Baseline without learning, see [`crate::baselines::zero_shot`].
    #[serde(rename = "zero-shot")]
    ZeroShot(ZeroShotConfig),
    /// Baseline without text, see [`crate::baselines::linear_probe`].
    #[serde(rename = "linear-probe")]
    LinearProbe(LinearProbeConfig),
    /// Baseline with a cache of images, see [`crate::baselines::tip_adapter`].
    #[serde(rename = "tip-adapter")]
    TipAdapter(TipAdapterConfig),
}

impl MethodConfig {
    /// The method's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CoOp(_) => "coop",
            Self::Vpt(_) => "vpt",
            Self::Vlpt { .. } => "vlpt",
            Self::Upt(_) => "upt",
            Self::CoCoOp(_) => "cocoop",
            Self::ZeroShot(_) => "zero-shot",
            Self::LinearProbe(_) => "linear-probe",
            Self::TipAdapter(config) if config.finetune => "tip-adapter-f",
            Self::TipAdapter(_) => "tip-adapter",
        }
    }

    /// Whether it is a baseline without prompts, which [`MethodConfig::build`] refuses.
    pub fn is_baseline(&self) -> bool {
        match self {
            Self::CoOp(_) | Self::Vpt(_) | Self::Vlpt { .. } | Self::Upt(_) | Self::CoCoOp(_) => {
                false
            }
            Self::ZeroShot(_) | Self::LinearProbe(_) | Self::TipAdapter(_) => true,
        }
    }

    /// The method with its initial values for `classes` classes; `seed` names the random ones.
    ///
    /// # Errors
    /// Options that make no sense, or initial words that cannot be used.
    pub fn build(&self, clip: &Clip, classes: usize, seed: u64) -> Result<Box<dyn PromptMethod>> {
        match self {
            Self::CoOp(config) => Ok(Box::new(CoOp::new(config, clip, classes, seed)?)),
            Self::Vpt(config) => Ok(Box::new(Vpt::new(config, &clip.config, seed)?)),
            Self::Vlpt { coop, vpt } => Ok(Box::new(Vlpt::new(coop, vpt, clip, classes, seed)?)),
            Self::Upt(config) => Ok(Box::new(Upt::new(config, clip, classes, seed)?)),
            Self::CoCoOp(config) => Ok(Box::new(CoCoOp::new(config, clip, seed)?)),
            Self::ZeroShot(_) | Self::LinearProbe(_) | Self::TipAdapter(_) => {
                Err(MethodError::Baseline { name: self.name() })
            }
        }
    }
}

/// A class name as it is put into a text: underscores become spaces, as published code does.
pub fn class_text(name: &str) -> String {
    name.replace('_', " ")
}
