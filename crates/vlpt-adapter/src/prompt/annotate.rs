//! What becomes known of a prompt after it was written: its calibration, measurements, a page for people.

use std::path::Path;

use fs_err as fs;
use serde_json::{Map, Value, json};
use vlpt_base::files::write_folder;

use super::write::pretty;
use super::{Calibration, PromptFolder, checksums};
use crate::{AdapterError, Result};

/// What is added to a prompt folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// What held-out images said of its probabilities.
    pub calibration: Option<Calibration>,
    /// Entries of `metrics.json`, over those before.
    pub metrics: Map<String, Value>,
    /// The whole `README.md`.
    pub readme: String,
}

/// Writes a prompt folder again with annotations; what it computes stays as it is, bit by bit, but for
/// the temperature.
///
/// # Errors
/// A folder that is no prompt or is damaged, or cannot be written.
pub fn annotate_prompt(path: &Path, annotations: &Annotations) -> Result<()> {
    let mut adapter = PromptFolder::open(path)?.adapter;
    adapter.calibration = annotations.calibration;
    let read = |name: &str| fs::read(path.join(name));
    let file = path.join("metrics.json");
    let metrics: Value =
        serde_json::from_slice(&fs::read(&file)?).map_err(|error| AdapterError::Damaged {
            path: file,
            what: format!("is not JSON: {error}"),
        })?;
    let mut metrics = metrics.as_object().cloned().unwrap_or_default();
    metrics.extend(annotations.metrics.clone());
    let mut files = vec![
        ("adapter_config.json", pretty(&json!(adapter))?),
        (
            "adapter_model.safetensors",
            read("adapter_model.safetensors")?,
        ),
        ("class_names.txt", read("class_names.txt")?),
        ("classifier.safetensors", read("classifier.safetensors")?),
        ("metrics.json", pretty(&Value::Object(metrics))?),
        ("README.md", annotations.readme.clone().into_bytes()),
    ];
    files.push((checksums::FILE, checksums::of(&files)));
    Ok(write_folder(path, &files)?)
}
