//! Labels that cannot be, and splits and classes without images.

use super::{Finding, Level, plural, some};
use crate::task::{Split, Task};

pub(super) fn findings(task: &Task, splits: &[(&'static str, &Split)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let classes = task.classes.len();
    for &(name, split) in splits {
        let beyond = |labels: &[u32]| labels.iter().any(|&label| label as usize >= classes);
        count(&mut findings, split, &beyond, |images, first| {
            format!(
                "{images} of {name} have a label that is no class (there are {classes}), the first is {first}"
            )
        });
        if !task.multi_label {
            count(
                &mut findings,
                split,
                &|labels| labels.is_empty(),
                |images, first| format!("{images} of {name} have no label, the first is {first}"),
            );
            count(
                &mut findings,
                split,
                &|labels| labels.len() > 1,
                |images, first| {
                    format!(
                        "{images} of {name} have several labels in a task of one label an image, the first is {first}"
                    )
                },
            );
        }
        let twice = |labels: &[u32]| (1..labels.len()).any(|at| labels[..at].contains(&labels[at]));
        count(&mut findings, split, &twice, |images, first| {
            format!("{images} of {name} have one label twice, the first is {first}")
        });
    }
    for &(name, split) in splits {
        if split.items.is_empty() {
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
    }
    findings
}

/// An error for the images of a split whose labels are `wrong`.
fn count(
    findings: &mut Vec<Finding>,
    split: &Split,
    wrong: &dyn Fn(&[u32]) -> bool,
    say: impl FnOnce(String, String) -> String,
) {
    let mut found = split.items.iter().filter(|item| wrong(&item.labels));
    if let Some(first) = found.next() {
        let images = plural(1 + found.count(), "image");
        let first = format!("{} ({:?})", first.image.id(), first.labels);
        findings.push(Finding::new(Level::Error, say(images, first)));
    }
}
