//! The one shape that every reader gives: a task with classes, templates, splits and a metric.
//!
//! A [`Task`] holds no pixels. Each [`Sample`] knows where its image lies and which classes it shows;
//! [`Sample::load`] reads and decodes it when asked, from any thread.

use crate::metric::Metric;
use crate::provenance::Provenance;
use crate::sample::Sample;

/// One task: what there is to tell apart, on which images, and how success is counted.
///
/// Images are not held, so a clone costs a few dozen bytes an image; share big tasks in an
/// [`Arc`](std::sync::Arc).
#[derive(Debug, Clone)]
pub struct Task {
    /// Name of the set, in the catalogue's spelling where the catalogue knows it.
    pub name: String,
    /// Class names as texts say them; a label is an index into this list.
    pub classes: Vec<String>,
    /// Text templates with `{}` for the class name; at least one.
    pub templates: Vec<String>,
    /// The number the task is judged by.
    pub metric: Metric,
    /// Whether an image may show several classes, or none.
    pub multi_label: bool,
    /// Images to learn from; empty where a set is for testing only.
    pub train: Split,
    /// Images to choose by, where the set brings them.
    pub val: Option<Split>,
    /// Images to judge on.
    pub test: Split,
    /// Where all this was read from.
    pub provenance: Provenance,
}

/// A list of labelled images, in the order of the source.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// The images.
    pub samples: Vec<Sample>,
}

impl Split {
    /// A split of these images.
    pub fn new(samples: Vec<Sample>) -> Self {
        Self { samples }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Number of images of each of `classes` classes; an image of several classes counts in each.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for sample in &self.samples {
            for &label in &sample.labels {
                if let Some(count) = counts.get_mut(label as usize) {
                    *count += 1;
                }
            }
        }
        counts
    }
}
