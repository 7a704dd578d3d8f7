//! The state of a run between two steps, in one file that is whole or absent.
//!
//! `checkpoint/state.safetensors` holds the parameters (`parameter.*`), the optimiser's state
//! (`optimizer.*`), the best parameters so far (`best.*`), and the position as JSON in the
//! metadata. Orders of images and views are derived from seed and epoch, so no generator is stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use vlpt_base::files::write_atomic;

use crate::{Result, TrainError};
use vlpt_adapter::{Named, TensorFile};
use vlpt_optim::OptimizerState;

/// Version of the file's layout.
const FORMAT: u32 = 1;
const STATE: &str = "state";
const COUNTERS: &str = "counters";
const PARAMETER: &str = "parameter.";
const OPTIMIZER: &str = "optimizer.";
const BEST: &str = "best.";
const AVERAGE: &str = "average.";

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Version of the file's layout.
    pub(crate) format: u32,
    /// Whole epochs done.
    pub(crate) epoch: usize,
    /// Steps done in the epoch that has begun.
    pub(crate) step: usize,
    /// Sum of the losses of the images seen in that epoch.
    pub(crate) loss_sum: f64,
    /// Images seen in that epoch.
    pub(crate) seen: usize,
    /// Images among them that were classified right.
    pub(crate) right: usize,
    /// The epoch that would be selected now, counted from 1, and its validation value.
    pub(crate) best: Option<(usize, f64)>,
    /// Length of `events.jsonl`.
    pub(crate) events: u64,
    /// Fingerprint of the model.
    pub(crate) model: String,
    /// Fingerprint of the images, labels and classes.
    pub(crate) data: String,
    /// Whether the prompt is written and nothing is left to do.
    pub(crate) finished: bool,
}

impl Position {
    /// The beginning of a run.
    pub(crate) fn new(model: &str, data: &str) -> Self {
        Self {
            format: FORMAT,
            epoch: 0,
            step: 0,
            loss_sum: 0.0,
            seen: 0,
            right: 0,
            best: None,
            events: 0,
            model: model.to_owned(),
            data: data.to_owned(),
            finished: false,
        }
    }
}

/// Position, parameters and optimiser state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    /// Where the run stands.
    pub(crate) position: Position,
    /// Values of the parameters by name.
    pub(crate) parameters: BTreeMap<String, Vec<f32>>,
    /// The optimiser's state; its counters are in the metadata.
    pub(crate) optimizer: OptimizerState,
    /// Parameters of the best epoch so far; empty when the last epoch is taken.
    pub(crate) best: BTreeMap<String, Vec<f32>>,
    /// The average of parameters so far; empty where the method takes none.
    pub(crate) average: BTreeMap<String, Vec<f32>>,
}

impl Checkpoint {
    fn path(run: &Path) -> PathBuf {
        run.join("checkpoint").join("state.safetensors")
    }

    /// Writes the checkpoint of a run folder over the one before.
    pub(crate) fn write(&self, run: &Path) -> Result<()> {
        let mut file = TensorFile::default();
        let parts = [
            (PARAMETER, &self.parameters),
            (OPTIMIZER, &self.optimizer.floats),
            (BEST, &self.best),
            (AVERAGE, &self.average),
        ];
        for (prefix, tensors) in parts {
            for (name, data) in tensors {
                let tensor = Named::new(&[data.len()], data.clone());
                file.tensors.insert(format!("{prefix}{name}"), tensor);
            }
        }
        let state = serde_json::to_string(&self.position).map_err(std::io::Error::other)?;
        file.metadata.insert(STATE.to_owned(), state);
        let counters =
            serde_json::to_string(&self.optimizer.counters).map_err(std::io::Error::other)?;
        file.metadata.insert(COUNTERS.to_owned(), counters);
        let path = Self::path(run);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(write_atomic(&path, &file.to_bytes())?)
    }

    /// Reads the checkpoint of a run folder, if there is one.
    pub(crate) fn read(run: &Path) -> Result<Option<Self>> {
        let path = Self::path(run);
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |what: String| TrainError::Damaged {
            path: path.clone(),
            what,
        };
        let file = TensorFile::read(&path)?;
        let text = |name: &str| {
            let found = file.metadata.get(name);
            found.ok_or_else(|| damaged(format!("has no {name}")))
        };
        let state = text(STATE)?;
        let unreadable =
            |error: serde_json::Error| damaged(format!("its state cannot be read: {error}"));
        let version: Version = serde_json::from_str(state).map_err(unreadable)?;
        if version.format != FORMAT {
            let found = version.format;
            return Err(damaged(format!(
                "is of format {found}: expected format {FORMAT}"
            )));
        }
        let position = serde_json::from_str(state).map_err(unreadable)?;
        let counters = serde_json::from_str(text(COUNTERS)?).map_err(unreadable)?;
        let mut checkpoint = Self {
            position,
            parameters: BTreeMap::new(),
            optimizer: OptimizerState {
                floats: BTreeMap::new(),
                counters,
            },
            best: BTreeMap::new(),
            average: BTreeMap::new(),
        };
        for (name, tensor) in file.tensors {
            let parts = [
                (PARAMETER, &mut checkpoint.parameters),
                (OPTIMIZER, &mut checkpoint.optimizer.floats),
                (BEST, &mut checkpoint.best),
                (AVERAGE, &mut checkpoint.average),
            ];
            let place = parts
                .into_iter()
                .find_map(|(prefix, map)| Some((name.strip_prefix(prefix)?.to_owned(), map)));
            let (rest, map) =
                place.ok_or_else(|| damaged(format!("has an unexpected tensor `{name}`")))?;
            map.insert(rest, tensor.data);
        }
        Ok(Some(checkpoint))
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checkpoint {
        let mut position = Position::new("m", "d");
        position.loss_sum = 0.1 + 0.2;
        position.best = Some((3, 1.0 / 3.0));
        Checkpoint {
            position,
            parameters: BTreeMap::from([("ctx".to_owned(), vec![1.5, -0.0])]),
            optimizer: OptimizerState {
                floats: BTreeMap::from([("first/ctx".to_owned(), vec![0.25; 3])]),
                counters: BTreeMap::from([("steps/ctx".to_owned(), u64::MAX)]),
            },
            best: BTreeMap::new(),
            average: BTreeMap::from([("ctx".to_owned(), vec![0.5, 0.25])]),
        }
    }

    #[test]
    fn a_checkpoint_comes_back_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Checkpoint::read(dir.path()).unwrap().is_none());
        example().write(dir.path()).unwrap();
        assert_eq!(Checkpoint::read(dir.path()).unwrap(), Some(example()));
    }

    #[test]
    fn a_damaged_checkpoint_is_named() {
        let dir = tempfile::tempdir().unwrap();
        example().write(dir.path()).unwrap();
        let path = Checkpoint::path(dir.path());
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = Checkpoint::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("state.safetensors"), "{error}");
    }
}
