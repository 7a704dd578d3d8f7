//! What a data set should be warned of before work is spent on it, told cheaply.
//!
//! Labels and class names are looked at whole; of the images only the headers of a few, spread over
//! the set, so that a set of a million images takes no longer than one of some hundred.

use std::fmt;

use super::finding::{Finding, Level};
use super::{classes, headers, labels, splits_of};
use crate::format::Format;
use crate::image::DecodeOptions;
use crate::task::Task;

/// The warnings of [`check`](super::check()) that need no image to be decoded, errors among them, in
/// sentences with their ways out; then, as notes, what the reader decided. A split without images is
/// for the command that needs it to say. `chosen` is how the images will be decoded.
pub fn warnings(task: &Task, chosen: &DecodeOptions) -> Vec<Finding> {
    let mut splits = splits_of(task);
    splits.retain(|(_, split)| !split.samples.is_empty());
    let mut findings = classes::findings(task);
    findings.extend(labels::findings(task, &splits));
    findings.extend(headers::findings(
        &headers::look(&splits, headers::FEW),
        chosen,
    ));
    findings.retain(|finding| finding.level != Level::Note);
    if task.provenance.format != Format::Synthetic {
        let notes = task.provenance.notes.iter();
        findings.extend(notes.map(|note| Finding::new(Level::Note, note)));
    }
    findings.sort_by_key(|finding| finding.level);
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
