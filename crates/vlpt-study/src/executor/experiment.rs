//! The steps of every experiment: train, go on with a training, evaluate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vlpt_adapter::{
    ClassesOf, Classifier, EvalImages, EvalOptions, Evaluation, FeatureExtractor, ImageAdaptation,
    PromptFolder, evaluate_images, metrics,
};
use vlpt_base::memo::Memo;
use vlpt_clip::{Clip, PromptToken};
use vlpt_data::image::{Limits, Preprocess};
use vlpt_data::{Sample, Task};
use vlpt_methods::Method;
use vlpt_train::{Run, RunConfig, RunOptions, RunSummary, TrainError, TrainObserver, TrainingData};

/// Steps on one model, watched by one observer.
pub(crate) struct Experiment<'a> {
    /// The model.
    pub(crate) clip: &'a Clip,
    /// Texts without prompts that were encoded before.
    pub(crate) texts: &'a ConstantTexts,
    /// Who watches.
    pub(crate) observer: &'a dyn TrainObserver,
}

impl Experiment<'_> {
    /// Starts a run on open tasks, or goes on with the one in its folder.
    pub(crate) fn train(
        &self,
        config: &RunConfig,
        options: &RunOptions,
        tasks: &[Task],
    ) -> vlpt_train::Result<RunSummary> {
        let data = TrainingData::of_tasks(tasks, config)?;
        if begun(&options.dir) {
            return Run::resume_with(Some(config), options, self.clip, &data, self.observer);
        }
        Run::start_with(config, options, self.clip, &data, self.observer)
    }

    /// As [`Experiment::train`] in a folder that nobody else uses: what cannot be gone on with,
    /// such as a run of another version or of a folder that was moved, is done anew. The result is
    /// the same.
    pub(crate) fn train_or_redo(
        &self,
        config: &RunConfig,
        options: &RunOptions,
        tasks: &[Task],
    ) -> vlpt_train::Result<RunSummary> {
        let begun = begun(&options.dir);
        match self.train(config, options, tasks) {
            Err(
                TrainError::ConfigChanged { .. }
                | TrainError::InputChanged { .. }
                | TrainError::UnknownKey { .. }
                | TrainError::BadValue { .. }
                | TrainError::Damaged { .. },
            ) if begun => {
                fs_err::remove_dir_all(&options.dir)?;
                self.train(config, options, tasks)
            }
            other => other,
        }
    }

    /// Trains on one task as [`Experiment::train_or_redo`], and judges the result on the validation images of
    /// the same few shots, or on `test` images in their stead.
    pub(crate) fn validated(
        &self,
        config: &RunConfig,
        options: &RunOptions,
        tasks: &[Task],
        test: Option<&EvalImages>,
    ) -> vlpt_train::Result<f64> {
        let data = TrainingData::of_tasks(tasks, config)?;
        let [task] = tasks else {
            return Err(TrainError::Incompatible {
                what: format!("a search over {} tasks together", tasks.len()),
                hint: Some("search on one task".to_owned()),
            });
        };
        if data.val.is_empty() && test.is_none() {
            return Err(TrainError::Incompatible {
                what: format!("{} brings no validation images to search by", task.name),
                hint: Some(
                    "few_shot.rule = \"elevater\" parts some from the training images".to_owned(),
                ),
            });
        }
        let summary = self.train_or_redo(config, options, tasks)?;
        let folder = PromptFolder::open(&summary.prompt)?;
        let classifier = self.classifier(&folder, task)?;
        let own = EvalImages::new(data.val.samples);
        let images = test.unwrap_or(&own);
        let preprocess = &folder.adapter.preprocess;
        let cache = options
            .cache
            .clone()
            .filter(|_| classifier.visual.is_none());
        Ok(self
            .evaluate(&classifier, task, images, preprocess, cache, None)?
            .value)
    }

    /// The temperature that the validation images of a task ask for, which a training on it did not learn
    /// from; none where it has none, or where images have several labels.
    pub(crate) fn temperature(
        &self,
        classifier: &Classifier,
        task: &Task,
        held_out: Vec<Sample>,
        preprocess: &Preprocess,
        cache: Option<PathBuf>,
    ) -> vlpt_train::Result<Option<f64>> {
        let labels = held_out.iter().map(|image| match image.labels[..] {
            [label] => Some(label as usize),
            _ => None,
        });
        let labels: Option<Vec<usize>> = labels.collect();
        let Some(labels) = labels.filter(|labels| !labels.is_empty() && !task.multi_label) else {
            return Ok(None);
        };
        let extractor = FeatureExtractor {
            clip: self.clip,
            preprocess: preprocess.clone(),
            limits: Limits::default(),
            batch: EvalOptions::default().image_batch,
            adaptation: classifier.visual.clone(),
            cache,
        };
        let features = EvalImages::new(held_out).features(&extractor, self.observer)?;
        let logits = classifier.logits(self.clip, &features)?;
        let found = metrics::temperature(&logits, task.classes.len(), &labels);
        Ok(Some(found))
    }

    /// The classifier that a prompt makes of a task.
    pub(crate) fn classifier(
        &self,
        folder: &PromptFolder,
        task: &Task,
    ) -> vlpt_train::Result<Classifier> {
        self.texts.classifier(self.clip, folder, task)
    }

    /// The classifier of a task's own templates.
    pub(crate) fn zero_shot(&self, task: &Task) -> vlpt_train::Result<Classifier> {
        Ok(Classifier::zero_shot(
            self.clip,
            &task.classes,
            &task.templates,
        )?)
    }

    /// What a classifier does on images of a task, as `vlpt eval` has it, but without an interval; its
    /// probabilities also as a temperature makes them.
    pub(crate) fn evaluate(
        &self,
        classifier: &Classifier,
        task: &Task,
        images: &EvalImages,
        preprocess: &Preprocess,
        cache: Option<PathBuf>,
        temperature: Option<f64>,
    ) -> vlpt_train::Result<Evaluation> {
        let mut options = EvalOptions {
            cache,
            temperature,
            ..EvalOptions::default()
        };
        // Only the value is used.
        options.bootstrap.resamples = 1;
        Ok(evaluate_images(
            self.clip,
            classifier,
            task,
            images,
            preprocess,
            &options,
            self.observer,
        )?)
    }
}

/// Whether a folder holds a run.
fn begun(dir: &Path) -> bool {
    dir.join("config.toml").exists()
}

/// Classifiers whose texts hold nothing learned, by those texts: they are encoded once.
#[derive(Debug, Default)]
pub(crate) struct ConstantTexts(Memo<Classifier>);

impl ConstantTexts {
    fn classifier(
        &self,
        clip: &Clip,
        folder: &PromptFolder,
        task: &Task,
    ) -> vlpt_train::Result<Classifier> {
        let needs = folder.adapter.method.needs();
        let baseline = folder.adapter.method.is_baseline();
        if baseline || needs.class_specific {
            // What was learned class by class serves some of its classes too, found by name: a subset is
            // judged among its own classes alone.
            let own = folder.classes == task.classes
                || folder.member(&task.name, &task.classes).is_some()
                || needs.open_classes;
            if own {
                return Ok(folder.classifier_for_task(clip, task)?);
            }
            let choices = folder.choices(task, Some(ClassesOf::Data))?;
            return Ok(folder.classifier_among(clip, &choices)?);
        }
        let method: Arc<dyn Method> = Arc::from(folder.method(clip)?);
        let needs = method.needs();
        let texts = method.texts(&clip.tokenizer, &task.classes)?;
        let learned = |token: &PromptToken| matches!(token, PromptToken::Learned(_));
        let constant = !texts.iter().flatten().any(learned);
        if needs.texts_per_image || needs.text_weights || !constant {
            return Ok(folder.classifier_for_task(clip, task)?);
        }
        let name = format!("{:?} {texts:?}", task.classes);
        let plain = self.0.get(&name, || {
            let made = folder.classifier_for_task(clip, task)?;
            Ok::<_, TrainError>(made.with_visual(None))
        })?;
        let visual = ImageAdaptation::of_method(&method)?;
        Ok((*plain).clone().with_visual(visual))
    }
}
