//! What the catalogue knows of a set that was just read.

use std::collections::BTreeSet;

use crate::catalogue::{self, Entry, Suite};
use crate::format::Format;

/// The entry of a set, asked for in this order: the name that the user gave; the name that the
/// reader found (in the suite of its layout); the list of classes.
///
/// A layout of a suite is trusted, so that a subset of a benchmark is still that benchmark. In
/// other layouts a folder's name counts only if all its classes are among the entry's, and a list
/// of classes only if it has exactly the entry's names, in any order and spelling.
pub(super) fn find(
    named: Option<&str>,
    found: &str,
    format: Format,
    classes: &[String],
) -> Option<&'static Entry> {
    let suites: &[Suite] = match format {
        Format::Elevater => &[Suite::Elevater],
        Format::Coop => &[Suite::Coop, Suite::Imagenet],
        _ => &[],
    };
    let in_suites = |name: &str| suites.iter().find_map(|s| catalogue::find_in(*s, name));
    let own: BTreeSet<String> = classes.iter().map(|class| plain(class)).collect();
    let holds = |entry: &&Entry| {
        let known: BTreeSet<String> = names(entry).collect();
        known.is_superset(&own)
    };
    let equal = |entry: &&Entry| {
        entry.class_count == classes.len() && holds(entry) && own.len() == classes.len()
    };
    named
        .and_then(|name| in_suites(name).or_else(|| catalogue::find(name)))
        .or_else(|| in_suites(found))
        .or_else(|| catalogue::find(found).filter(|entry| holds(entry)))
        .or_else(|| catalogue::entries().iter().find(equal))
}

/// A name without case and separators, to compare spellings.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn names(entry: &Entry) -> impl Iterator<Item = String> {
    let synonyms = entry.synonyms.iter().flatten();
    entry
        .classes
        .iter()
        .flatten()
        .chain(synonyms)
        .map(|name| plain(name))
}
