//! The trainer: from a configuration to a prompt, and from a prompt to numbers and predictions.
//!
//! * [`load`] builds a [`RunConfig`] from a recipe, a file and overrides.
//! * [`Run`] trains: it fills a run folder, and goes on where it was interrupted.
//! * [`PromptFolder`] is the result of a run; [`Classifier`] what it makes of images: by text
//!   features, by texts that depend on the image, or by a baseline's weights or cache.
//! * [`evaluate()`] and [`Predictor`] use a classifier.
//! * An [`Observer`] watches; `()` is silence.

mod baseline;
mod checkpoint;
mod classifier;
mod config;
mod data;
mod error;
mod eval_images;
mod evaluate;
mod events;
mod features;
mod loss;
pub mod metrics;
mod observer;
mod optim;
mod order;
mod pixels;
mod predict;
mod prompt;
mod run;
mod schedule;
mod tensors;
mod threads;
mod trainer;

pub use classifier::Classifier;
pub use config::*;
pub use data::{Member, SharedName, TrainingData, open_task, open_tasks, preprocess};
pub use error::{Result, TrainError};
pub use eval_images::{EvalImages, PixelBudget};
pub use evaluate::{EvalOptions, Evaluation, SplitName, evaluate, evaluate_images};
pub use events::{End, EpochEnd, Event, Start, StartTask, TaskValue, read_events};
pub use features::{FeatureMaker, View, default_cache_dir, hash_images};
pub use loss::{Loss, LossHead, LossInput, LossOutput, Mask, TextsOf, UnitRows};
pub use metrics::{Bootstrap, Confusion, Interval, Scored};
pub use observer::{Observer, StepReport};
pub use optim::{AdamW, Optimizer, OptimizerState, Sgd, optimizer};
pub use order::Mix;
pub use predict::{NamedImage, PredictOptions, Predictor, embed_images, embed_texts};
pub use prompt::{
    Adapter, AdapterTask, Averaged, AveragedSource, ImportOptions, ImportTask, Imported,
    InitSource, LeftOut, PromptFolder, PromptReport, Source, UsedTensor, average_prompts,
    average_prompts_to, class_names_sha256, import_checkpoint,
};
pub use run::{Run, RunOptions, RunSummary};
pub use schedule::{Decay, Schedule};
pub use threads::with_threads;
