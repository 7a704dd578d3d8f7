//! A run and its folder: started, interrupted at any moment, resumed, with the same bytes.
//!
//! ```text
//! DIR/config.toml              the resolved configuration
//! DIR/subset.json              the few-shot subset
//! DIR/events.jsonl             what happened; a checkpoint knows its length
//! DIR/checkpoint/              the state between two steps, whole or absent
//! DIR/prompt/                  the result, whole or absent
//! DIR/run.lock                 locked while a process works here; empty
//! ```

mod folder;
mod prepare;
mod result;

use std::path::PathBuf;
use std::sync::Arc;

use fs_err as fs;
use vlpt_clip::Clip;
use vlpt_data::Split;
use vlpt_methods::PromptMethod;

use crate::checkpoint::{Checkpoint, Position};
use crate::events::{End, Event, EventLog, Start};
use crate::features::{data_fingerprint, hash_images};
use crate::files::write_atomic;
use crate::trainer::{ImageInput, TaskPart, Trainer, Workload, has_visual};
use crate::{
    FeatureMaker, Mask, Mix, Observer, Result, RunConfig, Select, TrainingData, preprocess,
    with_threads,
};
use folder::{lock, refuse_existing, same_input, stored_config};
use prepare::{check_together, inputs};
use result::{finished, write_result};

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
        observer: &dyn Observer,
    ) -> Result<RunSummary> {
        refuse_existing(&options.dir)?;
        let (clip, data) = inputs(config, observer)?;
        Self::start_with(config, options, &clip, &data, observer)
    }

    /// Goes on with a run where its last checkpoint left it; `given` must then agree with the
    /// run's own configuration in everything that can change the result.
    ///
    /// # Errors
    /// As [`Run::start`], and [`TrainError::NoRun`], [`TrainError::ConfigChanged`],
    /// [`TrainError::InputChanged`], or a damaged checkpoint.
    pub fn resume(
        given: Option<&RunConfig>,
        options: &RunOptions,
        observer: &dyn Observer,
    ) -> Result<RunSummary> {
        let config = stored_config(given, &options.dir)?;
        let (clip, data) = inputs(&config, observer)?;
        Self::resume_with(given, options, &clip, &data, observer)
    }

    /// Resumes the run in the folder if there is one, else starts it.
    ///
    /// # Errors
    /// As [`Run::start`] and [`Run::resume`].
    pub fn start_or_resume(
        config: &RunConfig,
        options: &RunOptions,
        observer: &dyn Observer,
    ) -> Result<RunSummary> {
        if options.dir.join(CONFIG).exists() {
            Self::resume(Some(config), options, observer)
        } else {
            Self::start(config, options, observer)
        }
    }

    /// As [`Run::start`], with a model and data that are in memory already; the names in the
    /// configuration are then only written down.
    ///
    /// # Errors
    /// As [`Run::start`].
    pub fn start_with(
        config: &RunConfig,
        options: &RunOptions,
        clip: &Clip,
        data: &TrainingData,
        observer: &dyn Observer,
    ) -> Result<RunSummary> {
        config.check()?;
        refuse_existing(&options.dir)?;
        check_together(config, clip, data)?;
        fs::create_dir_all(&options.dir)?;
        let _lock = lock(&options.dir)?;
        refuse_existing(&options.dir)?;
        write_atomic(&options.dir.join(CONFIG), config.to_toml().as_bytes())?;
        execute(config, options, clip, data, observer)
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
        observer: &dyn Observer,
    ) -> Result<RunSummary> {
        let config = stored_config(given, &options.dir)?;
        check_together(&config, clip, data)?;
        let _lock = lock(&options.dir)?;
        execute(&config, options, clip, data, observer)
    }
}

/// Everything from the configuration in the folder to the prompt in it.
fn execute(
    config: &RunConfig,
    options: &RunOptions,
    clip: &Clip,
    data: &TrainingData,
    observer: &dyn Observer,
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
    observer: &dyn Observer,
) -> Result<RunSummary> {
    let dir = &options.dir;
    let checkpoint = Checkpoint::read(dir)?;
    let validated = config.train.select == Select::BestVal;
    let val = if validated {
        data.val.clone()
    } else {
        Split::default()
    };
    let train_hashes = hash_images(&data.train.items, observer)?;
    let val_hashes = hash_images(&val.items, observer)?;
    let images = data.train.items.iter().zip(&train_hashes);
    let fingerprint = data_fingerprint(
        &data.task.classes,
        images.chain(val.items.iter().zip(&val_hashes)),
    );
    let start = Position::new(&clip.fingerprint, &fingerprint);
    if let Some(checkpoint) = &checkpoint {
        let stored = &checkpoint.position;
        same_input(dir, "model", &stored.model, &start.model)?;
        same_input(dir, "data", &stored.data, &start.data)?;
        if stored.finished {
            return finished(dir);
        }
    }
    write_atomic(&dir.join("subset.json"), data.subset.to_json().as_bytes())?;

    let maker = FeatureMaker {
        clip,
        preprocess: preprocess(clip, &config.image),
        limits: vlpt_data::image::Limits::default(),
        batch: config.compute.image_batch,
        prompts: None,
        cache: options.cache.clone(),
    };
    let method: Arc<dyn PromptMethod> = config
        .method_config()
        .build(clip, data.task.classes.len(), config.seed)?
        .into();
    let images = ImageInput::prepare(
        config,
        &maker,
        (&data.train.items, &train_hashes),
        (&val.items, &val_hashes),
        has_visual(method.as_ref())?,
        observer,
    )?;
    let work = Workload {
        config,
        clip,
        classes: &data.task.classes,
        tasks: vec![TaskPart {
            name: data.task.name.clone(),
            classes: 0..data.task.classes.len(),
            metric: data.task.metric,
            multi_label: data.task.multi_label,
            train: (0..data.train.items.len()).collect(),
            val: (0..val.items.len()).collect(),
        }],
        mask: Mask::Union,
        mix: Mix::Proportional,
        temperature: 1.0,
        train: &data.train.items,
        val: &val.items,
        images,
        maker,
    };
    let events = checkpoint.as_ref().map_or(0, |c| c.position.events);
    let mut log = EventLog::open(&dir.join(EVENTS), events)?;
    let mut trainer = Trainer::new(&work, method, start, checkpoint)?;
    if events == 0 {
        let event = Event::Start(Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: config.model.clone(),
            model_fingerprint: clip.fingerprint.clone(),
            task: data.task.name.clone(),
            data_fingerprint: fingerprint,
            classes: work.classes.len(),
            train_images: work.train.len(),
            val_images: work.val.len(),
            method: config.method_config().name().to_owned(),
            parameters: trainer.parameter_count(),
            epochs: config.epochs(),
            steps: trainer.steps_per_epoch(),
        });
        log.push(&event)?;
        observer.event(&event);
    }
    trainer.run(dir, &mut log, observer)?;
    // What is left takes no step: after a kill here, all of it is done again from this checkpoint.
    trainer.checkpoint(dir, &mut log, observer)?;
    let last = trainer.parameters()?;
    let (selected_epoch, val) = trainer.select()?;
    write_result(&trainer, &work, data, dir, (selected_epoch, val))?;
    trainer.put_back(&last)?;
    let event = Event::End(End {
        selected_epoch,
        val,
    });
    log.push(&event)?;
    observer.event(&event);
    trainer.finish(dir, &mut log, observer)?;
    let prompt = dir.join(PROMPT);
    Ok(RunSummary {
        dir: dir.clone(),
        prompt,
        selected_epoch,
        val,
        already_finished: false,
    })
}
