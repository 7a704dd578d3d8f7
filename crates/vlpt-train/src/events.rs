//! `events.jsonl`: what happened in a run, one JSON object a line: its start, each epoch with the mean
//! loss over its images, its end; with `train.log_steps` each step with the loss of its batch too.
//!
//! Events hold no time and nothing of the machine, so the file has the same bytes whenever and
//! wherever the run was interrupted. It only grows; a checkpoint records its length, and a resumed
//! run cuts off what was written after that.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use vlpt_data::Metric;

use crate::{Result, SharedName, TrainError};
use vlpt_adapter::InitSource;

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    Start(Box<Start>),
    /// A step is done; written only where `train.log_steps` asks for it.
    Step(StepEnd),
    /// An epoch is over.
    Epoch(EpochEnd),
    /// The run is over, its prompt is written.
    End(End),
}

/// What a run works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Version of the program.
    pub version: String,
    /// The base model's name.
    pub model: String,
    /// Its fingerprint.
    pub model_fingerprint: String,
    /// The task's name.
    pub task: String,
    /// Fingerprint of classes, labels and image bytes of the images used.
    pub data_fingerprint: String,
    /// Number of classes.
    pub classes: usize,
    /// Images trained on.
    pub train_images: usize,
    /// Images validated on.
    pub val_images: usize,
    /// The method.
    pub method: String,
    /// Number of trainable values.
    pub parameters: usize,
    /// Epochs to come.
    pub epochs: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// The tasks, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<StartTask>,
    /// Class names that several of the tasks have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_names: Vec<SharedName>,
    /// The prompt whose parameters the run starts from, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitSource>,
}

/// One of the tasks that a run works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartTask {
    /// Its name.
    pub name: String,
    /// Number of its classes.
    pub classes: usize,
    /// Its images that are trained on.
    pub train_images: usize,
    /// Its images that are validated on.
    pub val_images: usize,
}

/// A task's value of its metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskValue {
    /// The task's name.
    pub task: String,
    /// The metric.
    pub metric: Metric,
    /// Its value, a share from 0 to 1.
    pub value: f64,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEnd {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Step within the epoch, counted from 1.
    pub step: usize,
    /// Mean loss over the images of its batch, before the step.
    pub loss: f64,
}

/// The result of an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Learning rate.
    pub lr: f64,
    /// Mean loss over the images seen, each before its step.
    pub loss: f64,
    /// Share of the images seen whose most probable class is one of theirs, each before its step.
    pub train_accuracy: f64,
    /// The task's metric on the validation images, where there are any and they choose; of several
    /// tasks the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<f64>,
    /// What that is the mean of, where there are several tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub val_tasks: Vec<TaskValue>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The epoch whose prompt was kept, counted from 1.
    pub selected_epoch: usize,
    /// Its value of the task's metric on the validation images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<f64>,
}

/// The file while a run writes it.
#[derive(Debug)]
pub(crate) struct EventLog {
    file: fs::File,
    length: u64,
}

impl EventLog {
    /// Opens the file, cuts it to `length` bytes, and goes on behind them.
    pub(crate) fn open(path: &Path, length: u64) -> Result<Self> {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        let found = file.metadata()?.len();
        if found < length {
            return Err(TrainError::Damaged {
                path: path.to_owned(),
                what: format!(
                    "has {found} bytes: expected at least {length}, as the checkpoint says"
                ),
            });
        }
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { file, length })
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_string(event).map_err(std::io::Error::other)?;
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        Ok(())
    }

    /// Waits until all lines are on the disk and gives the length in bytes.
    pub(crate) fn sync(&mut self) -> Result<u64> {
        self.file.sync_all()?;
        Ok(self.length)
    }
}

/// Reads the events of a run.
///
/// # Errors
/// The file cannot be read, or a line is not an event. A last line without its end is left out: a
/// run may be writing it.
pub fn read_events(path: &Path) -> Result<Vec<Event>> {
    let text = fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole
        .lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| TrainError::Damaged {
                path: path.to_owned(),
                what: format!("line {} is not an event: {error}", index + 1),
            })
        })
        .collect()
}
