//! Import of published checkpoints: from `model.pth.tar-50` to a prompt folder.
//!
//! The tensors are read without running anything ([`Checkpoint`]). The method is recognised by
//! their names and shapes; what these cannot tell (where the class name stands, where visual
//! prompts enter) is taken from the options or from the defaults of the code that wrote the file,
//! and said. Nothing is skipped silently: every tensor is used, or left with its reason, and a
//! parameter that is missing or misshapen is an error.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use vlpt_base::list::cut;
use vlpt_clip::{Checkpoint, Clip};
use vlpt_data::{Metric, Shots, Task};
use vlpt_methods::import::{
    ImportHints, Names, Recognised, Source, Unknown, importable, recognise,
};
use vlpt_methods::{Build, Method, Place, Position};

use super::peft::PeftFolder;
use super::{Adapter, FORMAT, PromptContent, class_names_sha256, write_prompt};
use crate::{AdapterError, Classifier, ImageConfig, Result, preprocess};

/// What a checkpoint does not say itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    /// The method, where it is not to be recognised; tensors of other methods are then left.
    pub method: Option<String>,
    /// The code that wrote it; recognised where the names tell it, else CoOp's.
    pub source: Option<Source>,
    /// Where the class name stands; else the default of the source.
    pub position: Option<Position>,
    /// Where the visual prompts of the first block enter; else MVLPT's way.
    pub place: Option<Place>,
    /// The seed it was trained with, for the record.
    pub seed: u64,
    /// The images of each class it was trained on, for the record.
    pub shots: Option<Shots>,
}

/// The task that an imported prompt is for.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportTask {
    /// Its name.
    pub name: String,
    /// Its class names; those of the training in their order for a class-specific prompt.
    pub classes: Vec<String>,
    /// Whether an image may show several classes.
    pub multi_label: bool,
    /// The number it is judged by.
    pub metric: Metric,
}

impl From<&Task> for ImportTask {
    fn from(task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            classes: task.classes.clone(),
            multi_label: task.multi_label,
            metric: task.metric,
        }
    }
}

/// What an import made of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The method's name.
    pub method: &'static str,
    /// The code that wrote it.
    pub source: Source,
    /// Number of values.
    pub values: usize,
    /// Epochs trained, when the file says so.
    pub epoch: Option<i64>,
    /// The number that chose the epoch, when the file has it as a plain float.
    pub val_result: Option<f64>,
    /// Parameters of the method and the tensors they come from.
    pub used: Vec<UsedTensor>,
    /// What was left, with the reason.
    pub left: Vec<LeftOut>,
    /// Options that nothing in the file tells.
    pub assumed: Vec<String>,
}

/// A parameter and the tensor it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsedTensor {
    /// The parameter's name.
    pub parameter: String,
    /// The tensor's name in the checkpoint.
    pub tensor: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How its numbers are written there, such as `f16`.
    pub dtype: &'static str,
}

/// Something in a checkpoint that plays no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name there.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Reads a checkpoint and writes a prompt folder for `task` and the base model to `out`. A folder is one of the PEFT
/// library, with low-rank updates.
///
/// # Errors
/// A file that is damaged or asks for more than plain values, a method that is not recognised,
/// parameters that are missing, misshapen, left over or of another model's sizes, and a
/// class-specific prompt of another number of classes. A folder `out` that exists is not replaced.
pub fn import_checkpoint(
    path: &Path,
    clip: &Clip,
    task: &ImportTask,
    options: &ImportOptions,
    out: &Path,
) -> Result<Imported> {
    new_folder(out)?;
    // so that an absent file is an error of this crate, with its hint
    fs_err::File::open(path)?;
    let folder = path.is_dir().then(|| PeftFolder::read(path)).transpose()?;
    let path = folder.as_ref().map_or(path, |folder| &folder.weights);
    let mut checkpoint = Checkpoint::open(path)?;
    let names = Names::of(checkpoint.tensors()).map_err(|what| AdapterError::Damaged {
        path: path.to_owned(),
        what,
    })?;
    let hints = ImportHints {
        source: options.source.or(folder.as_ref().map(|_| Source::Peft)),
        low_rank: folder.as_ref().map(|folder| folder.low_rank),
        position: options.position,
        place: options.place,
    };
    let found = recognise(&names, &clip.config, options.method.as_deref(), &hints)
        .map_err(|unknown| refusal(path, clip, &names, unknown))?;
    check_classes(path, &names, task)?;
    let method = found.method.build(&Build {
        clip,
        classes: task.classes.len(),
        seed: options.seed,
    })?;
    let used = used(path, &*method, &names)?;
    let mut left: Vec<LeftOut> = names
        .left
        .iter()
        .map(|unused| LeftOut {
            name: unused.name.clone(),
            why: unused.why.clone(),
        })
        .collect();
    left.extend(others(path, &*method, &names, options)?);
    for used in &used {
        let values = checkpoint.read(&used.tensor)?;
        let parameter = method
            .parameters()
            .iter()
            .find(|p| p.name() == used.parameter);
        parameter.map_or(Ok(()), |p| p.set(&values.data))?;
    }
    left.extend(beside(&checkpoint));
    let imported = Imported {
        method: found.method.name(),
        source: found.source,
        values: method.parameter_count(),
        epoch: checkpoint.epoch,
        val_result: checkpoint.val_result,
        used,
        left,
        assumed: found.assumed.clone(),
    };
    write(
        path,
        clip,
        task,
        options,
        &found,
        &Arc::from(method),
        &imported,
        out,
    )?;
    Ok(imported)
}

/// Refuses a folder that exists already, since writing a prompt replaces it whole.
pub(super) fn new_folder(out: &Path) -> Result<()> {
    let empty =
        |path: &Path| fs_err::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !out.exists() || empty(out) {
        return Ok(());
    }
    Err(AdapterError::Incompatible {
        what: format!("{}: exists already", out.display()),
        hint: Some("choose a folder that does not exist yet".to_owned()),
    })
}

/// The error for a checkpoint that is of no method or not for this model.
fn refusal(path: &Path, clip: &Clip, names: &Names, unknown: Unknown) -> AdapterError {
    let incompatible = |what: String, hint: &str| AdapterError::Incompatible {
        what: format!("{}: {what}", path.display()),
        hint: Some(hint.to_owned()),
    };
    match unknown {
        Unknown::Method => {
            let mut known: Vec<&str> = names.tensors.keys().map(String::as_str).collect();
            let count = known.len();
            known.truncate(8);
            incompatible(
                format!(
                    "the tensors are those of no method that can be imported; the first of its \
                     {count}: {}",
                    known.join(", ")
                ),
                &format!(
                    "{}; --method takes the parameters of one method and leaves the rest",
                    importable()
                        .map(|(_, import)| import.tensors)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
        }
        Unknown::Option(what) => incompatible(
            what,
            "leave that option out, or name the method with --method",
        ),
        Unknown::Tensors(method, problems) => AdapterError::Tensors {
            path: path.to_owned(),
            method: method.to_owned(),
            problems,
        },
        Unknown::Sizes(problems) => incompatible(
            format!(
                "it was not trained with {}: {}",
                clip.name,
                cut(&problems, "; ")
            ),
            "name the model it was trained with; published prompts are mostly for ViT-B-16/openai \
             (text tower 512 wide, image tower 768, 12 blocks)",
        ),
    }
}

fn check_classes(path: &Path, names: &Names, task: &ImportTask) -> Result<()> {
    let ctx = names
        .tensors
        .get("ctx")
        .map(|tensor| tensor.shape.as_slice());
    match ctx {
        Some(&[classes, _, _]) if classes != task.classes.len() => {
            Err(AdapterError::Incompatible {
                what: format!(
                    "{}: the context is class-specific, with one for each of {classes} classes, but {} \
                 has {}",
                    path.display(),
                    task.name,
                    task.classes.len()
                ),
                hint: Some("give the classes it was trained with, in their order".to_owned()),
            })
        }
        _ => Ok(()),
    }
}

/// The tensor of every parameter.
fn used(path: &Path, method: &dyn Method, names: &Names) -> Result<Vec<UsedTensor>> {
    let (mut used, mut problems) = (Vec::new(), Vec::new());
    for parameter in method.parameters() {
        let (name, shape) = (parameter.name(), parameter.shape());
        match names.tensors.get(name) {
            None => problems.push(format!("`{name}` is missing")),
            Some(tensor) if tensor.shape == shape => used.push(UsedTensor {
                parameter: name.to_owned(),
                tensor: tensor.name.clone(),
                shape: tensor.shape.clone(),
                dtype: tensor.dtype,
            }),
            Some(tensor) => problems.push(format!(
                "`{name}` has shape {:?}: expected {shape:?}",
                tensor.shape
            )),
        }
    }
    if problems.is_empty() {
        return Ok(used);
    }
    Err(AdapterError::Tensors {
        path: path.to_owned(),
        method: method.name().to_owned(),
        problems,
    })
}

/// Tensors that the method does not know: left when the method was asked for, else an error.
fn others(
    path: &Path,
    method: &dyn Method,
    names: &Names,
    options: &ImportOptions,
) -> Result<Vec<LeftOut>> {
    let known = |name: &str| method.parameters().iter().any(|p| p.name() == name);
    let unknown: Vec<LeftOut> = names
        .tensors
        .iter()
        .filter(|(name, _)| !known(name))
        .map(|(_, tensor)| LeftOut {
            name: tensor.name.clone(),
            why: format!("no parameter of {}", method.name()),
        })
        .collect();
    if unknown.is_empty() || options.method.is_some() {
        return Ok(unknown);
    }
    let listed: Vec<String> = unknown
        .iter()
        .map(|left| format!("`{}`", left.name))
        .collect();
    Err(AdapterError::Incompatible {
        what: format!(
            "{}: it looks like {}, which does not have {}",
            path.display(),
            method.name(),
            cut(&listed, ", ")
        ),
        hint: Some(format!(
            "--method {} takes its parameters and leaves the rest",
            method.name()
        )),
    })
}

/// What lies beside the tensors and plays no part.
fn beside(checkpoint: &Checkpoint) -> Vec<LeftOut> {
    let why = |key: &str| match key {
        "optimizer" => Some("state of the optimiser; a folder holds prompts, not training"),
        "scheduler" => Some("state of the learning-rate schedule"),
        "epoch" if checkpoint.epoch.is_some() => None,
        "val_result" if checkpoint.val_result.is_some() => None,
        "val_result" => Some("no plain number"),
        _ => Some("no tensor of the state dict"),
    };
    checkpoint
        .beside
        .iter()
        .filter_map(|key| {
            Some(LeftOut {
                name: key.clone(),
                why: why(key)?.to_owned(),
            })
        })
        .collect()
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call, of all that the import knows"
)]
fn write(
    path: &Path,
    clip: &Clip,
    task: &ImportTask,
    options: &ImportOptions,
    found: &Recognised,
    method: &Arc<dyn Method>,
    imported: &Imported,
    out: &Path,
) -> Result<()> {
    let classifier = Classifier::of_method(clip, Arc::clone(method), &task.classes)?;
    let mut parameters = BTreeMap::new();
    let mut shapes = BTreeMap::new();
    for parameter in method.parameters() {
        parameters.insert(parameter.name().to_owned(), parameter.values()?);
        shapes.insert(parameter.name().to_owned(), parameter.shape().to_vec());
    }
    let epochs = imported
        .epoch
        .and_then(|epoch| usize::try_from(epoch).ok())
        .unwrap_or(0);
    let adapter = Adapter {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: found.method.clone(),
        parameters: shapes,
        base_model: clip.name.clone(),
        base_model_fingerprint: clip.fingerprint.clone(),
        precision: Some(clip.precision),
        embed_dim: clip.config.embed_dim,
        task: task.name.clone(),
        classes: task.classes.len(),
        class_names_sha256: class_names_sha256(&task.classes),
        multi_label: task.multi_label,
        metric: task.metric,
        preprocess: preprocess(clip, &ImageConfig::default()),
        seed: options.seed,
        // none where it is not known
        shots: options.shots.unwrap_or(Shots::Count(0)),
        subset_sha256: String::new(),
        epochs,
        selected_epoch: epochs,
        tasks: Vec::new(),
        init_from: None,
        calibration: None,
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut metrics = json!({
        "imported_from": file,
        "imported_sha256": vlpt_base::hash::sha256(&fs_err::read(path)?),
        "source": imported.source,
        "assumed": imported.assumed,
    });
    if let Some(result) = imported.val_result {
        metrics["source_val_result"] = json!(result);
    }
    let content = PromptContent {
        adapter: &adapter,
        classes: &task.classes,
        parameters,
        classifier: &classifier,
        templates: None,
        metrics,
    };
    write_prompt(out, &content)
}
