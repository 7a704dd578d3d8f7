//! Files that have come, until they are complete: unchanged in size and time for a while.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// How long an empty file may wait for its bytes.
const EMPTY: Duration = Duration::from_secs(30);

/// What tells a file from one of the same name before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub(super) changed: i64,
}

impl Version {
    /// Of the file as it is now; none where there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let about = fs_err::metadata(path).ok()?;
        let changed = about.modified().ok()?;
        let nanoseconds = match changed.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i64,
            Err(before) => -(before.duration().as_nanos() as i64),
        };
        about.is_file().then_some(Self {
            size: about.len(),
            changed: nanoseconds,
        })
    }
}

/// Files that may still be written to, by their paths below the folder.
#[derive(Debug)]
pub(super) struct Arrivals {
    settle: Duration,
    waiting: BTreeMap<PathBuf, (Version, Instant)>,
}

impl Arrivals {
    /// Files are complete once they are the same for `settle`.
    pub(super) fn new(settle: Duration) -> Self {
        Self {
            settle,
            waiting: BTreeMap::new(),
        }
    }

    /// A file was seen.
    pub(super) fn seen(&mut self, path: PathBuf, version: Version, now: Instant) {
        match self.waiting.get_mut(&path) {
            Some((before, _)) if *before == version => {}
            Some(waiting) => *waiting = (version, now),
            None => {
                self.waiting.insert(path, (version, now));
            }
        }
    }

    /// Takes out the files that are complete, in the order of their paths; `look` says what a file is now.
    pub(super) fn complete(
        &mut self,
        now: Instant,
        look: impl Fn(&Path) -> Option<Version>,
    ) -> Vec<(PathBuf, Version)> {
        let settle = self.settle;
        let mut complete = Vec::new();
        self.waiting.retain(|path, (version, since)| {
            if now < *since + wait(settle, *version) {
                return true;
            }
            match look(path) {
                Some(found) if found == *version => {
                    complete.push((path.clone(), *version));
                    false
                }
                Some(found) => {
                    (*version, *since) = (found, now);
                    true
                }
                None => false, // gone again
            }
        });
        complete
    }

    /// When the next file may be complete.
    pub(super) fn next(&self) -> Option<Instant> {
        let due = |(version, since): &(Version, Instant)| *since + wait(self.settle, *version);
        self.waiting.values().map(due).min()
    }
}

fn wait(settle: Duration, version: Version) -> Duration {
    match version.size {
        0 => settle.max(EMPTY),
        _ => settle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn version(size: u64) -> Version {
        Version { size, changed: 7 }
    }

    #[test]
    fn a_file_is_complete_once_it_stays_as_it_is() {
        let mut arrivals = Arrivals::new(SECOND);
        let start = Instant::now();
        arrivals.seen("b".into(), version(1), start);
        arrivals.seen("a".into(), version(5), start);
        assert!(arrivals.complete(start, |_| Some(version(1))).is_empty());
        // `a` has grown meanwhile
        let grown = |path: &Path| Some(version(if path.ends_with("a") { 6 } else { 1 }));
        let later = start + SECOND;
        assert_eq!(arrivals.next(), Some(later));
        assert_eq!(arrivals.complete(later, grown), [("b".into(), version(1))]);
        assert!(arrivals.complete(later, grown).is_empty());
        let last = later + SECOND;
        assert_eq!(arrivals.complete(last, grown), [("a".into(), version(6))]);
        assert_eq!(arrivals.next(), None);
    }

    #[test]
    fn what_is_seen_again_unchanged_does_not_wait_longer() {
        let mut arrivals = Arrivals::new(SECOND);
        let start = Instant::now();
        arrivals.seen("a".into(), version(1), start);
        arrivals.seen("a".into(), version(1), start + SECOND / 2);
        let complete = arrivals.complete(start + SECOND, |_| Some(version(1)));
        assert_eq!(complete.len(), 1);
        arrivals.seen("b".into(), version(1), start);
        assert!(arrivals.complete(start + SECOND, |_| None).is_empty());
        assert_eq!(arrivals.next(), None, "a file that is gone is forgotten");
    }

    #[test]
    fn an_empty_file_waits_for_its_bytes() {
        let mut arrivals = Arrivals::new(SECOND);
        let start = Instant::now();
        arrivals.seen("a".into(), version(0), start);
        let empty = |_: &Path| Some(version(0));
        assert!(arrivals.complete(start + 2 * SECOND, empty).is_empty());
        assert_eq!(arrivals.complete(start + EMPTY, empty).len(), 1);
    }
}
