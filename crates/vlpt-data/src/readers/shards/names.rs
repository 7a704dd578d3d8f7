//! What the name of a Parquet file or tar says: split, number of the shard, configuration.
//!
//! Hugging Face has written many forms over the years: `train-00000-of-00002.parquet`, the same with
//! a hash behind, `NAME-train-00000-of-00002.parquet`, `NAME-train.parquet`, `train-00000.parquet`,
//! `train/0000.parquet`, `partial-train/0000.parquet`, each in `data/` or in the folder of a
//! configuration.

use crate::split_name::SplitName;

/// A file below the root.
#[derive(Debug, Clone)]
pub(in crate::readers) struct Shard {
    /// Path relative to the root.
    pub(in crate::readers) path: String,
    /// What the name says.
    pub(super) name: Name,
}

impl Shard {
    /// The file `stem` + `ending` in `folder` (relative to the root, empty for the root).
    pub(in crate::readers) fn new(folder: &str, stem: &str, ending: &str) -> Self {
        Self {
            path: joined(folder, &format!("{stem}{ending}")),
            name: understand(folder, stem),
        }
    }
}

/// What is known of a file by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Folder that stands for a configuration of the set; empty for the only one.
    pub(super) config: String,
    /// What stands before the split in the name: a set's name, or that of a configuration.
    pub(super) prefix: String,
    /// What stands where a split's name is expected; empty where nothing does.
    pub(super) stem: String,
    /// The split that it means.
    pub(super) part: Option<SplitName>,
    /// Number of this file, and of all files of its split where that is said.
    pub(super) shard: Option<(usize, Option<usize>)>,
    /// Whether the folder says the split, and not the file.
    pub(super) by_folder: bool,
    /// The hub converted a part of the split only.
    pub(super) partial: bool,
}

/// The split of one word.
fn split_of(word: &str) -> Option<SplitName> {
    match word.to_ascii_lowercase().as_str() {
        "eval" | "evaluation" => Some(SplitName::Test),
        _ => SplitName::from_name(word),
    }
}

/// The split in a name of several words, and the words before it: the last word counts first, then
/// the first one, then the only one among them that is a split.
fn split_in(text: &str) -> Option<(SplitName, String)> {
    let words: Vec<(usize, &str)> = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
        .collect();
    let found: Vec<(usize, SplitName)> = words
        .iter()
        .filter_map(|(at, word)| Some((*at, split_of(word)?)))
        .collect();
    let is_at = |place: Option<&(usize, &str)>| {
        let (at, _) = place?;
        found.iter().find(|(found, _)| found == at).copied()
    };
    let (at, part) = is_at(words.last())
        .or_else(|| is_at(words.first()))
        .or_else(|| {
            let first = found.first().copied()?;
            found
                .iter()
                .all(|(_, part)| *part == first.1)
                .then_some(first)
        })?;
    let before = text[..at].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    Some((part, before.to_owned()))
}

/// `text` without a number behind `-`, `_` or `.`, or that is nothing but a number.
fn number_behind(text: &str) -> Option<(&str, usize)> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text[digits.len()..].parse().ok()?;
    let stem = digits
        .strip_suffix(['-', '_', '.'])
        .or(digits.is_empty().then_some(""))?;
    Some((stem, number))
}

/// `stem-00000-of-00002`, with or without a hash behind.
fn shard_of_many(text: &str) -> Option<(&str, usize, usize)> {
    let whole = |text: &'_ str| -> Option<(usize, usize, usize)> {
        let (rest, count) = number_behind(text)?;
        let rest = rest.strip_suffix("-of").or(rest.strip_suffix("_of"))?;
        let (stem, index) = number_behind(rest)?;
        Some((stem.len(), index, count))
    };
    let found = whole(text).or_else(|| {
        let (before, hash) = text.rsplit_once('-')?;
        let hex = hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if hex { whole(before) } else { None }
    });
    found.map(|(stem, index, count)| (&text[..stem], index, count))
}

/// The number of a file that Spark wrote: `part-00003-<id>.c000.snappy`.
fn spark(text: &str) -> Option<usize> {
    let (number, _) = text.strip_prefix("part-")?.split_once(['-', '.'])?;
    number.parse().ok()
}

/// Reads the name `text` of a file, without its ending, in `folder` (relative to the root, empty for
/// the root).
fn understand(folder: &str, text: &str) -> Name {
    let (stem, shard) = if let Some((stem, index, count)) = shard_of_many(text) {
        (stem, Some((index, Some(count))))
    } else if let Some(index) = spark(text) {
        ("part", Some((index, None)))
    } else if let Some((stem, index)) = number_behind(text) {
        (stem, Some((index, None)))
    } else {
        (text, None)
    };
    let mut config = folder.to_owned();
    let (mut part, mut by_folder, mut partial) = (split_of(stem), false, false);
    let mut prefix = String::new();
    if part.is_none()
        && let Some((found, before)) = split_in(stem)
    {
        part = Some(found);
        // `train_extra` is as much another split as `extra_train`
        prefix = if before.is_empty() {
            stem.to_owned()
        } else {
            before
        };
    }
    let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    let whole = last.strip_prefix("partial-").unwrap_or(last);
    if part.is_none() && split_of(whole).is_some() {
        partial = whole.len() < last.len();
        part = split_of(whole);
        by_folder = true;
        above.clone_into(&mut config);
    }
    // `data` is where the hub keeps the files of the only configuration
    if config == "data" {
        config.clear();
    } else if let Some(below) = config.strip_prefix("data/") {
        config = String::from(below);
    }
    Name {
        config,
        prefix,
        stem: stem.to_owned(),
        part,
        shard,
        by_folder,
        partial,
    }
}

/// A path in a folder; the root has an empty path.
pub(in crate::readers) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Split, configuration, what stands before the split, number and count of the shard.
    type Told = (
        Option<SplitName>,
        &'static str,
        &'static str,
        Option<(usize, Option<usize>)>,
    );

    #[test]
    fn every_form_that_was_ever_written_is_understood() {
        use SplitName::{Test, Train, Val};
        let one = Some((0, Some(1)));
        let forms: [(&str, &str, Told); 28] = [
            (
                "data",
                "train-00001-of-00002",
                (Some(Train), "", "", Some((1, Some(2)))),
            ),
            (
                "data",
                "test-00000-of-00001-8a3b2f1e9d7c6b5a",
                (Some(Test), "", "", one),
            ),
            ("", "validation-00000-of-00001", (Some(Val), "", "", one)),
            ("", "shapes-train", (Some(Train), "", "shapes", None)),
            ("", "my_set-test", (Some(Test), "", "my_set", None)),
            (
                "",
                "shapes-train-00000-of-00001",
                (Some(Train), "", "shapes", one),
            ),
            (
                "v2",
                "shapes-train-00000-of-00001",
                (Some(Train), "v2", "shapes", one),
            ),
            (
                "data",
                "train-00000",
                (Some(Train), "", "", Some((0, None))),
            ),
            ("", "test_3", (Some(Test), "", "", Some((3, None)))),
            ("", "train", (Some(Train), "", "", None)),
            ("", "Training", (Some(Train), "", "", None)),
            ("train", "0000", (Some(Train), "", "", Some((0, None)))),
            (
                "large/test",
                "0000",
                (Some(Test), "large", "", Some((0, None))),
            ),
            (
                "data/large",
                "train-00000-of-00001",
                (Some(Train), "large", "", one),
            ),
            (
                "default/partial-train",
                "0007",
                (Some(Train), "default", "", Some((7, None))),
            ),
            ("train", "part-00000-of-00001", (Some(Train), "", "", one)),
            ("", "train_images", (Some(Train), "", "train_images", None)),
            (
                "",
                "train_extra-00000-of-00001",
                (Some(Train), "", "train_extra", one),
            ),
            ("", "eval-00000-of-00001", (Some(Test), "", "", one)),
            ("", "dev", (Some(Val), "", "", None)),
            ("", "0000", (None, "", "", Some((0, None)))),
            ("data", "photos", (None, "", "", None)),
            ("data", "extra-00000-of-00001", (None, "", "", one)),
            ("", "train-test", (Some(Test), "", "train", None)),
            ("", "contest", (None, "", "", None)),
            ("", "00000-of-00002", (None, "", "", Some((0, Some(2))))),
            (
                "",
                "part-00003-tid-7.c000.snappy",
                (None, "", "", Some((3, None))),
            ),
            (
                "test",
                "part-00003-tid-7.c000.snappy",
                (Some(Test), "", "", Some((3, None))),
            ),
        ];
        for (folder, file, (part, config, prefix, shard)) in forms {
            let name = understand(folder, file);
            let found = (name.part, &*name.config, &*name.prefix, name.shard);
            assert_eq!(found, (part, config, prefix, shard), "{folder}/{file}");
        }
    }
}
