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

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::json;
use vlpt_clip::{Clip, Hub};
use vlpt_data::Split;

use crate::checkpoint::{Checkpoint, Position};
use crate::events::{End, Event, EventLog, Start, read_events};
use crate::features::{data_fingerprint, hash_images};
use crate::files::write_atomic;
use crate::prompt::{Adapter, FORMAT, PromptContent, class_names_sha256, write_prompt};
use crate::trainer::{Trainer, Workload};
use crate::{
    FeatureMaker, Observer, Result, RunConfig, Select, TrainError, TrainingData, View, Views,
    preprocess, read_resolved, with_threads,
};

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

fn refuse_existing(dir: &Path) -> Result<()> {
    if dir.join(CONFIG).exists() {
        return Err(TrainError::RunExists {
            dir: dir.to_owned(),
        });
    }
    Ok(())
}

/// The configuration in a run folder, with the thread count and checkpoint pace of `given`.
fn stored_config(given: Option<&RunConfig>, dir: &Path) -> Result<RunConfig> {
    let path = dir.join(CONFIG);
    if !path.exists() {
        return Err(TrainError::NoRun {
            dir: dir.to_owned(),
        });
    }
    let mut stored = read_resolved(&path)?;
    if let Some(given) = given {
        if let Some((key, stored, given)) = stored.difference(given) {
            return Err(TrainError::ConfigChanged {
                dir: dir.to_owned(),
                key,
                stored,
                given,
            });
        }
        stored.compute = given.compute.clone();
    }
    Ok(stored)
}

fn inputs(config: &RunConfig, observer: &dyn Observer) -> Result<(Clip, TrainingData)> {
    let data = TrainingData::open(config)?;
    let files = Hub::from_env().resolve(&config.model.parse()?, observer)?;
    Ok((Clip::load(&files)?, data))
}

/// What can be refused before anything is computed or written.
fn check_together(config: &RunConfig, clip: &Clip, data: &TrainingData) -> Result<()> {
    if config.train.select == Select::BestVal && data.val.is_empty() {
        return Err(TrainError::Unfit {
            what: format!(
                "train.select = \"best_val\", but {} brings no validation images",
                data.task.name
            ),
            hint: Some(
                "use train.select = \"last\", or few_shot.rule = \"elevater\", which takes a fifth \
                 of the training images for validation"
                    .to_owned(),
            ),
        });
    }
    if data.task.multi_label && data.task.classes.is_empty() {
        return Err(TrainError::NoImages {
            task: data.task.name.clone(),
            split: "labelled",
        });
    }
    let classes = &data.task.classes;
    let method = config
        .method_config()
        .build(clip, classes.len(), config.seed)?;
    method.texts(&clip.tokenizer, classes)?;
    Ok(())
}

/// Locks the run folder until the file is closed, by this process or by its end.
fn lock(dir: &Path) -> Result<std::fs::File> {
    let path = dir.join("run.lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    let (file, _) = file.into_parts();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TrainError::Locked {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(error.into()),
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
    let random = |number| View::Random {
        augment: config.views.augment(),
        seed: config.seed,
        number,
    };
    let views: Vec<View> = match config.views.mode {
        Views::None => vec![View::Centre],
        Views::Bank => (0..config.views.count as u64).map(random).collect(),
        Views::Fresh => Vec::new(),
    };
    let work = Workload {
        config,
        clip,
        classes: &data.task.classes,
        multi_label: data.task.multi_label,
        metric: data.task.metric,
        train: &data.train.items,
        val: &val.items,
        views: maker.views(&data.train.items, &train_hashes, &views, observer)?,
        val_features: maker.features(&val.items, &val_hashes, View::Centre, observer)?,
        maker,
    };
    let method = config
        .method_config()
        .build(clip, work.classes.len(), config.seed)?;
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

fn same_input(dir: &Path, what: &'static str, stored: &str, found: &str) -> Result<()> {
    if stored == found {
        return Ok(());
    }
    let short = |text: &str| text.chars().take(12).collect();
    let (stored, found) = (short(stored), short(found));
    Err(TrainError::InputChanged {
        dir: dir.to_owned(),
        what,
        stored,
        found,
    })
}

fn finished(dir: &Path) -> Result<RunSummary> {
    let path = dir.join(EVENTS);
    let end = read_events(&path)?
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::End(end) => Some(end),
            _ => None,
        });
    let end = end.ok_or_else(|| TrainError::Damaged {
        path,
        what: "has no end, but the run is finished".to_owned(),
    })?;
    Ok(RunSummary {
        dir: dir.to_owned(),
        prompt: dir.join(PROMPT),
        selected_epoch: end.selected_epoch,
        val: end.val,
        already_finished: true,
    })
}

fn write_result(
    trainer: &Trainer,
    work: &Workload,
    data: &TrainingData,
    dir: &Path,
    (selected_epoch, val): (usize, Option<f64>),
) -> Result<()> {
    let (config, clip) = (work.config, work.clip);
    let adapter = Adapter {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: config.method_config(),
        parameters: trainer.shapes(),
        base_model: config.model.clone(),
        base_model_fingerprint: clip.fingerprint.clone(),
        embed_dim: clip.config.embed_dim,
        task: data.task.name.clone(),
        classes: work.classes.len(),
        class_names_sha256: class_names_sha256(work.classes),
        multi_label: work.multi_label,
        metric: work.metric,
        preprocess: work.maker.preprocess.clone(),
        seed: config.seed,
        shots: config.few_shot.shots,
        subset_sha256: data.subset.sha256.clone(),
        epochs: trainer.position().epoch,
        selected_epoch,
    };
    let last = read_events(&dir.join(EVENTS))?
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::Epoch(epoch) => Some(epoch),
            _ => None,
        });
    let mut metrics = json!({});
    if let Some(last) = last {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    if let Some(val) = val {
        metrics[format!("val_{}", work.metric.name())] = json!(val);
    }
    let classifier = trainer.classifier()?;
    let content = PromptContent {
        adapter: &adapter,
        classes: work.classes,
        parameters: trainer.parameters()?,
        classifier: classifier.text_features().unwrap_or_default().to_vec(),
        logit_scale: clip.logit_scale,
        metrics,
    };
    write_prompt(&dir.join(PROMPT), &content)
}
