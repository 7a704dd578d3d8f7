//! What the loop works on.

use std::ops::Range;

use vlpt_clip::{Clip, MemoryBudget};
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

/// How `compute.memory_mb` is shared.
///
/// Without visual prompts all of it is for what the text tower keeps between forward and backward.
/// With visual prompts half of it is for pixels; the other half is for what the towers keep, equal
/// parts where both have learned prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryPlan {
    /// Of the text tower.
    pub(crate) text: MemoryBudget,
    /// Of the image tower.
    pub(crate) image: MemoryBudget,
    /// Of the pixels, in bytes.
    pub(crate) pixels: usize,
}

impl MemoryPlan {
    /// The shares of a run, by the towers that have learned prompts.
    pub(crate) fn of(config: &RunConfig, text: bool, visual: bool) -> Self {
        let all = config.compute.resolved_memory_mb() << 20;
        let (towers, pixels) = if visual { (all / 2, all / 2) } else { (all, 0) };
        let each = if text && visual { towers / 2 } else { towers };
        let budget = |learned| MemoryBudget::new(if learned { each } else { 0 });
        Self {
            text: budget(text),
            image: budget(visual),
            pixels,
        }
    }
}
