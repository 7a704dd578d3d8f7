//! What a method says of itself: everything that the rest of the program needs to know.

use std::collections::BTreeMap;

use vlpt_clip::{CheckpointTensor, Clip};

use crate::head::{FitHead, HeadReader};
use crate::import::Import;
use crate::{Method, MethodConfig, OptionTable, Result};

/// One method, described by its own file and listed once, in [`METHODS`](crate::METHODS).
#[derive(Debug)]
pub struct MethodSpec {
    /// Its name in configurations, prompt folders and on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Where it is good by this project's own measurements, a sentence without its full stop; empty
    /// where there is none yet.
    pub good_for: &'static str,
    /// Which side of the model it learns for; none for what compares with prompts.
    pub family: Option<Family>,
    /// The tables of its options.
    pub tables: &'static [&'static OptionTable],
    /// The options that short flags of the command line set.
    pub flags: Flags,
    /// How reports speak of it.
    pub report: Report,
    /// What it asks for, given its options.
    pub needs: fn(&MethodConfig) -> Needs,
    /// Checks what can be said of the options without a model; the rest is checked when the method
    /// is built.
    pub check: fn(&MethodConfig) -> Result<()>,
    /// How it comes to its result.
    pub fit: Fit,
    /// Of a baseline: whether its fit knows weights of classes. What is tuned has the trainer's loss,
    /// which knows them.
    pub weighs_classes: bool,
    /// How its published checkpoints are read, where there are some.
    pub import: Option<Import>,
    /// Gives tensors of its published checkpoints the names of its parameters, where these have
    /// others; tensors that it does not know keep theirs.
    pub renamed: fn(&mut BTreeMap<String, CheckpointTensor>),
    /// The kinds of classifiers of image features that it makes, read back.
    pub heads: &'static [HeadReader],
    /// Of a baseline: how many numbers it learns; none where it does not say. What is tuned has
    /// parameters that are counted.
    pub learns: Option<fn(&MethodConfig, &HeadSize) -> usize>,
    /// Whether stored options under another name are this method's: older names of it.
    pub reads: fn(name: &str, options: &serde_json::Value) -> bool,
}

/// Which side of the model a method learns for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Text prompts alone.
    Text,
    /// Visual prompts alone.
    Visual,
    /// Both, each by itself.
    Joint,
    /// Both, made together.
    Unified,
    /// Weights inside the towers.
    Weights,
}

/// Keys, `TABLE.KEY`, that short flags of the command line set; none where the method has nothing of
/// that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// `--context`: the number of learned text tokens.
    pub context: Option<&'static str>,
    /// `--init`: the words that they start from.
    pub init: Option<&'static str>,
    /// `--prompts`: the number of learned image tokens a block.
    pub prompts: Option<&'static str>,
}

impl Flags {
    /// None of them.
    pub const NONE: Self = Self {
        context: None,
        init: None,
        prompts: None,
    };
}

/// How reports speak of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// What was done, a sentence without its full stop.
    pub done: &'static str,
    /// What the result is, in the middle of a sentence.
    pub holds: &'static str,
}

/// What a method asks for, so that nobody has to try.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The image tower is adapted: pixels go through it at every step.
    pub pixels: bool,
    /// The features of the step's images under the frozen tower.
    pub frozen_features: bool,
    /// The features of the classes' texts under the frozen tower that [`Method::teacher`] gives.
    pub frozen_class_features: bool,
    /// Each image has texts of its own.
    pub texts_per_image: bool,
    /// Each image has visual prompts of its own.
    pub visual_per_image: bool,
    /// Each class has parameters of its own: other classes need another fit.
    pub class_specific: bool,
    /// Training images play no part.
    pub no_images: bool,
    /// What is fitted works on what the image tower's last projection is applied to: many views of
    /// each image, see [`HeadInputs::unprojected`](crate::head::HeadInputs::unprojected).
    pub unprojected: bool,
    /// Of a baseline: nothing that it learned is of a class, so names of other classes go into its
    /// templates.
    pub open_classes: bool,
    /// Validation images choose hyper-parameters, where there are some.
    pub validation: bool,
    /// Weights inside the text tower are adapted: no text is constant.
    pub text_weights: bool,
    /// Weights inside the image tower are adapted.
    pub image_weights: bool,
    /// Features of the classes trained on are parameters; other classes are known by their texts.
    pub class_features: bool,
}

impl Needs {
    /// What it asks for, in words, one for each thing.
    pub fn words(self) -> Vec<&'static str> {
        let images = match (self.no_images, self.pixels) {
            (true, _) => "class names alone",
            (_, true) => "pixels through the image tower in every step",
            _ => "features of images, computed once",
        };
        let asked = [
            (true, images),
            (
                self.pixels && self.frozen_features,
                "features of the same views under the frozen tower",
            ),
            (
                self.frozen_class_features,
                "a text of each class for the frozen model",
            ),
            (
                self.texts_per_image,
                "texts of each image's own in every step",
            ),
            (
                self.text_weights,
                "all texts through the text tower in every step",
            ),
            (
                self.validation,
                "validation images to choose options by, or folds of the training images",
            ),
            (self.class_specific, "another fit for other classes"),
        ];
        let asked = asked.into_iter().filter(|(asked, _)| *asked);
        asked.map(|(_, words)| words).collect()
    }
}

/// What a baseline is fitted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSize {
    /// Length of a feature.
    pub embed: usize,
    /// Length of what the image tower's last projection is applied to.
    pub width: usize,
    /// Number of classes.
    pub classes: usize,
    /// Number of training images.
    pub images: usize,
}

/// How a method comes to its result.
#[derive(Debug, Clone, Copy)]
pub enum Fit {
    /// Its parameters are tuned through the frozen towers.
    Tune(fn(&MethodConfig, &Build) -> Result<Box<dyn Method>>),
    /// It makes a classifier of image features at once.
    Head(FitHead),
}

/// What a method is built for.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The frozen model.
    pub clip: &'a Clip,
    /// Number of classes.
    pub classes: usize,
    /// Names the random initial values.
    pub seed: u64,
}

impl MethodSpec {
    /// What a description leaves out: no options, nothing learned, nothing to import.
    pub const BASE: Self = Self {
        name: "",
        summary: "",
        source: "",
        good_for: "",
        family: None,
        tables: &[],
        flags: Flags::NONE,
        report: Report {
            done: "",
            holds: "",
        },
        needs: |_| Needs::default(),
        check: |_| Ok(()),
        fit: Fit::Tune(|config, _| {
            Err(crate::MethodError::Baseline {
                name: config.name(),
            })
        }),
        weighs_classes: false,
        import: None,
        renamed: |_| {},
        heads: &[],
        learns: None,
        reads: |_, _| false,
    };

    /// Whether it holds no prompt: a classifier made at once.
    pub fn is_baseline(&self) -> bool {
        matches!(self.fit, Fit::Head(_))
    }

    /// The table of that name among its own.
    pub fn table(&self, name: &str) -> Option<&'static OptionTable> {
        self.tables.iter().find(|table| table.name == name).copied()
    }
}

impl PartialEq for MethodSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
