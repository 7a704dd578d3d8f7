//! What the catalogue knows of a set that was just read.

use crate::task::Metric;

pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) metric: Metric,
    pub(super) multi_label: bool,
}

pub(super) fn find(_name: &str, _folder: &str, _classes: &[String]) -> Option<&'static Entry> {
    None
}

pub(super) fn templates(_entry: &Entry) -> Vec<String> {
    Vec::new()
}

pub(super) fn classes(_entry: &Entry) -> Vec<String> {
    Vec::new()
}
