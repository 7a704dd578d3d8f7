//! The published rules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::FewShotError;
use crate::format::Format;
use crate::task::Task;

/// How the images of a subset are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FewShotRule {
    /// K random images a class for training, min(K, 4) of the val split for validation.
    Coop,
    /// About K images a class in shuffled order, a fifth of them for validation.
    Elevater,
    /// Those that a list names; nothing is drawn.
    List,
}

impl FewShotRule {
    /// The rule that published figures on such a task were drawn by: ELEVATER's for tasks in its
    /// layout and for those with several labels an image, else CoOp's.
    pub fn usual(task: &Task) -> Self {
        if task.multi_label || task.provenance.format == Format::Elevater {
            Self::Elevater
        } else {
            Self::Coop
        }
    }

    /// The name in configs, files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coop => "coop",
            Self::Elevater => "elevater",
            Self::List => "list",
        }
    }
}

impl fmt::Display for FewShotRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FewShotRule {
    type Err = FewShotError;

    fn from_str(text: &str) -> Result<Self, FewShotError> {
        match text.to_ascii_lowercase().as_str() {
            "coop" => Ok(Self::Coop),
            "elevater" => Ok(Self::Elevater),
            _ => Err(FewShotError::UnknownRule {
                found: text.to_owned(),
            }),
        }
    }
}
