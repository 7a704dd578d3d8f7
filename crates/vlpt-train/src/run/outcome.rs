//! What a run came to.

use std::collections::BTreeMap;

use serde_json::Value;
use vlpt_adapter::Classifier;

/// What a run came to.
pub(super) struct Outcome {
    /// Shapes of the parameters by name.
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
    /// Their values.
    pub(super) parameters: BTreeMap<String, Vec<f32>>,
    /// The classifier they make.
    pub(super) classifier: Classifier,
    /// The templates that class names went into, of a baseline that has some.
    pub(super) templates: Option<Vec<String>>,
    /// Epochs trained.
    pub(super) epochs: usize,
    /// The epoch kept, counted from 1.
    pub(super) selected_epoch: usize,
    /// The task's metric on the images that chose, where they did.
    pub(super) val: Option<f64>,
    /// What else was measured.
    pub(super) metrics: Value,
}
