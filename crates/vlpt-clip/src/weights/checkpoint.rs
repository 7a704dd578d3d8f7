//! A training program's checkpoint: the tensors of its `state_dict`, and what lies beside them.

use std::path::Path;

use super::Tensor;
use super::pickle::{Node, Pickle, Value};
use super::safetensors;
use super::store::TensorStore;
use super::torch::{self, STATE_KEYS};
use crate::error::{ClipError, Result};

/// A file of `torch.save` with tensors in a dict, or in a dict called `state_dict` inside it, as
/// training programs write them (`model.pth.tar-50`, `model-best.pth.tar`). Both file formats are
/// read, that of PyTorch before 1.6 as well. Nothing in the pickle is ever run, and optimisers and
/// schedules are dropped unseen; see `docs/reference/model-formats.md`. A file called `.safetensors` is read as
/// such, and has nothing beside its tensors.
pub struct Checkpoint {
    store: TensorStore,
    /// Epochs trained, when the file says so.
    pub epoch: Option<i64>,
    /// The number that chose the epoch, in percent as a rule, when the file has it as a plain float.
    pub val_result: Option<f64>,
    /// Keys of what lies beside the tensors, such as `optimizer`, in the order of the file.
    pub beside: Vec<String>,
}

/// A tensor of a checkpoint before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointTensor {
    /// Its name in the state dict.
    pub name: String,
    /// Length of each dimension, outermost first.
    pub shape: Vec<usize>,
    /// How its numbers are written, such as `f16`.
    pub dtype: &'static str,
    /// Whether they are floats, which [`Checkpoint::read`] can read.
    pub float: bool,
}

impl Checkpoint {
    /// Opens a checkpoint and finds its tensors; their values are read later.
    ///
    /// # Errors
    /// A file that cannot be opened, is damaged, is no file of PyTorch's, or asks for more than
    /// plain values.
    pub fn open(path: &Path) -> Result<Self> {
        let place = path.display().to_string();
        let reader = Box::new(std::io::BufReader::new(fs_err::File::open(path)?));
        if path
            .extension()
            .is_some_and(|ending| ending == "safetensors")
        {
            let mut store = TensorStore::default();
            safetensors::add(&mut store, &place, reader)?;
            return Ok(Self {
                store,
                epoch: None,
                val_result: None,
                beside: Vec::new(),
            });
        }
        let opened = torch::open(&place, reader)?;
        let (mut epoch, mut val_result, mut beside) = (None, None, Vec::new());
        for (key, value) in beside_state(&opened.pickle) {
            match (key, value) {
                ("epoch", Value::Int(number)) => epoch = Some(*number),
                ("val_result", Value::Float(number)) => val_result = Some(*number),
                ("val_result", Value::Int(number)) => val_result = Some(*number as f64),
                _ => {}
            }
            beside.push(key.to_owned());
        }
        let mut store = TensorStore::default();
        torch::insert(&mut store, &place, opened)?;
        Ok(Self {
            store,
            epoch,
            val_result,
            beside,
        })
    }

    /// The tensors, sorted by name.
    pub fn tensors(&self) -> Vec<CheckpointTensor> {
        self.store
            .entries()
            .iter()
            .map(|(name, stored)| CheckpointTensor {
                name: name.clone(),
                shape: stored.shape.clone(),
                dtype: stored.dtype.name(),
                float: stored.dtype.is_float(),
            })
            .collect()
    }

    /// Reads one tensor, converted to f32.
    ///
    /// # Errors
    /// No tensor of that name, one that is not of floats or has values that are infinite or not a
    /// number, or a file that cannot be read.
    pub fn read(&mut self, name: &str) -> Result<Tensor> {
        let tensor = self.store.read(name)?;
        match tensor
            .data
            .iter()
            .filter(|value| !value.is_finite())
            .count()
        {
            0 => Ok(tensor),
            bad => Err(ClipError::weight_file(
                self.store.place(),
                format!("{name}: {bad} values are infinite or not a number"),
            )),
        }
    }
}

/// Keys and values beside the state dict; none when the tensors lie at the top themselves.
fn beside_state(pickle: &Pickle) -> Vec<(&str, &Value)> {
    let Value::Node(index) = pickle.root else {
        return Vec::new();
    };
    let Node::Dict(pairs) = &pickle.nodes[index] else {
        return Vec::new();
    };
    let named: Vec<(&str, &Value)> = pairs
        .iter()
        .filter_map(|(key, value)| match key {
            Value::Text(key) => Some((&**key, value)),
            _ => None,
        })
        .collect();
    if !named.iter().any(|(key, _)| STATE_KEYS.contains(key)) {
        return Vec::new();
    }
    named
        .into_iter()
        .filter(|(key, _)| !STATE_KEYS.contains(key))
        .collect()
}
