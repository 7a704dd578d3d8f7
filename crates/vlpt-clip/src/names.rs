//! Model names as users write them.

use std::fmt;
use std::str::FromStr;

use crate::error::ClipError;

/// A model's name and revision; see [`FromStr`] for the spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    text: String,
}

impl FromStr for ModelName {
    type Err = ClipError;

    fn from_str(text: &str) -> Result<Self, ClipError> {
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
