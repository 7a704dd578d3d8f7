//! What the loop works on.

use std::ops::Range;

use vlpt_clip::Clip;
use vlpt_data::{Metric, Sample};

use super::images::ImageInput;
use crate::RunConfig;
use crate::loss::Mask;
use crate::sampler::{Mix, Sampler};
use vlpt_adapter::FeatureExtractor;

/// What the loop works on; nothing of it changes during a run.
pub(crate) struct Workload<'a> {
    /// The resolved configuration.
    pub(crate) config: &'a RunConfig,
    /// The frozen model.
    pub(crate) clip: &'a Clip,
    /// Class names of all tasks, one task after the other.
    pub(crate) classes: &'a [String],
    /// The tasks, at least one; their classes are all classes, in this order.
    pub(crate) tasks: Vec<TaskPart>,
    /// What an image has to do with the classes of other tasks.
    pub(crate) mask: Mask,
    /// How the tasks' images are mixed.
    pub(crate) mix: Mix,
    /// Of [`Mix::Temperature`].
    pub(crate) temperature: f64,
    /// The training images in the order of every epoch; none: shuffled in each.
    pub(crate) order: Option<Vec<usize>>,
    /// What an image of each class weighs in the loss; none: all alike.
    pub(crate) class_weights: Option<Vec<f64>>,
    /// Images trained on; labels are numbers among all classes.
    pub(crate) train: &'a [Sample],
    /// Images that choose the epoch.
    pub(crate) val: &'a [Sample],
    /// Their features or pixels.
    pub(crate) images: ImageInput<'a>,
    /// Makes features and pixels.
    pub(crate) extractor: FeatureExtractor<'a>,
}

/// One of the tasks of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskPart {
    /// Its name.
    pub(crate) name: String,
    /// Its classes among all.
    pub(crate) classes: Range<usize>,
    /// Its metric.
    pub(crate) metric: Metric,
    /// Whether an image may have several labels.
    pub(crate) multi_label: bool,
    /// Its images among those trained on.
    pub(crate) train: Vec<usize>,
    /// Its images among those that choose the epoch.
    pub(crate) val: Vec<usize>,
}

impl Workload<'_> {
    /// What the batches of an epoch depend on.
    pub(crate) fn batches(&self) -> Sampler {
        Sampler {
            tasks: self.tasks.iter().map(|task| task.train.clone()).collect(),
            mix: self.mix,
            temperature: self.temperature,
            size: self.config.train.batch_size,
            drop_last: self.config.train.drop_last,
            order: self.order.clone(),
        }
    }

    /// The task of each training image.
    pub(crate) fn task_of_train(&self) -> Vec<usize> {
        let mut of = vec![0; self.train.len()];
        for (task, part) in self.tasks.iter().enumerate() {
            for &image in &part.train {
                of[image] = task;
            }
        }
        of
    }
}
