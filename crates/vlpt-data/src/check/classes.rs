//! Class names that make bad texts.

use std::collections::BTreeMap;

use super::finding::{Finding, Level, some};
use crate::task::Task;

pub(super) fn findings(task: &Task) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names = &task.classes;
    if names.is_empty() {
        findings.push(Finding::new(Level::Error, "the set has no classes"));
        return findings;
    }
    if let Some(empty) = names.iter().position(|name| name.trim().is_empty()) {
        findings.push(Finding::new(
            Level::Error,
            format!("class {empty} has no name"),
        ));
    }
    let broken: Vec<String> = names
        .iter()
        .filter(|name| name.contains(['\n', '\r']))
        .map(|name| name.escape_debug().to_string())
        .collect();
    if !broken.is_empty() {
        let text = format!("class names with a line break: {}", some(&broken));
        findings.push(Finding::new(Level::Error, text).hint(
            "a prompt keeps one name a line: rename the class, or name it with --class-file",
        ));
    }
    if names.len() == 1 {
        let text = format!("`{}` is the only class", names[0]);
        findings.push(
            Finding::new(Level::Warning, text).hint(
                "with one answer every image is right: are all labels read as they should be?",
            ),
        );
    }
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (label, name) in names.iter().enumerate() {
        places
            .entry(super::compare::plain(name))
            .or_default()
            .push(label);
    }
    for labels in places.values().filter(|labels| labels.len() > 1) {
        let text = format!("classes {labels:?} are all called `{}`", names[labels[0]]);
        findings.push(Finding::new(Level::Warning, text).hint(
            "no text can tell them apart: give them names that differ, or make them one class",
        ));
    }
    let of = |wanted: fn(&str) -> bool| -> Vec<&String> {
        names.iter().filter(|name| wanted(name)).collect()
    };
    let ids = of(is_wordnet_id);
    if !ids.is_empty() {
        findings.push(
            Finding::new(Level::Warning, format!("class names are WordNet ids: {}", some(&ids)))
                .hint("texts need words: name the classes in a file for --class-file, one a line in the order of the labels"),
        );
    }
    // digits are the names of digits, but numbers of several figures are hardly anyone's names
    let numbers = of(|name| name.parse::<u64>().is_ok());
    if numbers.len() == names.len() && names.len() != 10 {
        findings.push(
            Finding::new(Level::Warning, format!("class names are numbers: {}", some(&numbers)))
                .hint("texts need words: name the classes in a file for --class-file, one a line in the order of the labels"),
        );
    }
    findings.extend(unlike_names(task));
    findings
}

/// Texts that stand in tables where there is no label.
const NO_LABELS: [&str; 8] = ["nan", "na", "n/a", "null", "none", "nil", "-", "?"];

/// Labels that were read as one name each, and may be something else.
fn unlike_names(task: &Task) -> Vec<Finding> {
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<&String> {
        let names = task.classes.iter();
        names.filter(|name| wanted(name)).collect()
    };
    let mut findings = Vec::new();
    let absent = of(&|name| NO_LABELS.contains(&&*name.trim().to_lowercase()));
    if !absent.is_empty() {
        let text = format!(
            "class names that look like no label at all: {}",
            some(&absent)
        );
        findings.push(
            Finding::new(Level::Warning, text)
                .hint("take these images out of the set, or name the class by a word"),
        );
    }
    // in a set of several labels an image the names have been taken apart already
    let joined = of(&|name| !task.multi_label && name.contains(['|', ';']));
    if !joined.is_empty() {
        let text = format!(
            "class names that look like several labels in one: {}",
            some(&joined)
        );
        findings.push(
            Finding::new(Level::Warning, text)
                .hint("each is read as one class: in a table, --label-separator says what stands between labels"),
        );
    }
    findings
}

/// `n` and eight digits, as ImageNet's folders are called.
fn is_wordnet_id(name: &str) -> bool {
    name.len() == 9 && name.starts_with('n') && name[1..].bytes().all(|byte| byte.is_ascii_digit())
}
