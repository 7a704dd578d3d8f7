//! What does a unit: the study knows when and where, this knows how.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fs_err as fs;
use vlpt_base::files::make_folder;

use crate::Result;
use crate::claim::Claim;
use crate::folder::Folder;
use crate::result::Outcome;
use crate::unit::{Unit, UnitId};

/// Any error of a unit's work; its message is filed.
pub type WorkError = Box<dyn std::error::Error + Send + Sync>;

/// What a unit takes while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Threads it keeps busy.
    pub threads: usize,
    /// Bytes of memory beside what all units share.
    pub memory: u64,
}

/// How units are done. Called from several threads at a time.
///
/// A unit's outcome must follow from the unit and the files of the units it needs, and from
/// nothing else.
pub trait Work: Sync {
    /// Does one unit.
    ///
    /// # Errors
    /// Whatever goes wrong: it is filed with its message, and the units that need this one wait.
    /// After [`Desk::stopped`] an early return of any error is no failure.
    fn run(&self, unit: &Unit, desk: &Desk<'_>) -> std::result::Result<Outcome, WorkError>;

    /// What a unit takes. More threads than the whole budget are cut down to it; a unit with more
    /// memory than the whole budget is not begun.
    fn need(&self, _unit: &Unit) -> Need {
        Need {
            threads: 1,
            memory: 0,
        }
    }
}

/// Where a unit is done: its folder, its share of the machine, and what it shares with others.
#[derive(Debug)]
pub struct Desk<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) id: &'a UnitId,
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
    /// Milliseconds of training so far.
    pub(crate) trained: AtomicU64,
}

impl Desk<'_> {
    /// The unit's id.
    pub fn id(&self) -> &UnitId {
        self.id
    }

    /// Threads it may keep busy.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the study is asked to stop: the work should save a checkpoint and return.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says how much of the unit's time was training; the rest is evaluation and waiting.
    pub fn trained(&self, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.trained.fetch_add(took, Ordering::Relaxed);
    }

    /// The unit's own folder, made if it is not there. What a killed worker left is in it; what is
    /// left in it when the unit is done is there for the units that need this one.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn own(&self) -> Result<PathBuf> {
        let path = self.folder.work(self.id);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The folder of a unit that this one needs.
    pub fn of(&self, id: &UnitId) -> PathBuf {
        self.folder.work(id)
    }

    /// A folder that several units need and one of them makes, whole or absent, whichever process
    /// they are in. `key` should hold a hash of everything that the content depends on. The others
    /// wait; after a kill the next one makes it.
    ///
    /// # Errors
    /// A key that is not one plain file name, the folder cannot be written, or `make` fails.
    pub fn once(
        &self,
        key: &str,
        make: impl FnOnce(&Path) -> std::result::Result<(), WorkError>,
    ) -> std::result::Result<PathBuf, WorkError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > 128 || !key.chars().all(plain) {
            return Err(format!("shared key \"{key}\": expected letters, digits, - and _").into());
        }
        let path = self.folder.shared(key);
        let lock = self.folder.claim(&format!("shared-{key}"));
        let mut pause = Duration::from_millis(1);
        loop {
            if path.is_dir() {
                return Ok(path);
            }
            if let Some(_claim) = Claim::take(&lock)? {
                if !path.is_dir() {
                    make_folder(&path, make)?;
                }
                return Ok(path);
            }
            if self.stopped() {
                return Err("the study was asked to stop".into());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }
}
