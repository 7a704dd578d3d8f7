//! What every prompt method is: named parameters, a layout of slots, and prompts made of them.

use vlpt_clip::{PromptToken, Tokenizer};

use crate::{Parameter, Pass, Prompts, Result};

/// A prompt method with its parameters in memory.
pub trait Method: Send + Sync {
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
    /// [`Method::texts`] names are those within an image's.
    fn conditional(&self) -> bool {
        false
    }

    /// Number of trainable values.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(Parameter::len).sum()
    }
}

/// A class name as it is put into a text: underscores become spaces, as published code does.
pub fn class_text(name: &str) -> String {
    name.replace('_', " ")
}
