//! What every tuned method is: named parameters, a layout of tokens, and what it makes of both.

use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, PromptToken, TextPlanOptions, Tokenizer};

use crate::{Adaptation, Needs, Parameter, Result};

/// A tuned method with its parameters in memory.
pub trait Method: Send + Sync {
    /// The name in configurations and prompt folders.
    fn name(&self) -> &'static str;

    /// All trainable parameters, always in the same order.
    fn parameters(&self) -> &[Parameter];

    /// For each class, the tokens of its text from the start to the end token. A
    /// [`PromptToken::Learned`] names a row of the adaptation's text prompts.
    ///
    /// # Errors
    /// A name without a token, a text longer than the tower's positions, or a number of classes
    /// that the parameters do not have.
    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>>;

    /// What the parameters' current values change in the towers. It may share memory with the
    /// parameters: take values and gradients from it before a parameter is set.
    ///
    /// # Errors
    /// A tensor operation that failed, or a pass without the images that the method needs.
    fn adapt(&self, pass: &Pass) -> Result<Adaptation>;

    /// What it asks for.
    fn needs(&self) -> Needs;

    /// What plans of its texts have to know.
    fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions::default()
    }

    /// Where each image has texts of its own: how many rows of text prompts an image has. The rows
    /// of all images then come one image after the other, and those that [`Method::texts`] names are
    /// those within an image's.
    fn rows_per_image(&self) -> usize {
        0
    }

    /// Features of the classes' texts, of length one, that [`Method::regulariser`] compares with
    /// (classes x embed).
    ///
    /// # Errors
    /// Class names that cannot be used.
    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        let _ = (clip, classes);
        Ok(None)
    }

    /// What is added to the loss: a number made of features, or none. It is asked once a step for
    /// the texts (`images` none), and once for each part of the step's images.
    ///
    /// # Errors
    /// A tensor operation that failed.
    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        let _ = features;
        Ok(None)
    }

    /// The weight of the parameters after epoch `epoch` (counted from 1) of `epochs` in the average
    /// that the run ends with; none where it ends with the parameters themselves. The weights of a
    /// run add up to 1.
    fn average_weight(&self, epoch: usize, epochs: usize) -> Option<f64> {
        let _ = (epoch, epochs);
        None
    }

    /// What is trained one after another, each with an optimiser and a schedule of its own; none where
    /// all parameters are trained at once.
    fn stages(&self) -> Vec<Stage> {
        Vec::new()
    }

    /// The one of the [parameters](Method::parameters) that holds features of the classes trained on
    /// (classes x embed), where these are learned as they are and not through texts. In the end they
    /// stand for these classes; [`Method::texts`] are for all others, and for the stages before they
    /// are trained. [`Method::adapt`] does not depend on them.
    fn class_features(&self) -> Option<&Parameter> {
        None
    }

    /// Number of trainable values.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(Parameter::len).sum()
    }
}

/// A part of training with parameters of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Its share of the run's length; those of all stages add up to 1.
    pub share: f64,
    /// What it trains.
    pub trains: Trains,
}

/// What a stage trains; everything else stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trains {
    /// What changes the towers: all parameters but the [class features](Method::class_features).
    Adaptation,
    /// The [class features](Method::class_features). They start as those of the classes' texts, of
    /// length one, under the adaptation that the stages before have come to.
    ClassFeatures,
}

/// What an adaptation depends on beside the parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pass<'a> {
    /// Features of the images under the frozen tower, each of length one (images x embed); for
    /// methods that [need](Needs::frozen_features) them.
    pub images: Option<&'a Tensor>,
    /// The run's seed and the number of the training step, counted from the run's beginning, from
    /// which dropout draws; none in evaluation.
    pub step: Option<(u64, u64)>,
}

impl Pass<'_> {
    /// Evaluation without images: nothing is dropped.
    pub const EVAL: Pass<'static> = Pass {
        images: None,
        step: None,
    };

    /// The stream that dropout of this name draws from, the same for the same seed and step; none
    /// in evaluation.
    pub fn stream(&self, purpose: &str) -> Option<Stream> {
        self.step
            .map(|(seed, step)| Stream::new(seed, &format!("{purpose} {step}")))
    }
}

/// Features of a step for [`Method::regulariser`]; all rows are of length one.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    /// Of the classes' texts as tuned (classes x embed): a leaf whose gradient is wanted.
    pub texts: &'a Tensor,
    /// Of the same classes as [`Method::teacher`] gives them.
    pub frozen_texts: &'a Tensor,
    /// Of a part of the step's images.
    pub images: Option<ImageFeatures<'a>>,
    /// What cosines are multiplied by to be logits.
    pub scale: f32,
}

/// Features of a part of a step's images.
#[derive(Debug, Clone, Copy)]
pub struct ImageFeatures<'a> {
    /// As tuned (images x embed): a leaf whose gradient is wanted.
    pub tuned: &'a Tensor,
    /// Under the frozen tower.
    pub frozen: &'a Tensor,
    /// Number of images of the whole step.
    pub batch: usize,
}

/// A class name as it is put into a text: underscores become spaces, as published code does.
pub fn class_text(name: &str) -> String {
    name.replace('_', " ")
}
