//! A class that stands in the name of an image's file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where in its file name the class of an image stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelFromName {
    /// Before a number at the end: `cat` of `cat.0.jpg`, `cat_001.jpg`, `cat-7.jpg`, `cat (3).jpg`.
    Prefix,
}

impl LabelFromName {
    /// The class in the name of a file, if there is one.
    pub fn class(self, file: &str) -> Option<&str> {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let stem = stem.trim_end();
        let open = stem.strip_suffix(')').unwrap_or(stem);
        let head = open.trim_end_matches(|c: char| c.is_ascii_digit());
        if head.len() == open.len() {
            return None; // no number
        }
        let head = if stem.ends_with(')') {
            head.strip_suffix('(')?
        } else {
            head
        };
        let class = head.trim_end_matches(['.', '_', '-', ' ']).trim();
        (!class.is_empty()).then_some(class)
    }
}

impl fmt::Display for LabelFromName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prefix")
    }
}

impl FromStr for LabelFromName {
    type Err = UnknownNamePart;

    fn from_str(text: &str) -> Result<Self, UnknownNamePart> {
        if text.eq_ignore_ascii_case("prefix") {
            return Ok(Self::Prefix);
        }
        Err(UnknownNamePart {
            found: text.to_owned(),
        })
    }
}

/// A part of a file name that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown part of a file name `{found}`: expected `prefix`, the text before a number at the end"
)]
pub struct UnknownNamePart {
    /// The text.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_is_the_text_before_the_last_number() {
        for (file, class) in [
            ("cat.0.jpg", Some("cat")),
            ("great_pyrenees_12.jpg", Some("great_pyrenees")),
            ("cat-007.JPG", Some("cat")),
            ("cat (3).jpg", Some("cat")),
            ("cat12.png", Some("cat")),
            ("n02-7_1.jpg", Some("n02-7")),
            ("0001.jpg", None),
            ("cat.jpg", None),
            ("(1).jpg", None),
        ] {
            assert_eq!(LabelFromName::Prefix.class(file), class, "{file}");
        }
    }
}
