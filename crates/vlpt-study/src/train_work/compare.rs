//! How alike the tasks of a study are, and whether that tells who helps whom.

use std::path::Path;
use std::sync::Arc;

use fs_err as fs;
use vlpt_adapter::{Classifier, ImageConfig, View, hash_images, preprocess, with_threads};
use vlpt_clip::Observer;
use vlpt_data::Split;

use super::TrainWork;
use super::settings::common;
use super::tasks::{Opened, some_of};
use crate::folder::Folder;
use crate::matrix::Matrix;
use crate::merge::{Merged, TransferKind};
use crate::plan::Plan;
use crate::similarity::{FeatureSet, TaskLabels, label_similarity, visual_similarity};
use crate::stats::{Summary, bootstrap_interval, correlate, correlate_seeds};
use crate::unit::Task;
use crate::work::WorkError;
use crate::{Result, StudyError};

/// Training images of a task that visual similarity looks at, at most; the Fréchet distance
/// depends on their number, so that tasks should have like ones.
const IMAGES: usize = 512;
/// Of intervals.
const LEVEL: f64 = 0.95;
/// Draws of the bootstrap over tasks, and its seed.
const DRAWS: (usize, u64) = (1000, 0);

/// One measure of how alike tasks are.
#[derive(Debug, Clone, PartialEq)]
pub struct Similarity {
    /// Its name in tables, such as `visual-cosine`.
    pub measure: String,
    /// The method whose prompts are compared; empty where none are.
    pub method: String,
    /// Images per class that those prompts were trained with; 0 where none are compared.
    pub source_shots: usize,
    /// Task by task. With prompts: of the sources, the mean over seeds.
    pub values: Matrix,
}

/// Rank correlation of one transfer matrix with one similarity.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityCorrelation {
    /// How sources help.
    pub transfer: TransferKind,
    /// The method of the transfer.
    pub method: String,
    /// Images per class of the source.
    pub source_shots: usize,
    /// Images per class of the target.
    pub shots: usize,
    /// [`Similarity::measure`].
    pub measure: String,
    /// Pairs of different tasks that both have.
    pub pairs: usize,
    /// Spearman's correlation with the gains over the single task, means over seeds.
    pub rho: Option<f64>,
    /// Interval of it at 95 %, by the bootstrap over tasks.
    pub over_tasks: Option<(f64, f64)>,
    /// The correlation of each seed's gains, summed up at 95 %.
    pub over_seeds: Option<Summary>,
}

/// What a comparison of tasks found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The measures.
    pub similarities: Vec<Similarity>,
    /// What they say about transfer: each matrix with each measure (of prompts: those of its own
    /// method and shots).
    pub correlations: Vec<SimilarityCorrelation>,
}

impl TrainWork {
    /// Compares the tasks of a study: visual similarity from features of training images without
    /// prompts, label similarity from the zero-shot texts, prompt similarity from the source
    /// prompts that are there. Correlates each with the gains of `merged`.
    ///
    /// # Errors
    /// No plan, a task that cannot be opened or is not the one planned with, fewer than two
    /// training images, or a damaged prompt.
    pub fn compare(
        &self,
        dir: &Path,
        merged: &Merged,
        observer: &dyn Observer,
    ) -> Result<Compared> {
        let plan = Plan::read(dir)?;
        let work = || self.similarities(dir, &plan, observer);
        let similarities = with_threads(self.threads, work)??;
        let mut correlations = Vec::new();
        for matrix in &merged.matrices {
            for similarity in &similarities {
                let of_prompts = !similarity.method.is_empty();
                let own = similarity.method == matrix.method
                    && similarity.source_shots == matrix.source_shots;
                if of_prompts && !own {
                    continue;
                }
                let values = &similarity.values;
                let found = correlate(&matrix.gain, values);
                correlations.push(SimilarityCorrelation {
                    transfer: matrix.transfer,
                    method: matrix.method.clone(),
                    source_shots: matrix.source_shots,
                    shots: matrix.shots,
                    measure: similarity.measure.clone(),
                    pairs: found.pairs,
                    rho: found.all,
                    over_tasks: bootstrap_interval(&matrix.gain, values, LEVEL, DRAWS.0, DRAWS.1),
                    over_seeds: correlate_seeds(&matrix.gain_of_seed, values, LEVEL),
                });
            }
        }
        Ok(Compared {
            similarities,
            correlations,
        })
    }

    fn similarities(
        &self,
        dir: &Path,
        plan: &Plan,
        observer: &dyn Observer,
    ) -> Result<Vec<Similarity>> {
        let mut tasks: Vec<(&Task, Arc<Opened>)> = Vec::new();
        for unit in plan.units() {
            let common = common(unit).map_err(|error| failed(dir, &error))?;
            for task in unit.train_on.iter().chain(&unit.evaluate_on) {
                if tasks.iter().all(|(known, _)| known.name != task.name) {
                    let opened = self.open(task, &common, observer);
                    tasks.push((task, opened.map_err(|error| failed(dir, &error))?));
                }
            }
        }
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for (task, opened) in &tasks {
            images.push((task.name.clone(), self.image_set(dir, opened, observer)?));
            labels.push(self.labels(&task.name, opened)?);
        }
        let visual = visual_similarity(&images)?;
        let label = label_similarity(&labels, self.clip.config.embed_dim)?;
        let plain = [
            ("visual-cosine", visual.mean_cosine),
            ("visual-cka", visual.cka),
            ("visual-frechet", visual.frechet),
            ("label-cosine", label.mean_cosine),
            ("label-best-match", label.best_match),
            ("label-overlap", label.overlap),
        ];
        let mut all: Vec<Similarity> = plain
            .into_iter()
            .map(|(measure, values)| Similarity {
                measure: measure.to_owned(),
                method: String::new(),
                source_shots: 0,
                values,
            })
            .collect();
        all.extend(self.prompts(dir, plan)?);
        Ok(all)
    }

    fn image_set(
        &self,
        dir: &Path,
        opened: &Opened,
        observer: &dyn Observer,
    ) -> Result<FeatureSet> {
        let split: Split = some_of(&opened.task.train, Some(IMAGES));
        let hashes = hash_images(&split.samples, observer)?;
        let mut maker = self.maker(&preprocess(&self.clip, &ImageConfig::default()));
        let own = || Folder::new(dir).shared("cache");
        let cache = self.cache.clone().unwrap_or_else(own);
        fs::create_dir_all(&cache)?;
        maker.cache = Some(cache);
        let features = maker.features(&split.samples, &hashes, View::Centre, observer)?;
        FeatureSet::new(&features, self.clip.config.embed_dim)
    }

    fn labels(&self, name: &str, opened: &Opened) -> Result<TaskLabels> {
        let task = &opened.task;
        let texts = Classifier::zero_shot(&self.clip, &task.classes, &task.templates)?;
        Ok(TaskLabels {
            task: name.to_owned(),
            classes: task.classes.clone(),
            features: texts.text_features().unwrap_or_default().to_vec(),
        })
    }
}

fn failed(dir: &Path, error: &WorkError) -> StudyError {
    StudyError::Damaged {
        path: dir.to_owned(),
        what: error.to_string(),
    }
}
