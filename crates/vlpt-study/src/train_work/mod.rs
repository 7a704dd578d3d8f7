//! Units done by the trainer: [`TrainWork`] is the [`Work`] of a real study.
//!
//! Every training is a run folder inside its unit's own folder, so that a killed unit goes on from
//! its last checkpoint. Model, tasks, features of test images and texts without prompts are made
//! once and shared.

mod compare;
mod compare_prompts;
mod compare_table;
mod evaluate;
mod request;
mod settings;
mod shared;
mod study_file;
mod tasks;
mod train;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use serde_json::{Value, json};
use vlpt_adapter::AdapterError;
use vlpt_adapter::{Classifier, ImageConfig, PromptFolder, preprocess, with_threads};
use vlpt_clip::Observer;
use vlpt_clip::{Clip, Progress};
use vlpt_train::{TrainError, TrainObserver};

pub use compare::{Compared, Similarity, SimilarityCorrelation};
pub use request::{MethodRequest, StudyRequest};
pub use settings::{CommonSettings, TaskSettings};
pub use study_file::StudyFile;

use crate::result::Outcome;
use crate::unit::{Kind, Task, Unit};
use crate::work::{Desk, Need, Work, WorkError};
use shared::Shared;
use tasks::Opened;

/// Bytes that a unit takes beside what its configuration allows it, and one that trains nothing.
const SLACK: u64 = 256 << 20;

/// Does units with the trainer, on one model.
///
/// Several units may run at a time in one process; each computes in a pool of threads of its own.
#[derive(Debug)]
pub struct TrainWork {
    clip: Clip,
    threads: usize,
    /// Where image features without prompts are kept; none: in the study's folder.
    cache: Option<PathBuf>,
    tasks: Shared<Opened>,
    features: Shared<Vec<f32>>,
    pixels: Shared<Option<evaluate::Pixels>>,
    texts: Shared<Classifier>,
    /// Bytes of pixels that may still be kept.
    pixel_bytes: AtomicUsize,
}

impl TrainWork {
    /// With a model, threads for each unit (at least 1), and bytes of decoded test images that may
    /// be kept in memory for methods with visual prompts. Results depend on none of the numbers.
    pub fn new(clip: Clip, threads: usize, pixel_bytes: usize) -> Self {
        Self {
            clip,
            threads: threads.max(1),
            cache: None,
            tasks: Shared::default(),
            features: Shared::default(),
            pixels: Shared::default(),
            texts: Shared::default(),
            pixel_bytes: AtomicUsize::new(pixel_bytes),
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

    fn do_unit(&self, unit: &Unit, desk: &Desk<'_>) -> Result<Outcome, WorkError> {
        let common = settings::common(unit)?;
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
        let targets = self.open_all(&unit.evaluate_on, &common, desk)?;
        if unit.kind == Kind::ZeroShot {
            return self.zero_shot(&targets, desk);
        }
        let began = Instant::now();
        let trained = self.train(unit, &common, desk)?;
        desk.trained(began.elapsed());
        let folder = PromptFolder::open(&trained.prompt)?;
        let preprocess = &folder.adapter.preprocess;
        let mut scores = BTreeMap::new();
        for (name, opened) in &targets {
            stop(desk)?;
            let classifier = self.classifier(&folder, &opened.task)?;
            let score = self.score(&classifier, opened, preprocess, desk)?;
            scores.insert(name.clone(), score);
        }
        let mut details = details(&targets);
        details["selected_epoch"] = json!(trained.selected_epoch);
        details["validation"] = json!(trained.val);
        Ok(Outcome { scores, details })
    }

    /// CLIP with each task's own templates.
    fn zero_shot(
        &self,
        targets: &[(String, Arc<Opened>)],
        desk: &Desk<'_>,
    ) -> Result<Outcome, WorkError> {
        let preprocess = preprocess(&self.clip, &ImageConfig::default());
        let mut scores = BTreeMap::new();
        for (name, opened) in targets {
            stop(desk)?;
            let task = &opened.task;
            let classifier = Classifier::zero_shot(&self.clip, &task.classes, &task.templates)?;
            let score = self.score(&classifier, opened, &preprocess, desk)?;
            scores.insert(name.clone(), score);
        }
        Ok(Outcome {
            scores,
            details: details(targets),
        })
    }

    /// A task, opened once a process, and checked to be the one that was planned with.
    fn open(
        &self,
        task: &Task,
        common: &CommonSettings,
        observer: &dyn Observer,
    ) -> Result<Arc<Opened>, WorkError> {
        let settings = settings::task_settings(task)?;
        let name = json!([settings, common.test_images]).to_string();
        self.tasks.get(&name, || {
            let opened = Opened::open(&settings.data, common.test_images, observer)?;
            if opened.settings.fingerprint == settings.fingerprint {
                return Ok(opened);
            }
            Err(WorkError::from(format!(
                "task \"{}\": {} holds other images or classes than when the study was planned; \
                 bring them back, or plan the study again",
                task.name, settings.data.path
            )))
        })
    }

    fn open_all(
        &self,
        tasks: &[Task],
        common: &CommonSettings,
        desk: &Desk<'_>,
    ) -> Result<Vec<(String, Arc<Opened>)>, WorkError> {
        let open = |task: &Task| {
            stop(desk)?;
            Ok((
                task.name.clone(),
                self.open(task, common, &Watch(Some(desk)))?,
            ))
        };
        tasks.iter().map(open).collect()
    }
}

impl Work for TrainWork {
    fn run(&self, unit: &Unit, desk: &Desk<'_>) -> Result<Outcome, WorkError> {
        let done = with_threads(desk.threads(), || self.do_unit(unit, desk))?;
        done.map_err(|error| {
            let hint = error
                .downcast_ref::<TrainError>()
                .and_then(TrainError::hint)
                .or_else(|| error.downcast_ref::<AdapterError>()?.hint());
            match hint {
                Some(hint) => format!("{error} ({hint})").into(),
                None => error,
            }
        })
    }

    fn need(&self, unit: &Unit) -> Need {
        let megabytes = unit.recipe.pointer("/compute/memory_mb");
        let megabytes = megabytes.and_then(Value::as_u64).unwrap_or(0);
        Need {
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
            "images": opened.test.len(),
            "of": opened.task.test.len(),
        });
        (name.clone(), looked)
    });
    json!({ "test": each.collect::<serde_json::Map<_, _>>() })
}

/// An error where the study is asked to stop.
fn stop(desk: &Desk<'_>) -> Result<(), WorkError> {
    if desk.stopped() {
        return Err("the study was asked to stop".into());
    }
    Ok(())
}

/// Watches silently, and passes on that the study should stop.
struct Watch<'a>(Option<&'a Desk<'a>>);

impl Progress for Watch<'_> {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl TrainObserver for Watch<'_> {}

impl Observer for Watch<'_> {
    fn should_stop(&self) -> bool {
        self.0.is_some_and(Desk::stopped)
    }
}
