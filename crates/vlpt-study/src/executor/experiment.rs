//! The steps of every experiment: train, go on with a training, evaluate.

use std::path::{Path, PathBuf};

use vlpt_base::memo::Memo;
use vlpt_clip::Clip;
use vlpt_data::Task;
use vlpt_data::image::Preprocess;
use vlpt_methods::{Pass, Visual};
use vlpt_train::{
    Classifier, EvalImages, EvalOptions, Evaluation, Observer, PromptFolder, Run, RunConfig,
    RunOptions, RunSummary, TrainError, TrainingData, evaluate_images,
};

/// Steps on one model, watched by one observer.
pub(crate) struct Experiment<'a> {
    /// The model.
    pub(crate) clip: &'a Clip,
    /// Texts without prompts that were encoded before.
    pub(crate) texts: &'a ConstantTexts,
    /// Who watches.
    pub(crate) observer: &'a dyn Observer,
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
        Classifier::zero_shot(self.clip, &task.classes, &task.templates)
    }

    /// What a classifier does on images of a task, as `vlpt eval` has it, but without an interval.
    pub(crate) fn evaluate(
        &self,
        classifier: &Classifier,
        task: &Task,
        images: &EvalImages,
        preprocess: &Preprocess,
        cache: Option<PathBuf>,
    ) -> vlpt_train::Result<Evaluation> {
        let mut options = EvalOptions {
            cache,
            ..EvalOptions::default()
        };
        // Only the value is used.
        options.bootstrap.resamples = 1;
        evaluate_images(
            self.clip,
            classifier,
            task,
            images,
            preprocess,
            &options,
            self.observer,
        )
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
        let method = folder.method(clip)?;
        if method.conditional() {
            return folder.classifier_for_task(clip, task);
        }
        let prompts = method.prompts(&Pass::EVAL)?;
        if !prompts.text_values()?.is_empty() {
            return folder.classifier_for_task(clip, task);
        }
        let texts = method.texts(&clip.tokenizer, &task.classes)?;
        let name = format!("{:?} {texts:?}", task.classes);
        let plain = self.0.get(&name, || {
            let made = folder.classifier_for_task(clip, task)?;
            Ok::<_, TrainError>(made.with_visual(None))
        })?;
        let visual = prompts.visual.as_ref().map(Visual::values).transpose()?;
        Ok((*plain).clone().with_visual(visual))
    }
}
