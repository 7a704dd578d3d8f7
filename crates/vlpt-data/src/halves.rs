//! A task with its base or its new classes alone.

use crate::class_subset::ClassSubset;
use crate::error::{LayoutError, Result};
use crate::provenance::WholeLabels;
use crate::task::{Split, Task};

impl Task {
    /// The task with these classes alone, and their images. Few shots are still drawn as from the
    /// whole set, the other half's thrown away: published code draws first and halves then.
    ///
    /// # Errors
    /// Images have several labels or none, or there are too few classes to halve.
    pub fn with_class_subset(mut self, subset: ClassSubset) -> Result<Self> {
        if subset.is_all() {
            return Ok(self);
        }
        let count = self.classes.len();
        if self.multi_label || count < 2 {
            let found = if self.multi_label {
                "images with several labels or none".to_owned()
            } else {
                format!("{count} class")
            };
            return Err(LayoutError::BadEntry {
                file: self.provenance.root,
                place: format!("--class-subset {subset}"),
                found,
                expected: "two classes or more, and one label an image".to_owned(),
            }
            .into());
        }
        let base = count.div_ceil(2);
        let kept = match subset {
            ClassSubset::New => base..count,
            _ => 0..base,
        };
        let first = kept.start as u32;
        let labels = |split: &Split| -> Vec<u32> {
            let samples = split.samples.iter();
            samples
                .filter_map(|item| item.labels.first().copied())
                .collect()
        };
        self.provenance.whole = Some(WholeLabels {
            train: labels(&self.train),
            val: self.val.as_ref().map(labels).unwrap_or_default(),
            kept: first..kept.end as u32,
        });
        let of_kept = |split: Split| {
            let mut samples = split.samples;
            samples.retain(|item| item.labels.iter().all(|l| kept.contains(&(*l as usize))));
            for label in samples.iter_mut().flat_map(|item| &mut item.labels) {
                *label -= first;
            }
            Split::new(samples)
        };
        self.train = of_kept(self.train);
        self.val = self.val.map(of_kept).filter(|val| !val.is_empty());
        self.test = of_kept(self.test);
        self.classes = self.classes[kept.clone()].to_vec();
        self.provenance.class_subset = subset;
        self.provenance.notes.push(format!(
            "only the {subset} classes are used: {} of {count}, labels counted from 0",
            kept.len()
        ));
        Ok(self)
    }
}
