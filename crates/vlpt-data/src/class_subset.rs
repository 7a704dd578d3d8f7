//! Base and new classes: the halves that generalisation to unseen classes is measured on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{LayoutError, Result};
use crate::task::{Split, Task};

/// Which classes of a task are used, after `DATASET.SUBSAMPLE_CLASSES` of CoOp's code (Zhou et al.,
/// 2022b): of `n` classes in the order of their labels the first `ceil(n / 2)` are the base classes,
/// the others the new ones. Labels are counted from 0 again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassSubset {
    /// All classes.
    #[default]
    All,
    /// The first half.
    Base,
    /// The second half.
    New,
}

impl ClassSubset {
    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Base => "base",
            Self::New => "new",
        }
    }

    /// Whether all classes are used.
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }
}

impl fmt::Display for ClassSubset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ClassSubset {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        [Self::All, Self::Base, Self::New]
            .into_iter()
            .find(|subset| subset.name() == text)
            .ok_or_else(|| format!("`{text}` is no subset of classes: expected all, base or new"))
    }
}

impl Task {
    /// The task with these classes alone, and their images.
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
