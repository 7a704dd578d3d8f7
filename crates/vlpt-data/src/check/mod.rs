//! A look at every image and label of a task before hours are spent on it.
//!
//! [`check`] reads every image once, in parallel, and says what it found: sizes, broken files, the
//! same image twice, labels that cannot be, and how the set differs from its entry in the catalogue.
//! The report is the same whatever the number of threads.

mod classes;
mod compare;
mod duplicates;
mod labels;
mod render;
mod scan;

use serde::Serialize;

pub use compare::{Comparison, CountDifference, Renamed};
pub use duplicates::{Duplicate, Overlap, Place, Sameness};
pub use scan::{Broken, Range, Sizes};

use crate::catalogue::Entry;
use crate::image::Limits;
use crate::task::{MadeSplit, Metric, Split, Task};

/// What to look at. The default decodes every image and compares files byte for byte.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Decode the images: finds broken ones, and sizes. Without it files are only read.
    pub decode: bool,
    /// Compare decoded pixels too, so that one picture in two files is found.
    pub pixels: bool,
    /// The catalogue's entry to compare with, where the task's name does not find it.
    pub entry: Option<&'static Entry>,
    /// Limits of the decoder.
    pub limits: Limits,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            decode: true,
            pixels: false,
            entry: None,
            limits: Limits::default(),
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The set cannot be used as it is.
    Error,
    /// Results may mislead.
    Warning,
    /// Worth knowing.
    Note,
}

/// One sentence of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// A way out, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    fn new(level: Level, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One split of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// `train`, `val` or `test`.
    pub name: &'static str,
    /// Number of images.
    pub images: usize,
    /// Number of images of each class, in the order of the labels.
    pub class_counts: Vec<usize>,
    /// Images without a label.
    pub negatives: usize,
    /// Sizes and formats of the images that could be decoded.
    pub sizes: Option<Sizes>,
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Name of the task.
    pub task: String,
    /// Folder or file that was read.
    pub root: String,
    /// Layout that was read.
    pub format: String,
    /// The class names.
    pub classes: Vec<String>,
    /// The task's metric.
    pub metric: Metric,
    /// Whether images may show several classes.
    pub multi_label: bool,
    /// What the reader had to decide.
    pub notes: Vec<String>,
    /// The split that was made, where the set brings none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_split: Option<MadeSplit>,
    /// The splits.
    pub splits: Vec<SplitReport>,
    /// Images that cannot be read or decoded, in the order of the task.
    pub broken: Vec<Broken>,
    /// Groups of equal images, in the order of the first of each.
    pub duplicates: Vec<Duplicate>,
    /// Images that two splits share.
    pub overlaps: Vec<Overlap>,
    /// The difference from the catalogue, where the set has an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Comparison>,
    /// All that is to be said, errors first.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Number of findings of a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// Whether anything makes the set unusable as it is.
    pub fn has_errors(&self) -> bool {
        self.count(Level::Error) > 0
    }
}

/// Looks at every image and label of a task. `progress` is called with the number of images done and
/// of all images, from any thread and not always in order.
///
/// Images are read one a thread, so memory is bounded by the largest few images.
pub fn check(
    task: &Task,
    options: &CheckOptions,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> CheckReport {
    let splits = splits_of(task);
    let scans = scan::scan(&splits, options, progress);
    let mut findings = classes::findings(task);
    findings.extend(labels::findings(task, &splits));
    let broken = scan::broken(&splits, &scans);
    findings.extend(scan::findings(&broken));
    let (duplicates, overlaps) = duplicates::find(&splits, &scans);
    findings.extend(duplicates::findings(&splits, &duplicates, &overlaps));
    let catalogue = compare::compare(task, options.entry);
    findings.extend(catalogue.iter().flat_map(Comparison::findings));
    findings.extend(
        task.provenance
            .notes
            .iter()
            .map(|note| Finding::new(Level::Note, note.clone())),
    );
    findings.sort_by_key(|finding| finding.level);
    CheckReport {
        task: task.name.clone(),
        root: task.provenance.root.display().to_string(),
        format: task.provenance.format.name().to_owned(),
        classes: task.classes.clone(),
        metric: task.metric,
        multi_label: task.multi_label,
        notes: task.provenance.notes.clone(),
        made_split: task.provenance.made_split.clone(),
        splits: splits
            .iter()
            .zip(&scans)
            .map(|(&(name, split), scans)| SplitReport {
                name,
                images: split.samples.len(),
                class_counts: split.class_counts(task.classes.len()),
                negatives: split
                    .samples
                    .iter()
                    .filter(|sample| sample.labels.is_empty())
                    .count(),
                sizes: scan::sizes(scans),
            })
            .collect(),
        broken,
        duplicates,
        overlaps,
        catalogue,
        findings,
    }
}

/// The splits of a task that it has, by name.
fn splits_of(task: &Task) -> Vec<(&'static str, &Split)> {
    let val = task.val.as_ref().map(|val| ("val", val));
    [("train", &task.train)]
        .into_iter()
        .chain(val)
        .chain([("test", &task.test)])
        .collect()
}

/// `1 image`, `2 images`.
fn plural(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "class") => format!("{count} classes"),
        _ => format!("{count} {noun}s"),
    }
}

/// The first few of a list, and how many more there are.
fn some<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    let last = shown.pop().unwrap_or_default();
    let text = if shown.is_empty() {
        last
    } else {
        format!("{}, {last}", shown.join(", "))
    };
    match names.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
