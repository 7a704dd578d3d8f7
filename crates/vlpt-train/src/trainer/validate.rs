//! The classifier of a moment, and what the validation images say about it.

use std::sync::Arc;

use vlpt_data::Sample;
use vlpt_methods::{Pass, Trains};

use super::Trainer;
use super::images::{BatchImages, BatchSource};
use super::workload::TaskPart;
use crate::{Result, TaskValue};
use vlpt_adapter::{Classifier, ImageAdaptation, metrics};

impl Trainer<'_> {
    /// The classifier of the parameters as they are.
    pub(crate) fn classifier(&self) -> Result<Classifier> {
        let work = self.work;
        if self.method.needs().texts_per_image {
            return Ok(Classifier::of_method(
                work.clip,
                Arc::clone(&self.method),
                work.classes,
            )?);
        }
        let visual = ImageAdaptation::of_method(&self.method)?;
        if self.stage.trains == Trains::ClassFeatures
            && let Some(features) = self.method.class_features()
        {
            let features = features.values()?;
            return Ok(Classifier::new(work.clip, work.classes, features).with_visual(visual));
        }
        let text = self.method.adapt(&Pass::EVAL)?.text.values()?;
        let texts = &self.engine.texts;
        let (features, _tapes) = texts.forward(work.clip, &texts.whole(), 0, &text);
        Ok(Classifier::new(work.clip, work.classes, features).with_visual(visual))
    }

    /// Each task's metric on its validation images, among its own classes.
    pub(super) fn validate(&self) -> Result<Vec<TaskValue>> {
        let work = self.work;
        let classifier = self.classifier()?;
        let features = self.val_features(classifier.visual.as_ref())?;
        let logits = classifier.logits(work.clip, &features)?;
        let validated = work.tasks.iter().filter(|task| !task.val.is_empty());
        validated
            .map(|task| {
                Ok(TaskValue {
                    task: task.name.clone(),
                    metric: task.metric,
                    value: judge(task, work.val, &logits, work.classes.len())?,
                })
            })
            .collect()
    }

    /// Features of the validation images under what is learned of the image side.
    fn val_features(&self, visual: Option<&ImageAdaptation>) -> Result<Vec<f32>> {
        let work = self.work;
        let (n, embed) = (work.val.len(), work.clip.config.embed_dim);
        if let BatchSource::Features(views) = &work.images.val {
            return Ok(views.first().cloned().unwrap_or_default());
        }
        let every: Vec<usize> = (0..n).collect();
        let mut batches = every.chunks(work.extractor.batch.max(1));
        let load = |images: &[usize]| work.images.val.batch(0, images, embed);
        let mut features = Vec::with_capacity(n * embed);
        let mut current = batches.next();
        let mut waiting = current.map(load).transpose()?;
        while let (Some(images), Some(loaded)) = (current, waiting) {
            let next = batches.next();
            let (computed, prepared) = rayon::join(
                || match loaded {
                    BatchImages::Features(features) => Ok(features),
                    BatchImages::Pixels(pixels) => {
                        ImageAdaptation::features(visual, work.clip, &pixels, images.len())
                    }
                },
                || next.map(load).transpose(),
            );
            features.extend(computed?);
            (current, waiting) = (next, prepared?);
        }
        Ok(features)
    }
}

/// A task's metric, from logits of all images for all classes.
fn judge(task: &TaskPart, val: &[Sample], logits: &[f32], classes: usize) -> Result<f64> {
    let first = task.classes.start;
    let mut own_logits = Vec::with_capacity(task.val.len() * task.classes.len());
    let mut own_items = Vec::with_capacity(task.val.len());
    for &image in &task.val {
        let row = &logits[image * classes..(image + 1) * classes];
        own_logits.extend_from_slice(&row[task.classes.clone()]);
        let mut item = val[image].clone();
        for label in &mut item.labels {
            *label -= first as u32;
        }
        own_items.push(item);
    }
    let scored = metrics::scored_for(task.metric, &own_logits, &own_items, task.classes.len())?;
    Ok(metrics::evaluate(task.metric, &scored)?)
}

#[cfg(test)]
mod tests {
    use vlpt_data::Metric;

    use super::*;

    fn task(classes: std::ops::Range<usize>, metric: Metric, val: Vec<usize>) -> TaskPart {
        TaskPart {
            name: format!("{classes:?}"),
            classes,
            metric,
            multi_label: false,
            train: Vec::new(),
            val,
        }
    }

    #[test]
    fn a_task_is_judged_by_its_own_images_among_its_own_classes() {
        // Classes 0 and 1 are one task's, 2 to 4 the other's; their images are mixed.
        let (labels, logits): (Vec<&[u32]>, Vec<[f32; 5]>) = [
            (&[1][..], [0.0, 1.0, 9.0, 9.0, 9.0]), // right, whatever the other task's classes say
            (&[2], [9.0, 9.0, 3.0, 1.0, 2.0]),     // right
            (&[0], [0.0, 1.0, 0.0, 0.0, 0.0]),     // wrong
            (&[2], [9.0, 9.0, 3.0, 1.0, 2.0]),     // right
            (&[4], [0.0, 0.0, 0.0, 1.0, 0.5]),     // wrong
            (&[2], [0.0, 0.0, 0.0, 1.0, 0.5]),     // wrong
        ]
        .into_iter()
        .unzip();
        let shapes = vlpt_data::synthetic::task("shapes", 1)
            .unwrap()
            .train
            .samples;
        let item = |(item, labels): (Sample, &&[u32])| Sample {
            labels: labels.to_vec(),
            ..item
        };
        let val: Vec<Sample> = shapes.into_iter().zip(&labels).map(item).collect();
        let logits = logits.concat();
        let judge = |task: &TaskPart| judge(task, &val, &logits, 5).unwrap();
        let (own, other) = (vec![0, 2], vec![1, 3, 4, 5]);
        assert_eq!(judge(&task(0..2, Metric::Accuracy, own.clone())), 0.5);
        assert_eq!(judge(&task(2..5, Metric::Accuracy, other.clone())), 0.5);
        // Each by its own metric: this one leaves out class 3, which no image shows; then two thirds
        // of class 2 are right, and all of class 4.
        let per_class = judge(&task(2..5, Metric::MeanPerClass, other));
        assert!((per_class - 5.0 / 6.0).abs() < 1e-12, "{per_class}");
        // The same images among all classes: the tasks hide each other's answers.
        let union = task(0..5, Metric::Accuracy, (0..6).collect());
        assert_eq!(judge(&union), 0.0);
    }
}
