//! Labels that cannot be, and splits and classes without images.

use super::finding::{Finding, Level, plural, some};
use crate::task::{Split, Task};

pub(super) fn findings(task: &Task, splits: &[(&'static str, &Split)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let classes = task.classes.len();
    for &split in splits {
        let beyond = |labels: &[u32]| labels.iter().any(|&label| label as usize >= classes);
        let what = format!("a label that is no class (there are {classes})");
        findings.extend(count(split, &what, beyond));
        if !task.multi_label {
            findings.extend(count(split, "no label", <[u32]>::is_empty));
            let what = "several labels in a task of one label an image";
            findings.extend(count(split, what, |labels| labels.len() > 1));
        }
        let twice = |labels: &[u32]| (1..labels.len()).any(|at| labels[..at].contains(&labels[at]));
        findings.extend(count(split, "one label twice", twice));
    }
    for &(name, split) in splits {
        if split.samples.is_empty() {
            let text = format!("the {name} split has no images");
            findings.push(Finding::new(Level::Warning, text));
            continue;
        }
        let counts = split.class_counts(classes);
        let empty: Vec<&String> = task
            .classes
            .iter()
            .zip(&counts)
            .filter(|&(_, &n)| n == 0)
            .map(|(class, _)| class)
            .collect();
        if !empty.is_empty() {
            let text = format!(
                "{} without images in {name}: {}",
                plural(empty.len(), "class"),
                some(&empty)
            );
            findings.push(Finding::new(Level::Warning, text));
        }
        let tiny: Vec<&String> = task
            .classes
            .iter()
            .zip(&counts)
            .filter(|&(_, &n)| n == 1)
            .map(|(class, _)| class)
            .collect();
        if name == "train" && !tiny.is_empty() {
            let text = format!(
                "{} with a single image in train: {}",
                plural(tiny.len(), "class"),
                some(&tiny)
            );
            findings.push(Finding::new(Level::Warning, text));
        }
    }
    findings
}

/// An error for the images of a split whose labels are `wrong`: they are images with `what`.
fn count(
    (name, split): (&str, &Split),
    what: &str,
    wrong: impl Fn(&[u32]) -> bool,
) -> Option<Finding> {
    let mut found = split.samples.iter().filter(|sample| wrong(&sample.labels));
    let first = found.next()?;
    let images = plural(1 + found.count(), &format!("{name} image"));
    let (id, labels) = (first.image.id(), &first.labels);
    let text = format!("{images} with {what}, the first is {id} ({labels:?})");
    Some(Finding::new(Level::Error, text))
}
