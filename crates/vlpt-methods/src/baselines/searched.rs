//! A number that is given, or chosen on images held out from training.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{MethodError, Result};

/// A hyper-parameter of a baseline: a number, or `"search"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or \"search\"")]
pub enum Searched {
    /// This value.
    Value(f64),
    /// Chosen on validation images, or on folds of the training images.
    Rule(SearchRule),
}

/// How a [`Searched`] value is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchRule {
    /// On a grid.
    #[serde(rename = "search")]
    Search,
}

impl Searched {
    /// To be chosen.
    pub const SEARCH: Self = Self::Rule(SearchRule::Search);

    /// The number, where one is given.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Rule(SearchRule::Search) => None,
        }
    }
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Rule(SearchRule::Search) => f.write_str("\"search\""),
        }
    }
}

/// An error unless the value is to be chosen or is a number above 0.
pub(super) fn positive(key: &'static str, searched: Searched) -> Result<()> {
    match searched.value() {
        Some(value) if !(value.is_finite() && value > 0.0) => Err(MethodError::Option {
            key,
            found: value.to_string(),
            expected: "a number above 0, or \"search\"".to_owned(),
        }),
        _ => Ok(()),
    }
}
