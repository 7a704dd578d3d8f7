//! How many images a class.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::FewShotError;

/// How many images of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ShotsRepr", try_from = "ShotsRepr")]
pub enum Shots {
    /// The whole train split; `all` in configs and files.
    All,
    /// So many images a class. 0 is refused when a subset is drawn.
    Count(usize),
}

/// A number or the word `all`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ShotsRepr {
    Count(usize),
    Word(String),
}

impl From<Shots> for ShotsRepr {
    fn from(shots: Shots) -> Self {
        match shots {
            Shots::All => Self::Word("all".to_owned()),
            Shots::Count(count) => Self::Count(count),
        }
    }
}

impl TryFrom<ShotsRepr> for Shots {
    type Error = FewShotError;

    fn try_from(repr: ShotsRepr) -> Result<Self, FewShotError> {
        match repr {
            ShotsRepr::Count(count) => Ok(Self::Count(count)),
            ShotsRepr::Word(word) => word.parse(),
        }
    }
}

impl From<usize> for Shots {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl fmt::Display for Shots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl FromStr for Shots {
    type Err = FewShotError;

    /// A number, or `all` (also `full`).
    fn from_str(text: &str) -> Result<Self, FewShotError> {
        match text.trim() {
            "all" | "full" => Ok(Self::All),
            other => match other.parse() {
                Ok(count) if count > 0 => Ok(Self::Count(count)),
                _ => Err(FewShotError::UnknownShots {
                    found: text.to_owned(),
                }),
            },
        }
    }
}
