//! From the configuration in a run folder to the prompt in it.

use std::ops::Range;
use std::path::Path;

use vlpt_base::files::write_atomic;
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;
use vlpt_data::Split;
use vlpt_data::image::Limits;

use super::folder::same_input;
use super::result::{Outcome, finished, write_result};
use super::{EVENTS, PROMPT, RunOptions, RunSummary, fit, tune};
use crate::checkpoint::{Checkpoint, Position};
use crate::events::{End, Event, EventLog, Start, StartTask};
use crate::init::Initial;
use crate::{Member, Result, RunConfig, Select, TrainObserver, TrainingData};
use vlpt_adapter::{FeatureExtractor, preprocess, with_threads};
use vlpt_adapter::{data_fingerprint, hash_images};

/// What every kind of run works on.
pub(super) struct Job<'a> {
    /// The run folder.
    pub(super) dir: &'a Path,
    /// The resolved configuration.
    pub(super) config: &'a RunConfig,
    /// The frozen model.
    pub(super) clip: &'a Clip,
    /// The task and its few shots.
    pub(super) data: &'a TrainingData,
    /// SHA-256 of each training image.
    pub(super) train_hashes: &'a [String],
    /// The images that choose something; empty where nothing is chosen by them.
    pub(super) val: &'a Split,
    /// SHA-256 of each of them.
    pub(super) val_hashes: &'a [String],
    /// The values it starts from, where they are of another prompt.
    pub(super) initial: Option<&'a Initial>,
    /// Makes features.
    pub(super) extractor: FeatureExtractor<'a>,
}

/// Does what is left of the run in the folder.
pub(super) fn execute(
    config: &RunConfig,
    options: &RunOptions,
    clip: &Clip,
    data: &TrainingData,
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    with_threads(config.compute.threads, || {
        execute_here(config, options, clip, data, observer)
    })?
}

fn execute_here(
    config: &RunConfig,
    options: &RunOptions,
    clip: &Clip,
    data: &TrainingData,
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    let dir = &options.dir;
    let checkpoint = Checkpoint::read(dir)?;
    let baseline = config.method.is_baseline();
    // A baseline chooses its hyper-parameters by them, a prompt method its epoch if told to.
    let val = if baseline || config.train.select == Select::BestVal {
        data.val.clone()
    } else {
        Split::default()
    };
    let train_hashes = hash_images(&data.train.samples, observer)?;
    let val_hashes = hash_images(&val.samples, observer)?;
    let images = data.train.samples.iter().zip(&train_hashes);
    let fingerprint = data_fingerprint(
        &data.task.classes,
        images.chain(val.samples.iter().zip(&val_hashes)),
    );
    let fingerprint = with_bounds(fingerprint, data);
    let start = Position::new(&clip.fingerprint, &fingerprint);
    if let Some(checkpoint) = &checkpoint {
        let stored = &checkpoint.position;
        same_input(dir, "model", &stored.model, &start.model)?;
        same_input(dir, "data", &stored.data, &start.data)?;
        if stored.finished {
            return finished(dir);
        }
    }
    write_atomic(&dir.join("subset.json"), subsets(data)?.as_bytes())?;
    let initial = if config.init_from.is_empty() {
        None
    } else {
        Some(Initial::read(dir)?)
    };
    let job = Job {
        dir,
        config,
        clip,
        data,
        train_hashes: &train_hashes,
        val: &val,
        val_hashes: &val_hashes,
        initial: initial.as_ref(),
        extractor: FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &config.image),
            limits: Limits::default(),
            batch: config.compute.image_batch,
            adaptation: None,
            cache: options.cache.clone(),
        },
    };
    if baseline {
        fit::run(&job, start, observer)
    } else {
        tune::run(&job, start, checkpoint, observer)
    }
}

impl Job<'_> {
    /// The event at the beginning of the run.
    pub(super) fn start(
        &self,
        fingerprint: &str,
        parameters: usize,
        epochs: usize,
        steps: usize,
    ) -> Event {
        let (config, clip, task) = (self.config, self.clip, &self.data.task);
        Event::Start(Box::new(Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: config.model.clone(),
            model_fingerprint: clip.fingerprint.clone(),
            task: task.name.clone(),
            data_fingerprint: fingerprint.to_owned(),
            classes: task.classes.len(),
            train_images: self.data.train.samples.len(),
            val_images: self.val.samples.len(),
            method: config.method.name().to_owned(),
            parameters,
            epochs,
            steps,
            tasks: self.start_tasks(),
            shared_names: self.data.shared_names(),
            init_from: self.initial.map(|initial| initial.source.clone()),
        }))
    }

    fn start_tasks(&self) -> Vec<StartTask> {
        if self.data.members.len() == 1 {
            return Vec::new();
        }
        let entry = |member: &Member| StartTask {
            name: member.name.clone(),
            classes: member.classes.len(),
            train_images: member.train.len(),
            val_images: self.val_of(member).len(),
        };
        self.data.members.iter().map(entry).collect()
    }

    /// A task's images among those that choose.
    pub(super) fn val_of(&self, member: &Member) -> Range<usize> {
        if self.val.is_empty() {
            0..0
        } else {
            member.val.clone()
        }
    }

    /// Writes the prompt folder and the event at the end of the run.
    pub(super) fn end(
        &self,
        outcome: &Outcome,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        write_result(self, outcome)?;
        let (selected_epoch, val) = (outcome.selected_epoch, outcome.val);
        let event = Event::End(End {
            selected_epoch,
            val,
        });
        log.push(&event)?;
        observer.event(&event);
        Ok(RunSummary {
            dir: self.dir.to_owned(),
            prompt: self.dir.join(PROMPT),
            selected_epoch,
            val,
            already_finished: false,
        })
    }

    /// The event log, cut to the length that the checkpoint knows.
    pub(super) fn log(&self, length: u64) -> Result<EventLog> {
        EventLog::open(&self.dir.join(EVENTS), length)
    }
}

/// A fingerprint of the images that also knows where one task ends and the next begins.
fn with_bounds(images: String, data: &TrainingData) -> String {
    if data.members.len() == 1 {
        return images;
    }
    let bounds = data.members.iter().map(|member| {
        let Member {
            name,
            classes,
            train,
            val,
            ..
        } = member;
        format!("{name} {classes:?} {train:?} {val:?}")
    });
    fingerprint([images].into_iter().chain(bounds))
}

/// `subset.json`: the subset of the task, or a list with one for each task.
fn subsets(data: &TrainingData) -> Result<String> {
    let all: Vec<_> = data.members.iter().map(|member| &member.subset).collect();
    if let [subset] = all[..] {
        return Ok(subset.to_json());
    }
    let text = serde_json::to_string_pretty(&all).map_err(std::io::Error::other)?;
    Ok(format!("{text}\n"))
}
