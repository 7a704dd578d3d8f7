//! A saved result and its use: from a prompt folder to numbers and predictions.
//!
//! * [`PromptFolder`] is a tuned prompt on disk; [`import_checkpoint`] makes one of a published
//!   checkpoint, [`average_prompts`] one of several.
//! * [`Classifier`] is what a prompt makes of class names: text features, texts that depend on the
//!   image, or a baseline's weights or cache.
//! * [`FeatureExtractor`] sends images through the frozen tower and keeps what comes out.
//! * [`merge`] writes a model with learned updates in its weights.
//! * [`evaluate()`] judges a classifier by the [`metrics`] of a task; [`Predictor`] answers for
//!   single images.
//! * An [`Observer`](vlpt_clip::Observer) watches; `()` is silence.

mod answer;
mod at_threshold;
mod choices;
mod classifier;
mod clip_benchmark;
mod decoded;
mod error;
mod eval_images;
mod evaluate;
mod features;
mod image_adaptation;
pub mod merge;
pub mod metrics;
mod pipeline;
mod precision;
mod predict;
mod preprocess;
mod prompt;
mod rows;
mod tensors;
mod threads;

pub use answer::{Answer, ScoredClass};
pub use at_threshold::{AtThreshold, check_threshold, is_answer};
pub use choices::{Choices, ClassesOf, places, plain_name};
pub use classifier::{Classifier, ClassifierParts, copies};
pub use decoded::{DecodedImages, ImageSource};
pub use error::{AdapterError, Result};
pub use eval_images::{EvalImages, PixelBudget};
pub use evaluate::{Chosen, EvalOptions, Evaluation, Scaled, SplitName, evaluate, evaluate_images};
pub use features::{
    DEFAULT_IMAGE_BATCH, FeatureExtractor, View, ViewStore, data_fingerprint, hash_images,
};
pub use image_adaptation::{ImageAdaptation, unit_tensor};
pub use metrics::{Bootstrap, Confusion, Interval, IntervalKind, Scored};
pub use pipeline::{BATCH, pipelined};
pub use precision::PrecisionSetting;
pub use predict::{NamedImage, PredictOptions, Predictor, embed_images, embed_texts};
pub use preprocess::{ImageConfig, preprocess};
pub use prompt::{
    Adapter, AdapterTask, Annotations, Averaged, AveragedSource, Calibration, FORMAT,
    ImportOptions, ImportTask, Imported, InitSource, LeftOut, PromptContent, PromptFolder,
    PromptReport, UsedTensor, VAL_TASKS, annotate_prompt, average_prompts, average_prompts_to,
    class_names_sha256, import_checkpoint, write_prompt,
};
pub use rows::{Row, RowFormat, RowLabels, RowOptions, RowWriter};
pub use tensors::{Named, TensorFile};
pub use threads::with_threads;
pub use vlpt_base::cache::default_cache_dir;
