//! A unit's training: a run folder in the unit's own folder, begun or gone on with.

use std::path::{Path, PathBuf};

use fs_err as fs;
use vlpt_adapter::average_prompts;
use vlpt_base::hash::sha256;
use vlpt_data::Task;
use vlpt_train::{Run, RunConfig, RunOptions, RunSummary, TrainError, TrainingData};

use super::settings::{CommonSettings, run_config};
use super::{TrainWork, Watch, stop};
use crate::unit::{Unit, UnitId};
use crate::work::{Desk, WorkError};

/// The run folder in a unit's own folder.
pub(super) const RUN: &str = "run";

impl TrainWork {
    /// Trains as a unit says, from where a killed worker left it.
    pub(super) fn train(
        &self,
        unit: &Unit,
        common: &CommonSettings,
        desk: &Desk<'_>,
    ) -> Result<RunSummary, WorkError> {
        let tasks = self.open_all(&unit.train_on, common, desk)?;
        let tasks: Vec<Task> = tasks
            .iter()
            .map(|(_, opened)| opened.task.clone())
            .collect();
        let start = self.start_of(unit, desk)?;
        stop(desk)?;
        let config = run_config(unit, start.as_deref(), desk.threads())?;
        let data = TrainingData::of_tasks(&tasks, &config)?;
        // Features of training images, which units of a task and seed share.
        let cache = match &self.cache {
            Some(folder) => folder.clone(),
            None => desk.once("cache", |_| Ok(()))?,
        };
        let options = RunOptions {
            dir: desk.own()?.join(RUN),
            cache: Some(cache),
        };
        self.begin_or_go_on(&config, &options, &data, desk)
    }

    fn begin_or_go_on(
        &self,
        config: &RunConfig,
        options: &RunOptions,
        data: &TrainingData,
        desk: &Desk<'_>,
    ) -> Result<RunSummary, WorkError> {
        let (watch, clip) = (Watch(Some(desk)), &self.clip);
        if options.dir.join("config.toml").exists() {
            match Run::resume_with(Some(config), options, clip, data, &watch) {
                // What cannot be gone on with, such as a run of another version or of a folder
                // that was moved, is done anew: the result is the same.
                Err(
                    TrainError::ConfigChanged { .. }
                    | TrainError::InputChanged { .. }
                    | TrainError::UnknownKey { .. }
                    | TrainError::BadValue { .. }
                    | TrainError::Damaged { .. },
                ) => fs::remove_dir_all(&options.dir)?,
                other => return Ok(other?),
            }
        }
        Ok(Run::start_with(config, options, clip, data, &watch)?)
    }

    /// The prompt that a unit starts from: its source's, or the mean of several.
    fn start_of(&self, unit: &Unit, desk: &Desk<'_>) -> Result<Option<PathBuf>, WorkError> {
        let Some(source) = &unit.start_from else {
            return Ok(None);
        };
        let runs: Vec<PathBuf> = source
            .units
            .iter()
            .map(|id| desk.of(id).join(RUN))
            .collect();
        if let [one] = &runs[..] {
            // One spelling, however the study's folder is named next time.
            return Ok(Some(fs::canonicalize(one)?));
        }
        let ids: Vec<&str> = source.units.iter().map(UnitId::as_str).collect();
        let name = format!("mean-{}", sha256(ids.join("\n").as_bytes()));
        let average = |folder: &Path| -> Result<(), WorkError> {
            average_prompts(&runs, &self.clip, &folder.join("prompt"))?;
            Ok(())
        };
        let mean = desk.once(&name, average)?.join("prompt");
        Ok(Some(fs::canonicalize(mean)?))
    }
}
