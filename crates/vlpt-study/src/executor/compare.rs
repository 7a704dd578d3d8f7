//! How alike the tasks of a study are, and whether that tells who helps whom.

use std::path::Path;
use std::sync::Arc;

use fs_err as fs;
use vlpt_adapter::{Classifier, ImageConfig, View, hash_images, preprocess, with_threads};
use vlpt_clip::Observer;
use vlpt_data::Split;

use super::compared::{Compared, Similarity, SimilarityCorrelation};
use super::context::ExecutorError;
use super::settings::common;
use super::tasks::{Opened, some_of};
use super::train_executor::TrainExecutor;
use crate::folder::Folder;
use crate::job::TaskSpec;
use crate::merge::Merged;
use crate::plan::Plan;
use crate::similarity::{FeatureSet, TaskLabels, label_similarity, visual_similarity};
use crate::stats::{bootstrap_interval, correlate, correlate_seeds};
use crate::{Result, StudyError};

/// Training images of a task that visual similarity looks at, at most; the Fréchet distance
/// depends on their number, so that tasks should have like ones.
const IMAGES: usize = 512;
/// Of intervals.
const LEVEL: f64 = 0.95;
/// Draws of the bootstrap over tasks, and its seed.
const DRAWS: (usize, u64) = (1000, 0);

impl TrainExecutor {
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
        let found = || self.similarities(dir, &plan, observer);
        let similarities = with_threads(self.threads, found)??;
        let mut correlations = Vec::new();
        observer.start(
            "correlating similarity and transfer",
            merged.matrices.len() as u64,
        );
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
            observer.advance(1);
        }
        observer.finish();
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
        let mut tasks: Vec<(&TaskSpec, Arc<Opened>)> = Vec::new();
        for job in plan.jobs() {
            let common = common(job).map_err(|error| failed(dir, &error))?;
            for task in job.train_on.iter().chain(&job.evaluate_on) {
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
        observer.start("comparing the images of tasks", 1);
        let visual = visual_similarity(&images);
        observer.finish();
        let visual = visual?;
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
        let mut extractor = self.extractor(&preprocess(&self.clip, &ImageConfig::default()));
        let own = || Folder::new(dir).shared("cache");
        let cache = self.cache.clone().unwrap_or_else(own);
        fs::create_dir_all(&cache)?;
        extractor.cache = Some(cache);
        let features = extractor.features(&split.samples, &hashes, View::Centre, observer)?;
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

fn failed(dir: &Path, error: &ExecutorError) -> StudyError {
    StudyError::Damaged {
        path: dir.to_owned(),
        what: error.to_string(),
    }
}
