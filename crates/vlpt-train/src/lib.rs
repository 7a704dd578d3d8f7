//! The trainer: from a configuration to a prompt folder.
//!
//! * [`load`] builds a [`RunConfig`] from a recipe, a file and overrides.
//! * [`Run`] trains: it fills a run folder, and goes on where it was interrupted.
//! * A [`TrainObserver`] watches; `()` is silence.

mod checkpoint;
mod config;
mod data;
mod error;
mod estimate;
mod events;
mod heads;
mod init;
mod lock;
mod loss;
mod observer;
mod optim;
mod pixels;
mod run;
mod sampler;
mod schedule;
mod trainer;

pub use config::*;
pub use data::{
    Member, SharedName, TrainingData, open_task, open_task_watched, open_tasks, open_tasks_watched,
};
pub use error::{Result, TrainError};
pub use estimate::{Estimates, MEASURED_CLASSES, Stopwatch};
pub use events::{End, EpochEnd, Event, Start, StartTask, StepEnd, TaskValue, read_events};
pub use heads::{HeadImages, fit_head, head_classifier};
pub use loss::{ImageWeights, Loss, LossHead, LossInput, LossOutput, Mask, TextsOf};
pub use observer::{StepReport, TrainObserver};
pub use optim::optimizer;
pub use run::{Run, RunOptions, RunSummary, is_gone, located_model, remembered_data};
pub use sampler::Mix;
pub use schedule::{Decay, Schedule};
