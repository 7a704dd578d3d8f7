//! Each task by itself: a prompt tuned on it, beside zero-shot.

use vlpt_adapter::{
    Bootstrap, Classifier, FeatureExtractor, ImageConfig, PromptFolder, Scored, View, hash_images,
};
use vlpt_clip::Clip;
use vlpt_data::image::{DecodeOptions, Limits};
use vlpt_data::{Metric, Split, Task};
use vlpt_report::{Interval, TaskResult, TaskSection};
use vlpt_train::{Run, RunOptions, TrainingData};

use super::DemoArgs;
use crate::console::Console;
use crate::error::CliError;
use crate::figures;
use crate::watch::Watch;

/// Trains on one task, or takes the run that is there already, and measures.
pub(super) fn one_task(
    args: &DemoArgs,
    clip: &Clip,
    task: Task,
    console: &Console,
) -> Result<TaskSection, CliError> {
    let watch = Watch::new(console);
    let config = args.config(&task.name)?;
    let data = TrainingData::of(task, &config)?;
    let options = RunOptions {
        dir: args.folder(&data.task.name),
        cache: Some(args.cache()),
    };
    let done = if options.dir.join("config.toml").exists() {
        Run::resume_with(Some(&config), &options, clip, &data, &watch)?
    } else {
        Run::start_with(&config, &options, clip, &data, &watch)?
    };
    let task = &data.task;
    let extractor = FeatureExtractor {
        clip,
        preprocess: vlpt_adapter::preprocess(clip, &ImageConfig::default()),
        limits: Limits::default(),
        batch: config.compute.image_batch,
        cache: Some(args.cache()),
        adaptation: None,
    };
    let hashes = hash_images(&task.test.samples, &watch)?;
    let features = extractor.features(&task.test.samples, &hashes, View::Centre, &watch)?;
    let zero_shot = Classifier::zero_shot(clip, &task.classes, &task.templates)?;
    let tuned = PromptFolder::open(&done.prompt)?.classifier(clip)?;
    let probabilities = tuned.probabilities(clip, &features)?;
    Ok(TaskSection {
        result: TaskResult {
            name: task.name.clone(),
            classes: task.classes.len(),
            images: task.test.len(),
            zero_shot: accuracy(clip, &zero_shot, &features, &task.test)?,
            tuned: accuracy(clip, &tuned, &features, &task.test)?,
        },
        curve: figures::learning_curve(&options.dir, done.selected_epoch)?,
        confusion: figures::confusion(&task.classes, &task.test, &probabilities),
        examples: figures::examples(
            &task.classes,
            &task.test,
            &probabilities,
            &DecodeOptions::default(),
        )?,
    })
}

/// Accuracy with its bootstrap interval.
fn accuracy(
    clip: &Clip,
    classifier: &Classifier,
    features: &[f32],
    split: &Split,
) -> Result<Interval, CliError> {
    let labels = split
        .samples
        .iter()
        .map(|item| item.labels.clone())
        .collect();
    let logits = classifier.logits(clip, features)?;
    let scored = Scored::from_f32(&logits, classifier.classes.len(), labels)?;
    let found = Bootstrap::default().interval(Metric::Accuracy, &scored)?;
    Ok(Interval {
        value: found.value,
        low: found.low,
        high: found.high,
    })
}
