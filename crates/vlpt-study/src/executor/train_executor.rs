//! Jobs done by the trainer: [`TrainExecutor`] is the [`Executor`] of a real study.
//!
//! Every training is a run folder inside its job's own folder, so that a killed job goes on from
//! its last checkpoint. Model, tasks, features of test images and texts without prompts are made
//! once and shared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use vlpt_adapter::{
    Classifier, FeatureExtractor, ImageConfig, PixelBudget, PromptFolder, preprocess, with_threads,
};
use vlpt_base::hash::sha256;
use vlpt_base::memo::Memo;
use vlpt_clip::Clip;
use vlpt_clip::Observer;
use vlpt_data::image::{Limits, Preprocess};
use vlpt_train::{ComputeConfig, TrainError};

use super::context::{Executor, ExecutorError, JobContext, Resources};
use super::experiment::{ConstantTexts, Experiment};
use super::kept;
use super::settings::{self, CommonSettings, Keep};
use super::tasks::Opened;
use super::train::{HeldOut, Training};
use super::watch::{Watch, stop};
use crate::job::{Job, Kind, TaskSpec};
use crate::result::Outcome;

/// Bytes that a job takes beside what its configuration allows it, and one that trains nothing.
const SLACK: u64 = 256 << 20;

/// Does jobs with the trainer, on one model.
///
/// Several jobs may run at a time in one process; each computes in a pool of threads of its own.
#[derive(Debug)]
pub struct TrainExecutor {
    pub(super) clip: Clip,
    pub(super) threads: usize,
    /// Where image features without prompts are kept; none: in the study's folder.
    pub(super) cache: Option<PathBuf>,
    tasks: Memo<Opened>,
    texts: ConstantTexts,
    /// Of test images.
    pixels: PixelBudget,
}

impl TrainExecutor {
    /// With a model, threads for each job (at least 1), and bytes of decoded test images that may
    /// be kept in memory for methods with visual prompts. Results depend on none of the numbers.
    pub fn new(clip: Clip, threads: usize, pixel_bytes: usize) -> Self {
        Self {
            clip,
            threads: threads.max(1),
            cache: None,
            tasks: Memo::default(),
            texts: ConstantTexts::default(),
            pixels: PixelBudget::new(pixel_bytes),
        }
    }

    /// Keeps image features in a folder that others use too, not in the study's own.
    #[must_use]
    pub fn with_cache(mut self, folder: PathBuf) -> Self {
        self.cache = Some(folder);
        self
    }

    /// The model.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    fn do_job(&self, job: &Job, context: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        let common = settings::common(job)?;
        if common.model_fingerprint != self.clip.fingerprint {
            let short = |text: &str| text.chars().take(12).collect::<String>();
            return Err(format!(
                "the study was planned for the model {} ({}), this one is {} ({}); plan it again \
                 for this model",
                common.model,
                short(&common.model_fingerprint),
                self.clip.name,
                short(&self.clip.fingerprint)
            )
            .into());
        }
        if common.precision != self.clip.precision {
            return Err(format!(
                "the study was planned in {}, but this worker's model computes in {}",
                common.precision, self.clip.precision
            )
            .into());
        }
        let targets = self.open_all(&job.evaluate_on, &common, context)?;
        let watch = Watch(context);
        let experiment = Experiment {
            clip: &self.clip,
            texts: &self.texts,
            observer: &watch,
        };
        let mut outcome = Outcome {
            details: details(&targets),
            ..Outcome::default()
        };
        let mut held_out = HeldOut::default();
        let (folder, preprocess) = if job.kind == Kind::ZeroShot {
            let images = match job.recipe.get("image") {
                Some(images) => ImageConfig::deserialize(images)?,
                None => ImageConfig::default(),
            };
            (None, preprocess(&self.clip, &images))
        } else {
            let began = Instant::now();
            let sources = self.open_all(&job.train_on, &common, context)?;
            let training = Training {
                job,
                tasks: &sources,
                cache: self.training_cache(context)?,
                hold_out: common.keep != Keep::Score,
                experiment: &experiment,
                context,
            };
            let trained = training.run()?;
            context.trained(began.elapsed());
            if let Some(searched) = trained.searched {
                outcome.details["search"] = searched;
            }
            outcome.details["selected_epoch"] = json!(trained.summary.selected_epoch);
            outcome.details["validation"] = json!(trained.summary.val);
            held_out = trained.held_out;
            let folder = PromptFolder::open(&trained.summary.prompt)?;
            let preprocess = folder.adapter.preprocess.clone();
            (Some(folder), preprocess)
        };
        for (name, opened) in &targets {
            stop(context)?;
            let task = &opened.task;
            let classifier = match &folder {
                Some(folder) => experiment.classifier(folder, task)?,
                // CLIP with the task's own templates
                None => experiment.zero_shot(task)?,
            };
            let cache = self.cache_of(&classifier, opened, &preprocess, context)?;
            let temperature = match &folder {
                Some(folder) if common.keep != Keep::Score => held_out.temperature(
                    name,
                    &experiment,
                    folder,
                    &preprocess,
                    self.training_cache(context)?,
                )?,
                _ => None,
            };
            let found = experiment.evaluate(
                &classifier,
                task,
                &opened.images,
                &preprocess,
                cache,
                temperature,
            )?;
            outcome.scores.insert(name.clone(), found.value);
            if common.keep != Keep::Score {
                outcome.details["measures"][name.as_str()] = kept::measures(&found);
                outcome.details["calibration"][name.as_str()] = kept::calibration(&found);
                let images = opened.images.items();
                let own = context.own()?;
                let names = (&*self.clip.name, &*job.method);
                kept::write(&own, name, task, images, &found, common.keep, names)?;
            }
        }
        Ok(outcome)
    }

    /// Where features of training images are kept, which jobs of a task and seed share.
    fn training_cache(&self, context: &JobContext<'_>) -> Result<PathBuf, ExecutorError> {
        match &self.cache {
            Some(folder) => Ok(folder.clone()),
            None => context.once("cache", |_| Ok(())),
        }
    }

    /// Where features of a task's test images are kept on disk. Those without visual prompts are
    /// computed once for all processes of the study (with a cache of one's own: once for this
    /// process, where the cache does not have them); others serve one prompt, and are not kept.
    fn cache_of(
        &self,
        classifier: &Classifier,
        opened: &Opened,
        preprocess: &Preprocess,
        context: &JobContext<'_>,
    ) -> Result<Option<PathBuf>, ExecutorError> {
        if classifier.visual.is_some() {
            return Ok(None);
        }
        if let Some(folder) = &self.cache {
            return Ok(Some(folder.clone()));
        }
        let text = format!(
            "{}\n{}\n{}",
            self.clip.fingerprint,
            preprocess.fingerprint(),
            opened.settings.fingerprint
        );
        let name = format!("features-{}", sha256(text.as_bytes()));
        let folder = context.once(&name, |folder| {
            let mut extractor = self.extractor(preprocess);
            extractor.cache = Some(folder.to_owned());
            opened.images.features(&extractor, &Watch(context))?;
            Ok(())
        })?;
        Ok(Some(folder))
    }

    /// Makes features of single images, as evaluation does.
    pub(super) fn extractor(&self, preprocess: &Preprocess) -> FeatureExtractor<'_> {
        FeatureExtractor {
            clip: &self.clip,
            preprocess: preprocess.clone(),
            limits: Limits::default(),
            batch: ComputeConfig::default().image_batch,
            adaptation: None,
            cache: None,
        }
    }

    /// A task, opened once a process, and checked to be the one that was planned with.
    pub(super) fn open(
        &self,
        task: &TaskSpec,
        common: &CommonSettings,
        observer: &dyn Observer,
    ) -> Result<Arc<Opened>, ExecutorError> {
        let settings = settings::task_settings(task)?;
        let name = json!([settings, common.test_images]).to_string();
        self.tasks.get(&name, || {
            let mut opened = Opened::open(&settings.data, common.test_images, observer)?;
            opened.images = opened.images.with_pixels(self.pixels.clone());
            if opened.settings.fingerprint == settings.fingerprint {
                return Ok(opened);
            }
            Err(ExecutorError::from(format!(
                "task \"{}\": {} holds other images or classes than when the study was planned; \
                 bring them back, or plan the study again",
                task.name, settings.data.path
            )))
        })
    }

    fn open_all(
        &self,
        tasks: &[TaskSpec],
        common: &CommonSettings,
        context: &JobContext<'_>,
    ) -> Result<Vec<(String, Arc<Opened>)>, ExecutorError> {
        let open = |task: &TaskSpec| {
            stop(context)?;
            Ok((task.name.clone(), self.open(task, common, &Watch(context))?))
        };
        tasks.iter().map(open).collect()
    }
}

impl Executor for TrainExecutor {
    fn run(&self, job: &Job, context: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        let done = with_threads(context.threads(), || self.do_job(job, context))?;
        done.map_err(|error| {
            let hint = error
                .downcast_ref::<TrainError>()
                .and_then(TrainError::hint);
            match hint {
                Some(hint) => format!("{error} ({hint})").into(),
                None => error,
            }
        })
    }

    fn resources(&self, job: &Job) -> Resources {
        let megabytes = job.recipe.pointer("/compute/memory_mb");
        let megabytes = megabytes.and_then(Value::as_u64).unwrap_or(0);
        Resources {
            threads: self.threads,
            memory: SLACK.saturating_add(megabytes.saturating_mul(1 << 20)),
        }
    }
}

/// What was looked at, beside the scores.
fn details(targets: &[(String, Arc<Opened>)]) -> Value {
    let each = targets.iter().map(|(name, opened)| {
        let looked = json!({
            "metric": opened.task.metric.name(),
            "images": opened.images.items().len(),
            "of": opened.task.test.len(),
        });
        (name.clone(), looked)
    });
    json!({ "test": each.collect::<serde_json::Map<_, _>>() })
}
