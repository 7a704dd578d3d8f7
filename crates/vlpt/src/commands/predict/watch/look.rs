//! What happens in a folder: told by the system, or found by looking again and again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::console::Console;

/// What was told while waiting.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Files and folders that may have changed, below the folder.
    pub(super) paths: Vec<PathBuf>,
    /// Whether more may have changed than that.
    pub(super) all: bool,
}

/// Waits for changes.
pub(super) struct Look {
    #[cfg(feature = "watch")]
    notices: Option<notices::Notices>,
}

impl Look {
    /// Asks the system to tell what happens in `folder`; where it cannot, or is not to be asked, nothing is
    /// told and somebody has to look.
    pub(super) fn begin(folder: &Path, ask: bool, console: &Console) -> Self {
        #[cfg(feature = "watch")]
        {
            let notices = ask.then(|| notices::Notices::begin(folder));
            let notices = match notices {
                Some(Err(error)) => {
                    console.say(format!(
                        "note: {}: the system tells no changes ({error}); looks from time to time instead",
                        folder.display()
                    ));
                    None
                }
                Some(Ok(notices)) => Some(notices),
                None => None,
            };
            Self { notices }
        }
        #[cfg(not(feature = "watch"))]
        {
            let _ = (folder, ask, console);
            Self {}
        }
    }

    /// Whether changes are told.
    pub(super) fn is_told(&self) -> bool {
        #[cfg(feature = "watch")]
        return self.notices.is_some();
        #[cfg(not(feature = "watch"))]
        false
    }

    /// Waits for a change, no longer than `most`, and gives all that were told.
    pub(super) fn wait(&self, most: Duration) -> Told {
        #[cfg(feature = "watch")]
        if let Some(notices) = &self.notices {
            return notices.wait(most);
        }
        std::thread::sleep(most);
        Told::default()
    }
}

#[cfg(feature = "watch")]
mod notices {
    use std::path::{Path, PathBuf};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

    use super::Told;

    /// The system's notices of changes.
    pub(super) struct Notices {
        real: PathBuf,
        from: Receiver<notify::Result<Event>>,
        /// Ends with this.
        _watcher: RecommendedWatcher,
    }

    impl Notices {
        pub(super) fn begin(folder: &Path) -> Result<Self, String> {
            let text = |error: notify::Error| error.to_string();
            let real = fs_err::canonicalize(folder).map_err(|error| error.to_string())?;
            let (to, from) = channel();
            let mut watcher = notify::recommended_watcher(to).map_err(text)?;
            watcher
                .watch(&real, RecursiveMode::Recursive)
                .map_err(text)?;
            Ok(Self {
                real,
                from,
                _watcher: watcher,
            })
        }

        pub(super) fn wait(&self, most: Duration) -> Told {
            let mut told = Told::default();
            let first = self.from.recv_timeout(most).into_iter();
            for notice in first.chain(self.from.try_iter()) {
                match notice {
                    // reading a file is no change, and is what we do ourselves
                    Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
                    Ok(event) => {
                        told.all |= event.need_rescan();
                        for path in event.paths {
                            match path.strip_prefix(&self.real) {
                                Ok(below) => told.paths.push(below.to_owned()),
                                Err(_) => told.all = true,
                            }
                        }
                    }
                    Err(_) => told.all = true,
                }
            }
            told.paths.sort();
            told.paths.dedup();
            told
        }
    }
}
