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
                .hint("texts need words: name the classes in a class file, one a line in the order of the labels"),
        );
    }
    // digits are the names of digits, but numbers of several figures are hardly anyone's names
    let numbers = of(|name| name.parse::<u64>().is_ok());
    if numbers.len() == names.len() && names.len() != 10 {
        findings.push(
            Finding::new(Level::Warning, format!("class names are numbers: {}", some(&numbers)))
                .hint("texts need words: name the classes in a class file, one a line in the order of the labels"),
        );
    }
    findings
}

/// `n` and eight digits, as ImageNet's folders are called.
fn is_wordnet_id(name: &str) -> bool {
    name.len() == 9 && name.starts_with('n') && name[1..].bytes().all(|byte| byte.is_ascii_digit())
}
