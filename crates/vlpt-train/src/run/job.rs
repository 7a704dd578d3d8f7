//! What every kind of run works on.

use std::ops::Range;
use std::path::Path;

use vlpt_adapter::FeatureExtractor;
use vlpt_clip::Clip;
use vlpt_data::Split;

use super::EVENTS;
use crate::events::{Event, EventLog, Start, StartTask};
use crate::init::Initial;
use crate::lock::RunLock;
use crate::{Member, Result, RunConfig, TrainingData};

/// What every kind of run works on.
pub(super) struct Job<'a> {
    /// The run folder.
    pub(super) dir: &'a Path,
    /// That it is still ours, asked before anything is written there.
    pub(super) lock: &'a RunLock,
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

    /// The event log, cut to the length that the checkpoint knows.
    pub(super) fn log(&self, length: u64) -> Result<EventLog> {
        EventLog::open(&self.lock.held()?.join(EVENTS), length)
    }
}
