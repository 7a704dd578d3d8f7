//! Where the sets come from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::entries::Entry;

/// Where a set comes from: nothing is downloaded by this program, so this is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The page of the set, or of who spreads it.
    pub page: String,
    /// Ways to get it in a layout that is read, the nearest to the published one first.
    pub ways: Vec<String>,
}

static SOURCES: LazyLock<BTreeMap<String, Source>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../catalogue/sources.json"))
        .expect("the file is part of the program, and a test reads it")
});

impl Entry {
    /// Where the set comes from.
    pub fn source(&self) -> Option<&'static Source> {
        SOURCES.get(&self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::entries;

    #[test]
    fn every_entry_says_where_it_comes_from_and_no_source_is_of_nothing() {
        for entry in entries() {
            let source = entry.source().expect(&entry.name);
            assert!(source.page.starts_with("http"), "{}", entry.name);
            assert!(!source.ways.is_empty(), "{}", entry.name);
        }
        for title in SOURCES.keys() {
            assert!(
                entries().iter().any(|entry| entry.title == *title),
                "{title}"
            );
        }
    }
}
