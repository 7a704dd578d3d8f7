//! Finding an entry by the name that a user, a folder or another tool gives it.

use super::entries::{Entry, Suite, entries};

/// Prefixes of other tools: CLIP_benchmark's archives and its names for VTAB.
const PREFIXES: [&str; 4] = ["wds_", "wds/", "wds-", "vtab/"];

/// The entry of this name.
///
/// `elevater/`, `coop/` or `imagenet/` before the name chooses the suite. Without it the first match
/// counts, in the order: the exact name; an exact alias; name, alias or folder whatever the case,
/// `-`, `_`, blanks and a version such as `_20211007`. So `caltech-101` is ELEVATER's set, and
/// `Caltech101` and `caltech101` are CoOp's.
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name.trim();
    if let Some((suite, rest)) = name.split_once(['/', ':'])
        && let Some(suite) = Suite::ALL
            .into_iter()
            .find(|s| s.name().eq_ignore_ascii_case(suite))
    {
        return find_in(suite, rest);
    }
    search(&entries().iter().collect::<Vec<_>>(), name)
}

/// The entry of this name in one suite, found as by [`find`].
pub fn find_in(suite: Suite, name: &str) -> Option<&'static Entry> {
    let own: Vec<&Entry> = entries()
        .iter()
        .filter(|entry| entry.suite == suite)
        .collect();
    search(&own, name.trim())
}

fn search(among: &[&'static Entry], name: &str) -> Option<&'static Entry> {
    let bare = PREFIXES
        .into_iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    let plain = plain(name);
    let bare_plain = bare.map(self::plain);
    let first = |wanted: &dyn Fn(&Entry) -> bool| among.iter().copied().find(|entry| wanted(entry));
    first(&|e| e.name == name)
        .or_else(|| first(&|e| e.aliases.iter().any(|alias| alias == name)))
        .or_else(|| first(&|e| names(e).any(|own| self::plain(own) == plain)))
        .or_else(|| first(&|e| names(e).any(|own| Some(self::plain(own)) == bare_plain)))
}

/// All names of an entry, its folders among them.
fn names(entry: &Entry) -> impl Iterator<Item = &String> {
    std::iter::once(&entry.name)
        .chain(&entry.aliases)
        .chain(&entry.folders)
}

/// A name without case, separators and a date at its end.
fn plain(name: &str) -> String {
    let name = match name.rsplit_once('_') {
        Some((rest, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => name,
    };
    name.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Up to three entries with names like this one, the most alike first.
pub fn suggest(name: &str) -> Vec<&'static Entry> {
    let wanted = plain(name.rsplit(['/', ':']).next().unwrap_or(name));
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut near: Vec<(usize, &Entry)> = entries()
        .iter()
        .filter_map(|entry| {
            let distance = names(entry)
                .map(|own| {
                    let own = plain(own);
                    if own.contains(&wanted) || wanted.contains(&own) {
                        return 1;
                    }
                    strsim::damerau_levenshtein(&own, &wanted)
                })
                .min()?;
            (distance <= 1 + wanted.chars().count() / 4).then_some((distance, entry))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(3).map(|(_, entry)| entry).collect()
}
