//! What every prompt method is: named parameters, a layout of slots, and prompts made of them.

use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, Slot, Tokenizer};

use crate::{CoOp, CoOpConfig, Parameter, Pass, Prompts, Result};

/// A prompt method with its parameters in memory.
pub trait PromptMethod: Send + Sync {
    /// The name in configurations and prompt folders, such as `coop`.
    fn name(&self) -> &'static str;

    /// All trainable parameters, always in the same order.
    fn parameters(&self) -> &[Parameter];

    /// For each class, the slots of its text from the start to the end token. A
    /// [`Slot::Learned`] names a row of [`Prompts::text`].
    ///
    /// # Errors
    /// A name without a token, a text longer than the tower's positions, or a number of classes
    /// that the parameters do not have.
    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<Slot>>>;

    /// The prompts made of the parameters' current values.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodConfig {
    /// Context optimisation, see [`CoOp`].
    CoOp(CoOpConfig),
}

impl MethodConfig {
    /// The method's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CoOp(_) => "coop",
        }
    }

    /// The method with its initial values for `classes` classes; `seed` names the random ones.
    ///
    /// # Errors
    /// Options that make no sense, or initial words that cannot be used.
    pub fn build(&self, clip: &Clip, classes: usize, seed: u64) -> Result<Box<dyn PromptMethod>> {
        match self {
            Self::CoOp(config) => Ok(Box::new(CoOp::new(config, clip, classes, seed)?)),
        }
    }
}

/// A class name as it is put into a text: underscores become spaces, as published code does.
pub fn class_text(name: &str) -> String {
    name.replace('_', " ")
}
