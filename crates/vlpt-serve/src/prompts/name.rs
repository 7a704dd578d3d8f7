//! What a prompt is called in URLs.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::ServeError;

/// A prompt folder, or a run folder with one, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFolder {
    /// The name in URLs.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

impl NamedFolder {
    /// A folder under its own name: the last part of its path, or the one before where that is
    /// `prompt`, as in run folders.
    ///
    /// # Errors
    /// A name with a character that URLs write otherwise.
    pub fn of(folder: &Path) -> Result<Self, ServeError> {
        let whole = folder.canonicalize();
        let whole = whole.as_deref().unwrap_or(folder);
        let mut parts = whole.iter().rev().map(|part| part.to_string_lossy());
        let name = match parts.next() {
            Some(last) if last == "prompt" => parts.next().unwrap_or(last),
            Some(last) => last,
            None => folder.to_string_lossy(),
        };
        Self::named(&name, folder)
    }

    fn named(name: &str, folder: &Path) -> Result<Self, ServeError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        // `.` and `..` are no parts of a URL's path
        let dots = name.chars().all(|c| c == '.');
        if dots || name == super::ZERO_SHOT || !name.chars().all(plain) {
            return Err(ServeError::Name {
                name: name.to_owned(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
        })
    }
}

impl FromStr for NamedFolder {
    type Err = ServeError;

    /// `NAME=FOLDER`, or a folder under its own name.
    fn from_str(text: &str) -> Result<Self, ServeError> {
        match text.split_once('=') {
            Some((name, folder)) if !Path::new(text).exists() => {
                Self::named(name, Path::new(folder))
            }
            _ => Self::of(Path::new(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_called_by_its_run() {
        let name = |text: &str| text.parse::<NamedFolder>().map(|named| named.name);
        assert_eq!(name("runs/pets").unwrap(), "pets");
        assert_eq!(name("runs/pets/prompt").unwrap(), "pets");
        assert_eq!(name("cats=runs/pets/prompt").unwrap(), "cats");
    }

    #[test]
    fn a_name_is_plain_in_a_url() {
        for text in ["a b=x", "a/b=x", "=x", "..=x", "ü=x"] {
            assert!(
                matches!(text.parse::<NamedFolder>(), Err(ServeError::Name { .. })),
                "{text}"
            );
        }
    }
}
