//! What stands between the labels of one image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A character between the labels of one image in a cell of a table: a single sign, or one of the
/// words `space`, `tab`, `comma`, `semicolon`, `pipe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabelSeparator(char);

/// Signs that have a name, since a shell or a configuration would swallow some of them.
const NAMES: [(&str, char); 5] = [
    ("space", ' '),
    ("tab", '\t'),
    ("comma", ','),
    ("semicolon", ';'),
    ("pipe", '|'),
];

impl LabelSeparator {
    /// What to write for a sign on a command line.
    pub(crate) fn name_of(sign: char) -> String {
        Self(sign).to_string()
    }

    /// The labels of a cell, without blanks around them and without empty ones.
    pub fn split(self, cell: &str) -> impl Iterator<Item = &str> {
        cell.split(self.0)
            .map(str::trim)
            .filter(|part| !part.is_empty())
    }
}

impl fmt::Display for LabelSeparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, sign)| *sign == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for LabelSeparator {
    type Err = UnknownSeparator;

    fn from_str(text: &str) -> Result<Self, UnknownSeparator> {
        let named = NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, sign)) = named {
            return Ok(Self(*sign));
        }
        let mut signs = text.chars();
        match (signs.next(), signs.next()) {
            (Some(sign), None) if !sign.is_alphanumeric() => Ok(Self(sign)),
            _ => Err(UnknownSeparator {
                found: text.to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for LabelSeparator {
    type Error = UnknownSeparator;

    fn try_from(text: String) -> Result<Self, UnknownSeparator> {
        text.parse()
    }
}

impl From<LabelSeparator> for String {
    fn from(separator: LabelSeparator) -> Self {
        separator.to_string()
    }
}

/// A text that cannot stand between labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` cannot stand between labels: expected one sign such as `;`, `|` or `,`, or one of space, tab, comma, semicolon, pipe"
)]
pub struct UnknownSeparator {
    /// The text.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_or_its_name_is_read_and_written_by_name() {
        for (text, name) in [
            (";", "semicolon"),
            (" ", "space"),
            ("Pipe", "pipe"),
            ("/", "/"),
        ] {
            let separator: LabelSeparator = text.parse().expect("a separator");
            assert_eq!(separator.to_string(), name);
            assert_eq!(separator.to_string().parse(), Ok(separator));
        }
        for text in ["", "a", "::", "semi"] {
            assert!(text.parse::<LabelSeparator>().is_err(), "{text}");
        }
    }
}
