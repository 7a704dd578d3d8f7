//! The places of a study folder.
//!
//! | place | what |
//! |---|---|
//! | `plan.jsonl` | the jobs |
//! | `results/<id>.json` | what a job gave; there means done |
//! | `failures/<id>.json` | why a job failed |
//! | `claims/<id>.lock` | empty; locked while a worker does the job |
//! | `work/<id>/` | a job's own files: its prompt, its checkpoint |
//! | `shared/<key>/` | what several jobs need, made once |
//! | `log/` | durations, one file a worker; never read by a merge |
//! | `merged/` | tables and matrices |

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::Result;
use crate::job::JobId;

/// Paths inside a study folder.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// The folder at `dir`; nothing is made.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `plan.jsonl`.
    pub fn plan(&self) -> PathBuf {
        self.dir.join("plan.jsonl")
    }

    /// `results/<id>.json`.
    pub fn result(&self, id: &JobId) -> PathBuf {
        self.dir.join("results").join(format!("{id}.json"))
    }

    /// `failures/<id>.json`.
    pub fn failure(&self, id: &JobId) -> PathBuf {
        self.dir.join("failures").join(format!("{id}.json"))
    }

    /// `claims/<name>.lock`.
    pub fn claim(&self, name: &str) -> PathBuf {
        self.dir.join("claims").join(format!("{name}.lock"))
    }

    /// `work/<id>`: a job's own files. They stay when its worker is killed, so that a training
    /// goes on from its checkpoint, and they stay after it, for the jobs that start from it.
    pub fn work(&self, id: &JobId) -> PathBuf {
        self.dir.join("work").join(id.as_str())
    }

    /// `shared/<key>`.
    pub fn shared(&self, key: &str) -> PathBuf {
        self.dir.join("shared").join(key)
    }

    /// `log`.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// `merged`.
    pub fn merged(&self) -> PathBuf {
        self.dir.join("merged")
    }

    /// Makes the folder and those in it that workers write.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn make(&self) -> Result<()> {
        for name in ["results", "failures", "claims", "work", "shared", "log"] {
            fs::create_dir_all(self.dir.join(name))?;
        }
        Ok(())
    }
}
