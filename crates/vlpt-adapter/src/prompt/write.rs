//! Writing a prompt folder: all files at once, whole or absent.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vlpt_base::files::write_folder;

use super::{Adapter, checksums, stored};
use crate::tensors::{Named, TensorFile};
use crate::{AdapterError, Classifier, Result};

/// The entry of `metrics.json` with the validation value of each of several tasks.
pub const VAL_TASKS: &str = "val_tasks";

/// What goes into a prompt folder.
pub struct PromptContent<'a> {
    /// The description.
    pub adapter: &'a Adapter,
    /// Class names.
    pub classes: &'a [String],
    /// Parameters by name.
    pub parameters: BTreeMap<String, Vec<f32>>,
    /// The classifier of the parameters.
    pub classifier: &'a Classifier,
    /// The templates that class names went into, of a baseline that has some.
    pub templates: Option<&'a [String]>,
    /// What the training measured.
    pub metrics: Value,
}

/// Writes a prompt folder over the one before.
///
/// # Errors
/// A class name with a line break, or a file that cannot be written.
pub fn write_prompt(path: &Path, content: &PromptContent) -> Result<()> {
    let adapter = content.adapter;
    let mut names = String::new();
    for name in content.classes {
        if name.contains(['\n', '\r']) {
            return Err(AdapterError::Incompatible {
                what: format!("the class name {name:?} has a line break: expected one line"),
                hint: Some("rename the class".to_owned()),
            });
        }
        names.push_str(name);
        names.push('\n');
    }
    let mut facts: BTreeMap<String, String> = BTreeMap::from([
        ("format".to_owned(), adapter.format.to_string()),
        ("version".to_owned(), adapter.version.clone()),
        ("method".to_owned(), adapter.method.name().to_owned()),
        ("base_model".to_owned(), adapter.base_model.clone()),
        (
            "base_model_fingerprint".to_owned(),
            adapter.base_model_fingerprint.clone(),
        ),
        (
            "class_names_sha256".to_owned(),
            adapter.class_names_sha256.clone(),
        ),
        ("preprocess".to_owned(), adapter.preprocess.fingerprint()),
        ("seed".to_owned(), adapter.seed.to_string()),
    ]);
    if let Some(precision) = adapter.precision {
        facts.insert("precision".to_owned(), precision.to_string());
    }
    let mut model = TensorFile {
        metadata: facts.clone(),
        ..TensorFile::default()
    };
    for (name, data) in &content.parameters {
        let shape = adapter
            .parameters
            .get(name)
            .cloned()
            .unwrap_or_else(|| vec![data.len()]);
        model
            .tensors
            .insert(name.clone(), Named::new(&shape, data.clone()));
    }
    let mut classifier = TensorFile {
        metadata: facts,
        ..TensorFile::default()
    };
    stored::put(&mut classifier, content.classifier, content.templates)?;
    let mut files = vec![
        ("adapter_config.json", pretty(&json!(adapter))?),
        ("adapter_model.safetensors", model.to_bytes()),
        ("class_names.txt", names.into_bytes()),
        ("classifier.safetensors", classifier.to_bytes()),
        ("metrics.json", pretty(&content.metrics)?),
        ("README.md", readme(content).into_bytes()),
    ];
    files.push((checksums::FILE, checksums::of(&files)));
    Ok(write_folder(path, &files)?)
}

pub(super) fn pretty(value: &Value) -> Result<Vec<u8>> {
    let mut text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text.into_bytes())
}

/// The tasks of a prompt that was tuned on several, as a table with its blank line; else nothing.
fn tasks(content: &PromptContent) -> String {
    let tasks = &content.adapter.tasks;
    if tasks.is_empty() {
        return String::new();
    }
    let mut rows =
        "| task | classes | metric | on validation images |\n|---|---|---|---|\n".to_owned();
    for task in tasks {
        let values = content.metrics[VAL_TASKS].as_array();
        let mut values = values.into_iter().flatten();
        let value = values.find(|value| value["task"] == task.name.as_str());
        let value = value.map_or("-".to_owned(), |value| value["value"].to_string());
        let (name, classes) = (&task.name, task.classes.len());
        rows += &format!("| {name} | {classes} | {} | {value} |\n", task.metric);
    }
    rows + "\n"
}

/// How many class names the README shows.
const SHOWN: usize = 20;

fn readme(content: &PromptContent) -> String {
    let a = content.adapter;
    let count: usize = content.parameters.values().map(Vec::len).sum();
    let shown: Vec<&str> = content
        .classes
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect();
    let more = match content.classes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    let mut metrics = String::new();
    for (name, value) in content.metrics.as_object().into_iter().flatten() {
        if name != VAL_TASKS {
            metrics += &["| ", name, " | ", &value.to_string(), " |\n"].concat();
        }
    }
    let what = a.method.spec().report.holds;
    let holds = if a.method.is_baseline() {
        format!("A baseline on the frozen model `{}`", a.base_model)
    } else {
        format!(
            "{count} tuned values for the frozen model `{}`",
            a.base_model
        )
    };
    let title = if a.method.is_baseline() {
        "A baseline"
    } else {
        "A prompt"
    };
    format!(
        "# {title} for {task}\n\n\
         {holds}: {what}. The model itself is not in this folder.\n\n\
         | | |\n|---|---|\n\
         | method | {method} |\n\
         | base model | {model} |\n\
         | base model fingerprint | {fingerprint} |\n\
         | images of each class | {shots} |\n\
         | seed | {seed} |\n\
         | epochs, epoch kept | {epochs}, {selected} |\n\
         {metrics}\n\
         {tasks}Classes: {shown}{more}.\n\n\
         Use it:\n\n    vlpt predict FOLDER photo.jpg\n",
        task = a.task,
        model = a.base_model,
        method = a.method.name(),
        fingerprint = a.base_model_fingerprint,
        shots = a.shots,
        seed = a.seed,
        epochs = a.epochs,
        selected = a.selected_epoch,
        shown = shown.join(", "),
        tasks = tasks(content),
    )
}
