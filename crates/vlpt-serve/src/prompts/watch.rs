//! A folder of prompt folders, looked at again and again.
//!
//! Looking is all that works on every file system, those of other machines and of containers among
//! them; a look costs a few names and times. What is taken in is whole: a prompt folder's checksums
//! are checked when it is read, and one that is half written is tried again at the next look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use super::{NamedFolder, Prompts};
use crate::options::Watched;

/// The longest that a watcher sleeps before it sees that the server ends.
const NAP: Duration = Duration::from_millis(100);

/// What a folder looks like from outside; equal while nobody writes.
type Stamp = Vec<(PathBuf, u64, SystemTime)>;

/// What the watcher knows of the folder.
#[derive(Default)]
pub(crate) struct Watcher {
    /// By name: the folder's looks when it was last tried, and whether it is served.
    known: BTreeMap<String, (Stamp, bool)>,
}

/// Keeps the prompts as the folder has them until `end`.
pub(crate) fn watch(prompts: &Prompts, watched: &Watched, end: &Arc<AtomicBool>) {
    let mut watcher = Watcher::default();
    loop {
        watcher.look(prompts, &watched.folder);
        let mut left = watched.every;
        while !left.is_zero() {
            if end.load(Ordering::Relaxed) {
                return;
            }
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
    }
}

impl Watcher {
    /// One look: takes in what is new or changed, takes out what is gone.
    pub(crate) fn look(&mut self, prompts: &Prompts, folder: &Path) {
        let found = match prompt_folders(folder) {
            Ok(found) => found,
            Err(error) => {
                // a folder on another machine may come back; what is served stays
                tracing::warn!(folder = %folder.display(), %error, "cannot look into the folder");
                return;
            }
        };
        for (name, path) in &found {
            let stamp = stamp(path);
            if self.known.get(name).is_some_and(|(last, _)| *last == stamp) {
                continue;
            }
            let served = match prompts.put(name, path) {
                Ok(prompt) => {
                    tracing::info!(prompt = name, version = prompt.version, "prompt taken in");
                    true
                }
                Err(error) => {
                    tracing::warn!(prompt = name, %error, "prompt not taken in; what was served stays");
                    self.known.get(name).is_some_and(|(_, served)| *served)
                }
            };
            self.known.insert(name.clone(), (stamp, served));
        }
        let gone: Vec<String> = self.known.keys().cloned().collect();
        for name in gone.into_iter().filter(|name| !found.contains_key(name)) {
            if self.known.remove(&name).is_some_and(|(_, served)| served) {
                prompts.remove(&name);
                tracing::info!(prompt = name, "prompt taken out");
            }
        }
    }
}

/// The prompt folders, or run folders with one, right below a folder, by name.
fn prompt_folders(folder: &Path) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let holds = |file: &str| path.join(file).is_file();
        if !holds("adapter_config.json") && !holds("prompt/adapter_config.json") {
            continue;
        }
        match NamedFolder::of(&path) {
            Ok(named) => {
                found.insert(named.name, path);
            }
            Err(error) => tracing::warn!(folder = %path.display(), %error, "folder left out"),
        }
    }
    Ok(found)
}

/// Names, sizes and times of a prompt folder's files.
fn stamp(path: &Path) -> Stamp {
    let inner = path.join("prompt");
    let path = if inner.is_dir() { &inner } else { path };
    let Ok(entries) = fs::read_dir(path) else {
        return Stamp::new();
    };
    let mut stamp: Stamp = entries
        .flatten()
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some((entry.path(), about.len(), about.modified().ok()?))
        })
        .collect();
    stamp.sort();
    stamp
}
