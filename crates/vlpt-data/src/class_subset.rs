//! Base and new classes: the halves that generalisation to unseen classes is measured on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
