//! A set on disk beside its entry in the catalogue.

use serde::Serialize;

use super::finding::{Finding, Level, plural, some};
use crate::catalogue::{self, Entry, Suite};
use crate::format::Format;
use crate::metric::Metric;
use crate::task::Task;

/// A class that goes by another name than the catalogue's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// The label.
    pub label: usize,
    /// The catalogue's name.
    pub expected: String,
    /// The name in the set.
    pub found: String,
}

/// A split whose size differs from the catalogue's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountDifference {
    /// `train`, `val` or `test`.
    pub split: &'static str,
    /// The catalogue's number of images; 0 where the set should not have the split.
    pub expected: u64,
    /// Number of images in the set.
    pub found: u64,
}

/// How a set differs from its entry in the catalogue. Names are compared without case, and with
/// blanks for underscores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The entry, as `suite/name`.
    pub entry: String,
    /// Splits of another size.
    pub counts: Vec<CountDifference>,
    /// Number of classes that the entry has.
    pub expected_classes: usize,
    /// Number of classes that the set has.
    pub found_classes: usize,
    /// Whether the entry knows the names, so that the lists below say something.
    pub names_known: bool,
    /// Classes that the set lacks.
    pub missing: Vec<String>,
    /// Classes that the entry does not have.
    pub extra: Vec<String>,
    /// Classes of one label with two names, which are not in the lists above.
    pub renamed: Vec<Renamed>,
    /// Classes with another label than in the entry, where no class is missing or too many.
    pub moved: usize,
    /// The entry's metric, where the task has another one.
    pub metric: Option<Metric>,
    /// Whether one of the two allows several labels an image and the other does not.
    pub multi_label_differs: bool,
    /// What is known to go wrong with the set.
    pub traps: Vec<String>,
}

/// A class name without what does not matter: case, and underscores for blanks.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('_', " ")
}

/// Compares a task with an entry, or with the entry that its name finds in the suite of its layout.
/// Where the layout belongs to no suite, a name may be a coincidence: then an entry counts only if at
/// least half of the set's classes are in it.
pub(super) fn compare(task: &Task, entry: Option<&'static Entry>) -> Option<Comparison> {
    let named = |suite| catalogue::find_in(suite, &task.name);
    let found = entry.or_else(|| match task.provenance.format {
        Format::Elevater => named(Suite::Elevater).or_else(|| named(Suite::Imagenet)),
        Format::Coop => named(Suite::Coop).or_else(|| named(Suite::Imagenet)),
        Format::Given | Format::Synthetic => None,
        _ => catalogue::find(&task.name).filter(|entry| is_alike(task, entry)),
    })?;
    let mut comparison = classes(task, found);
    for (split, expected, images) in [
        ("train", &found.train, Some(task.train.samples.len())),
        (
            "val",
            &found.val,
            task.val.as_ref().map(|val| val.samples.len()),
        ),
        ("test", &found.test, Some(task.test.samples.len())),
    ] {
        let expected = expected.as_ref().map_or(0, |split| split.images);
        let images = images.unwrap_or(0) as u64;
        if expected != images {
            comparison.counts.push(CountDifference {
                split,
                expected,
                found: images,
            });
        }
    }
    comparison.metric = (task.metric != found.metric).then_some(found.metric);
    comparison.multi_label_differs = task.multi_label != found.multi_label;
    comparison.traps.clone_from(&found.traps);
    let own_layout = match task.provenance.format {
        Format::Elevater => found.suite == Suite::Elevater,
        Format::Coop => found.suite != Suite::Elevater,
        _ => false,
    };
    if own_layout {
        comparison.traps.extend(found.layout_traps.iter().cloned());
    }
    Some(comparison)
}

/// Whether at least half of a set's classes are in an entry.
fn is_alike(task: &Task, entry: &Entry) -> bool {
    match &entry.classes {
        Some(_) => 2 * classes(task, entry).extra_and_renamed() <= task.classes.len(),
        None => entry.class_count == task.classes.len(),
    }
}

fn classes(task: &Task, entry: &Entry) -> Comparison {
    let mut comparison = Comparison {
        entry: entry.full_name(),
        counts: Vec::new(),
        expected_classes: entry.class_count,
        found_classes: task.classes.len(),
        names_known: entry.classes.is_some(),
        missing: Vec::new(),
        extra: Vec::new(),
        renamed: Vec::new(),
        moved: 0,
        metric: None,
        multi_label_differs: false,
        traps: Vec::new(),
    };
    let Some(expected) = &entry.classes else {
        return comparison;
    };
    // every name of a class counts as its name
    let names = |label: usize| -> Vec<String> {
        match entry.synonyms.get(label) {
            Some(names) => names.iter().map(|name| plain(name)).collect(),
            None => vec![plain(&expected[label])],
        }
    };
    let all: Vec<Vec<String>> = (0..expected.len()).map(names).collect();
    let found: Vec<String> = task.classes.iter().map(|name| plain(name)).collect();
    let known: std::collections::BTreeSet<&String> = all.iter().flatten().collect();
    let there: std::collections::BTreeSet<&String> = found.iter().collect();
    let is_missing = |label: usize| !all[label].iter().any(|name| there.contains(name));
    let is_extra = |label: usize| !known.contains(&found[label]);
    let same_length = expected.len() == found.len();
    for label in 0..expected.len().max(found.len()) {
        let missing = label < expected.len() && is_missing(label);
        let extra = label < found.len() && is_extra(label);
        if same_length && missing && extra {
            comparison.renamed.push(Renamed {
                label,
                expected: expected[label].clone(),
                found: task.classes[label].clone(),
            });
            continue;
        }
        if missing {
            comparison.missing.push(expected[label].clone());
        }
        if extra {
            comparison.extra.push(task.classes[label].clone());
        }
    }
    if same_length {
        comparison.moved = (0..found.len())
            .filter(|&label| {
                !is_extra(label) && !is_missing(label) && !all[label].contains(&found[label])
            })
            .count();
    }
    comparison
}

impl Comparison {
    fn extra_and_renamed(&self) -> usize {
        self.extra.len() + self.renamed.len()
    }

    /// Whether the set is what the catalogue says.
    pub fn is_equal(&self) -> bool {
        self.counts.is_empty()
            && self.expected_classes == self.found_classes
            && self.missing.is_empty()
            && self.extra.is_empty()
            && self.renamed.is_empty()
            && self.moved == 0
            && self.metric.is_none()
            && !self.multi_label_differs
    }

    /// The differences and the traps in sentences.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let entry = &self.entry;
        let mut findings = Vec::new();
        let mut warn = |text: String| findings.push(Finding::new(Level::Warning, text));
        for CountDifference {
            split,
            expected,
            found,
        } in &self.counts
        {
            warn(match (expected, found) {
                (0, _) => format!("{split} has {found} images, {entry} has no such split"),
                (_, 0) => {
                    format!("there is no {split} split, {entry} has one of {expected} images")
                }
                _ => format!("{split} has {found} images, {entry} has {expected}"),
            });
        }
        if self.expected_classes != self.found_classes {
            let (found, expected) = (self.found_classes, self.expected_classes);
            warn(format!(
                "{}, {entry} has {expected}",
                plural(found, "class")
            ));
        }
        if !self.missing.is_empty() {
            let classes = plural(self.missing.len(), "class");
            warn(format!(
                "{classes} of {entry} are missing: {}",
                some(&self.missing)
            ));
        }
        if !self.extra.is_empty() {
            let classes = plural(self.extra.len(), "class");
            warn(format!(
                "{classes} that {entry} does not have: {}",
                some(&self.extra)
            ));
        }
        if let Some(first) = self.renamed.first() {
            warn(format!(
                "{} with other names than in {entry}, the first is {}: `{}` for `{}`",
                plural(self.renamed.len(), "class"),
                first.label,
                first.found,
                first.expected
            ));
        }
        if self.moved > 0 {
            warn(format!(
                "{} with another label than in {entry}, as sets have whose classes are sorted otherwise",
                plural(self.moved, "class")
            ));
        }
        if let Some(metric) = self.metric {
            warn(format!(
                "{entry} is judged by {metric}, this task by another metric"
            ));
        }
        if self.multi_label_differs {
            warn(format!(
                "{entry} differs in whether an image may have several labels"
            ));
        }
        findings.extend(
            self.traps
                .iter()
                .map(|trap| Finding::new(Level::Note, trap.clone())),
        );
        findings
    }
}
