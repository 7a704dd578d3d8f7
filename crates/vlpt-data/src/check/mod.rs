//! A look at every image and label of a task before hours are spent on it.
//!
//! [`check`] reads every image once, in parallel, and says what it found: sizes, broken files, the
//! same image twice, labels that cannot be, and how the set differs from its entry in the catalogue.
//! The report is the same whatever the number of threads.

mod classes;
mod compare;
mod duplicates;
mod finding;
mod headers;
mod labels;
mod options;
mod render;
mod report;
mod scan;
mod warn;

pub use compare::{Comparison, CountDifference, Renamed};
pub use duplicates::{Duplicate, Overlap, Place, Sameness};
pub use finding::{Finding, Level};
pub use options::CheckOptions;
pub use report::{CheckReport, SplitReport};
pub use scan::{Broken, Range, Sizes};
pub use warn::warnings;

use crate::image::DecodeOptions;
use crate::task::{Split, Task};

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
    findings.extend(headers::findings(
        &scan::headers(&splits, &scans),
        &DecodeOptions::default(),
    ));
    let (duplicates, overlaps) = duplicates::find(&splits, &scans);
    findings.extend(duplicates::findings(&splits, &duplicates, &overlaps));
    // half of a set's classes are not what its entry describes
    let whole = task.provenance.class_subset.is_all();
    let catalogue = whole
        .then(|| compare::compare(task, options.entry))
        .flatten();
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
