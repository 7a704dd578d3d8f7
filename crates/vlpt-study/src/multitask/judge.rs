//! What prompts do on a task's test images.

use std::path::PathBuf;

use vlpt_adapter::{EvalImages, Evaluation, PromptFolder, SplitName};
use vlpt_data::Task;
use vlpt_data::image::Preprocess;
use vlpt_train::RunOptions;

use crate::Result;
use crate::executor::Experiment;

/// A task and how it is looked at. Its test images are read once for all prompts.
pub(super) struct Judge<'a> {
    experiment: &'a Experiment<'a>,
    task: &'a Task,
    images: EvalImages,
    cache: Option<PathBuf>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        experiment: &'a Experiment<'a>,
        task: &'a Task,
        options: &RunOptions,
    ) -> Result<Self> {
        Ok(Self {
            experiment,
            task,
            images: EvalImages::new(SplitName::Test.of(task)?.samples.clone()),
            cache: options.cache.clone(),
        })
    }

    /// The task among its own classes, with a prompt.
    pub(super) fn prompt(&self, folder: &PromptFolder) -> Result<Evaluation> {
        let classifier = self.experiment.classifier(folder, self.task)?;
        self.value(&classifier, &folder.adapter.preprocess)
    }

    /// The task without any tuning, with its own templates.
    pub(super) fn zero_shot(&self, preprocess: &Preprocess) -> Result<Evaluation> {
        let plain = self.experiment.zero_shot(self.task)?;
        self.value(&plain, preprocess)
    }

    fn value(
        &self,
        classifier: &vlpt_adapter::Classifier,
        preprocess: &Preprocess,
    ) -> Result<Evaluation> {
        let cache = self.cache.clone();
        let (experiment, task) = (self.experiment, self.task);
        Ok(experiment.evaluate(classifier, task, &self.images, preprocess, cache, None)?)
    }
}
