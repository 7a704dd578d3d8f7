//! What prompts do on a task's test images.

use vlpt_clip::Clip;
use vlpt_data::Task;
use vlpt_data::image::Preprocess;

use crate::{Result, RunOptions, TrainObserver};
use vlpt_adapter::evaluate_known;
use vlpt_adapter::{Classifier, EvalOptions, Evaluation, PromptFolder, hash_images};

/// A task and how it is looked at.
pub(super) struct Judge<'a> {
    clip: &'a Clip,
    task: &'a Task,
    options: EvalOptions,
    /// Of the test images, which are read once for all prompts.
    hashes: Vec<String>,
    observer: &'a dyn TrainObserver,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        clip: &'a Clip,
        task: &'a Task,
        run: &RunOptions,
        observer: &'a dyn TrainObserver,
    ) -> Result<Self> {
        let mut options = EvalOptions {
            cache: run.cache.clone(),
            ..EvalOptions::default()
        };
        // Only the value is used.
        options.bootstrap.resamples = 1;
        let hashes = match options.cache {
            Some(_) => hash_images(&options.split.of(task)?.samples, observer)?,
            None => Vec::new(),
        };
        Ok(Self {
            clip,
            task,
            options,
            hashes,
            observer,
        })
    }

    /// The task among its own classes, with a prompt.
    pub(super) fn prompt(&self, folder: &PromptFolder) -> Result<Evaluation> {
        let classifier = folder.classifier_for_task(self.clip, self.task)?;
        self.value(&classifier, &folder.adapter.preprocess)
    }

    /// The task without any tuning, with its own templates.
    pub(super) fn zero_shot(&self, preprocess: &Preprocess) -> Result<Evaluation> {
        let (clip, task) = (self.clip, self.task);
        let plain = Classifier::zero_shot(clip, &task.classes, &task.templates)?;
        self.value(&plain, preprocess)
    }

    fn value(&self, classifier: &Classifier, preprocess: &Preprocess) -> Result<Evaluation> {
        Ok(evaluate_known(
            self.clip,
            classifier,
            self.task,
            preprocess,
            &self.options,
            &self.hashes,
            self.observer,
        )?)
    }
}
