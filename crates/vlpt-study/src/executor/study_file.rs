//! What a study's folder says about how it was planned.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vlpt_base::files::{read_if_there, write_atomic};

use crate::config::StudyConfig;
use crate::plan::Plan;
use crate::{Result, StudyError};

/// `study.json` in a study's folder: what was planned, so that it can be planned on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyFile {
    /// The commands that planned it, the last one last.
    pub commands: Vec<String>,
    /// The study.
    pub study: StudyConfig,
}

impl StudyFile {
    /// Writes the plan into the folder, and this file beside it.
    ///
    /// # Errors
    /// A study that makes no sense, or a folder that cannot be written.
    pub fn write(&self, dir: &Path) -> Result<Plan> {
        let plan = Plan::of(&self.study)?;
        plan.write(dir)?;
        let text = serde_json::to_string_pretty(self).expect("string keys only");
        write_atomic(&dir.join("study.json"), (text + "\n").as_bytes())?;
        Ok(plan)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// No study there, or a damaged file.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("study.json");
        let bytes = read_if_there(&path)?.ok_or_else(|| StudyError::NoPlan {
            dir: dir.to_owned(),
        })?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e))?;
        Self::deserialize(value).map_err(|e| damaged(&path, &e))
    }
}

fn damaged(path: &Path, error: &serde_json::Error) -> StudyError {
    StudyError::Damaged {
        path: path.to_owned(),
        what: error.to_string(),
    }
}
