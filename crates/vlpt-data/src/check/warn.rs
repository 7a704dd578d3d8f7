//! What a data set should be warned of before work is spent on it, told cheaply.
//!
//! Labels and class names are looked at whole; of the images only the headers of a few, spread over
//! the set, so that a set of a million images takes no longer than one of some hundred.

use std::fmt;

use super::finding::{Finding, Level};
use super::{classes, headers, labels, splits_of};
use crate::image::DecodeOptions;
use crate::task::Task;

/// The warnings of [`check`](super::check()) that need no image to be decoded, errors among them, in
/// sentences with their ways out. `chosen` is how the images will be decoded.
pub fn warnings(task: &Task, chosen: &DecodeOptions) -> Vec<Finding> {
    let splits = splits_of(task);
    let mut findings = classes::findings(task);
    findings.extend(labels::findings(task, &splits));
    findings.extend(headers::findings(
        &headers::look(&splits, headers::FEW),
        chosen,
    ));
    findings.retain(|finding| finding.level != Level::Note);
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
