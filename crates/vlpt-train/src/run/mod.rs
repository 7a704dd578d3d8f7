//! A run and its folder: started, interrupted at any moment, resumed, with the same bytes.
//!
//! ```text
//! DIR/config.toml              the resolved configuration
//! DIR/started-in.txt           where it was started, if one of its paths is relative
//! DIR/init.safetensors         the values it starts from, where it starts from another prompt
//! DIR/subset.json              the few-shot subset
//! DIR/events.jsonl             what happened; a checkpoint knows its length
//! DIR/checkpoint/              the state between two steps, whole or absent
//! DIR/prompt/                  the result, whole or absent
//! DIR/run.lock                 locked while a process works here; empty
//! ```

mod execute;
mod extend;
mod fit;
mod folder;
mod job;
mod origin;
mod outcome;
mod prepare;
mod result;
mod tune;

use std::path::PathBuf;

use fs_err as fs;
use vlpt_base::files::write_atomic;
use vlpt_clip::{Clip, Precision};

use crate::init::read_initial;
use crate::lock::RunLock;
use crate::{Result, RunConfig, TrainObserver, TrainingData, read_resolved};
use execute::execute;
use folder::{Longer, refuse_existing, stored_config};
pub use origin::{is_gone, located_model, remembered_data};
use prepare::{check_together, in_precision, inputs, new_inputs, tell};
use vlpt_adapter::PrecisionSetting;

const CONFIG: &str = "config.toml";
const EVENTS: &str = "events.jsonl";
const PROMPT: &str = "prompt";

/// Where a run lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// The run folder.
    pub dir: PathBuf,
    /// Folder of the feature cache; none: features are computed anew.
    pub cache: Option<PathBuf>,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run folder.
    pub dir: PathBuf,
    /// The prompt folder in it.
    pub prompt: PathBuf,
    /// The epoch whose prompt it is, counted from 1.
    pub selected_epoch: usize,
    /// Its value of the task's metric on the validation images, where they chose.
    pub val: Option<f64>,
    /// Whether there was nothing left to do.
    pub already_finished: bool,
}

/// A training run, from its configuration to a prompt folder.
#[derive(Debug, Clone, Copy)]
pub struct Run;

impl Run {
    /// Starts a run in a folder that holds none.
    ///
    /// # Errors
    /// [`TrainError::RunExists`], a model or data set that cannot be read, options that do not go
    /// together, a loss that is no number, or a folder that cannot be written. Before the first
    /// file is written, model, data and options are checked.
    pub fn start(
        config: &RunConfig,
        options: &RunOptions,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        refuse_existing(&options.dir)?;
        let (clip, data) = new_inputs(config, &options.dir, observer)?;
        Self::start_with(config, options, &clip, &data, observer)
    }

    /// Goes on with a run where its last checkpoint left it, from whatever folder. `given` must
    /// then agree with the run's own configuration in everything that can change the result, but
    /// for `train.epochs`, which may be larger: an interrupted or finished run then goes on to that
    /// many. From the first epoch not yet begun on, the learning rate is that of the new number;
    /// rates that depend on it (cosine) are then not those of a run with this number from the
    /// start, which is noted.
    ///
    /// # Errors
    /// As [`Run::start`], and [`TrainError::NoRun`], [`TrainError::ConfigChanged`],
    /// [`TrainError::InputChanged`], or a damaged checkpoint.
    pub fn resume(
        given: Option<&RunConfig>,
        options: &RunOptions,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        Self::go_on(given, Longer::Allowed, None, options, observer)
    }

    /// As [`Run::resume`], with the data set at another place than where the run had it. The
    /// checkpoint knows whether its images are the same.
    ///
    /// # Errors
    /// As [`Run::resume`].
    pub fn resume_with_data_at(
        data: &str,
        given: Option<&RunConfig>,
        options: &RunOptions,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        Self::go_on(given, Longer::Allowed, Some(data), options, observer)
    }

    fn go_on(
        given: Option<&RunConfig>,
        longer: Longer,
        data: Option<&str>,
        options: &RunOptions,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        let dir = &options.dir;
        let (config, _) = stored_config(given, longer, dir)?;
        let mut located = origin::located(&config, dir)?;
        if let Some(data) = data {
            data.clone_into(&mut located.data.path);
        }
        origin::check_there(&located)?;
        let (clip, data) = inputs(&located, observer)?;
        Self::go_on_with(given, longer, options, &clip, &data, observer)
    }

    /// Resumes the run in the folder if there is one, else starts it.
    ///
    /// # Errors
    /// As [`Run::start`] and [`Run::resume`].
    pub fn start_or_resume(
        config: &RunConfig,
        options: &RunOptions,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        if options.dir.join(CONFIG).exists() {
            Self::go_on(Some(config), Longer::Refused, None, options, observer)
        } else {
            Self::start(config, options, observer)
        }
    }

    /// The number format that a run of `config` computes in, given the folders that it may have been
    /// begun in: that of the run in the first of them that holds one, unless the configuration
    /// names one; where there is none, the machine's.
    ///
    /// # Errors
    /// A configuration there that cannot be read.
    pub fn precision(
        config: &RunConfig,
        folders: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Precision> {
        let mut setting = config.compute.precision;
        if setting == PrecisionSetting::Auto {
            let files = folders.into_iter().map(|folder| folder.join(CONFIG));
            if let Some(file) = files.into_iter().find(|file| file.exists()) {
                setting = read_resolved(&file)?.compute.precision;
            }
        }
        Ok(setting.resolve())
    }

    /// As [`Run::start`], with a model and data that are in memory already; the names in the
    /// configuration are then only written down. A number format that it leaves open is the
    /// model's.
    ///
    /// # Errors
    /// As [`Run::start`], and a model in another number format than the configuration says.
    pub fn start_with(
        config: &RunConfig,
        options: &RunOptions,
        clip: &Clip,
        data: &TrainingData,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        config.check()?;
        refuse_existing(&options.dir)?;
        let config = &in_precision(config, clip)?;
        check_together(config, clip, data)?;
        let initial = read_initial(config, clip, data)?;
        fs::create_dir_all(&options.dir)?;
        let lock = RunLock::take(&options.dir)?;
        refuse_existing(&options.dir)?;
        tell(config, initial.as_ref(), data, observer);
        // Before the file that makes a run of the folder, so that no run lacks it.
        origin::remember(config, &options.dir)?;
        if let Some(initial) = &initial {
            initial.write(&options.dir)?;
        }
        write_atomic(&options.dir.join(CONFIG), config.to_toml().as_bytes())?;
        execute(config, options, &lock, clip, data, observer)
    }

    /// As [`Run::resume`], with a model and data that are in memory already.
    ///
    /// # Errors
    /// As [`Run::resume`].
    pub fn resume_with(
        given: Option<&RunConfig>,
        options: &RunOptions,
        clip: &Clip,
        data: &TrainingData,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        Self::go_on_with(given, Longer::Refused, options, clip, data, observer)
    }

    fn go_on_with(
        given: Option<&RunConfig>,
        longer: Longer,
        options: &RunOptions,
        clip: &Clip,
        data: &TrainingData,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        let dir = &options.dir;
        let (config, before) = stored_config(given, longer, dir)?;
        let config = in_precision(&config, clip)?;
        check_together(&config, clip, data)?;
        let lock = RunLock::take(dir)?;
        if let Some(before) = before {
            extend::check(&config, before, (clip, data), observer)?;
            write_atomic(&lock.held()?.join(CONFIG), config.to_toml().as_bytes())?;
        }
        execute(&config, options, &lock, clip, data, observer)
    }
}
