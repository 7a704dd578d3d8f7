//! Figures that others published, to be put beside one's own.
//!
//! They are one file, `docs/results/published.csv`: a line a figure, with its source and whether it was
//! read there. `docs/results/published.md` says what may be compared with what, and
//! [`comparable`] gives these notes for printing under a table.

mod beside;

use std::sync::OnceLock;

use serde::Deserialize;

use crate::{Result, TablesError};

pub use beside::{Ours, beside};

/// The file, part of the program.
const FILE: &str = include_str!("../../../../docs/results/published.csv");
/// The page about it.
const PAGE: &str = include_str!("../../../../docs/results/published.md");
/// The heading of its notes.
const NOTES: &str = "## What is comparable\n";

/// A published figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The method's name, as its authors write it.
    pub method: String,
    /// What was trained on what and judged on what, such as `base-to-new`; ViT-B/16 where nothing else
    /// is said.
    pub protocol: String,
    /// A data set, in the catalogue's spelling, or an average over several.
    pub dataset: String,
    /// Training images a class; 0 for none.
    pub shots: usize,
    /// What the value is: `accuracy`, `base`, `new`, `harmonic-mean` or `score`.
    pub measure: String,
    /// The value, in percent.
    pub value: f64,
    /// Where it was read, or of whom it is said.
    pub source: String,
    /// Whether it was read in the source.
    #[serde(deserialize_with = "yes_or_no")]
    pub verified: bool,
    /// What a reader must know of it; can be empty.
    pub note: String,
}

impl Published {
    /// The name of the method as this program has it: in small letters, `-` between words.
    pub fn key(&self) -> String {
        key(&self.method)
    }
}

/// A method's name as this program has it: in small letters, `-` between words.
pub(crate) fn key(method: &str) -> String {
    method.to_lowercase().replace(' ', "-")
}

fn yes_or_no<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<bool, D::Error> {
    match <&str>::deserialize(deserializer)? {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(serde::de::Error::custom(format!(
            "`{other}`: expected yes or no"
        ))),
    }
}

/// All figures, in the order of the file.
pub fn published() -> &'static [Published] {
    static ALL: OnceLock<Vec<Published>> = OnceLock::new();
    ALL.get_or_init(|| read(FILE, "docs/results/published.csv").unwrap_or_default())
}

/// Reads figures in the layout of the file; `place` is what errors call it.
///
/// # Errors
/// The first line that is none: a wrong head, a field that is missing, a value that is no percentage,
/// a method, protocol, data set, shots, measure and source that are there already.
pub fn read(text: &str, place: &str) -> Result<Vec<Published>> {
    let bad = |line: u64, what: String| TablesError::Published {
        place: place.to_owned(),
        line,
        what,
    };
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let mut all: Vec<Published> = Vec::new();
    let mut seen = std::collections::BTreeMap::new();
    let head = lines
        .headers()
        .map_err(|error| bad(1, error.to_string()))?
        .clone();
    let mut record = csv::StringRecord::new();
    while lines
        .read_record(&mut record)
        .map_err(|error| bad(lines_of(&error), error.to_string()))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let figure: Published = record
            .deserialize(Some(&head))
            .map_err(|error| bad(line, error.to_string()))?;
        if !(0.0..=100.0).contains(&figure.value) {
            let what = format!("the value {}, expected 0 to 100 percent", figure.value);
            return Err(bad(line, what));
        }
        if [
            &figure.method,
            &figure.protocol,
            &figure.dataset,
            &figure.measure,
            &figure.source,
        ]
        .iter()
        .any(|field| field.trim().is_empty())
        {
            return Err(bad(
                line,
                "an empty field, expected one in all but `note`".to_owned(),
            ));
        }
        let key = [
            &*figure.method,
            &figure.protocol,
            &figure.dataset,
            &figure.shots.to_string(),
            &figure.measure,
            &figure.source,
        ]
        .join("\u{1f}");
        if let Some(first) = seen.insert(key, line) {
            return Err(bad(line, format!("the figure of line {first} again")));
        }
        all.push(figure);
    }
    Ok(all)
}

fn lines_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}

/// Notes on what may be compared with what, as a Markdown list to print under a table.
pub fn comparable() -> &'static str {
    let after = PAGE.split_once(NOTES).map_or("", |(_, after)| after);
    let end = after.find("\n## ").unwrap_or(after.len());
    after[..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "method,protocol,dataset,shots,measure,value,source,verified,note\n";

    #[test]
    fn the_file_is_whole() {
        let all = read(FILE, "published.csv").unwrap();
        assert_eq!(all.len(), published().len());
        assert!(all.len() > 300, "{}", all.len());
        let known = ["accuracy", "base", "new", "harmonic-mean", "score"];
        for figure in &all {
            assert!(known.contains(&&*figure.measure), "{figure:?}");
            assert!(figure.shots <= 20, "{figure:?}");
        }
        assert!(all.iter().any(|figure| !figure.verified));
    }

    /// A harmonic mean is that of the two averages, or its note says that it was printed otherwise.
    #[test]
    fn harmonic_means_fit_their_averages() {
        let of = |like: &Published, measure: &str| {
            let same = |other: &&Published| {
                other.measure == measure
                    && (&other.method, &other.dataset, &other.source)
                        == (&like.method, &like.dataset, &like.source)
            };
            published().iter().find(same).map(|figure| figure.value)
        };
        let mut checked = 0;
        for figure in published().iter().filter(|f| f.measure == "harmonic-mean") {
            let (Some(base), Some(new)) = (of(figure, "base"), of(figure, "new")) else {
                continue;
            };
            let mean = 2.0 * base * new / (base + new);
            let fits = (mean - figure.value).abs() < 0.0151;
            let said = figure.note.contains(&format!("{mean:.2}"));
            assert!(fits != said, "{figure:?}: {mean}");
            checked += 1;
        }
        assert!(checked > 40, "{checked}");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let message = |lines: &str| {
            read(&format!("{HEAD}{lines}"), "FILE")
                .unwrap_err()
                .to_string()
        };
        let line = "A,few-shot,EuroSAT,1,accuracy,50.00,x,yes,\n";
        assert!(read(&format!("{HEAD}{line}"), "FILE").is_ok());
        assert_eq!(
            message(&line.repeat(2)),
            "FILE, line 3: the figure of line 2 again"
        );
        let wrong = |from: &str, to: &str| message(&line.replace(from, to));
        assert_eq!(
            wrong("50.00", "150"),
            "FILE, line 2: the value 150, expected 0 to 100 percent"
        );
        assert!(wrong("yes", "maybe").contains("expected yes or no"));
        assert!(wrong("50.00", "NaN").contains("the value NaN"));
        assert!(wrong("A,", ",").contains("an empty field"));
        assert!(wrong(",yes", "").starts_with("FILE, line 2: "));
        assert!(read("method,value\nA,1\n", "FILE").is_err());
    }

    #[test]
    fn the_notes_are_those_of_the_page() {
        assert!(comparable().starts_with("* "), "{}", comparable());
        assert!(comparable().lines().count() >= 6);
        assert!(!comparable().contains("##"));
    }
}
