//! Learned updates become plain weights: a model's folder that needs nothing beside it.
//!
//! A low-rank update `y + s B A x` of a linear layer `y = W x + b` is the layer with `W + s B A`
//! (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, section 4.1). Scale `s`
//! and shift `t` of a layer norm `g z + b` are the norm with gains `s g` and biases `s b + t`. The
//! folder has the format of the model's own files: Hugging Face's, or OpenCLIP's where the weights
//! have its names.

mod change;
mod layout;
mod source;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::Dtype;
use serde::Serialize;
use vlpt_base::files::make_folder;
use vlpt_clip::{Clip, LayerName, ModelFiles};

use vlpt_methods::{Adaptation, ChangeValues, TowerValues, UpdateValues};

use crate::{AdapterError, Result};
use change::{change, place};
use layout::{Layout, Tower};
use source::Stored;

/// Files of a model beside its weights, those it has are copied.
const BESIDE: [&str; 10] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// How changed weights are written; all others keep their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MergedFormat {
    /// As f32, so that nothing of an update is rounded off.
    #[default]
    F32,
    /// In the number format that they had, rounded to the nearest.
    Kept,
}

/// What a merge wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// The weight file.
    pub weights: &'static str,
    /// Names of the tensors that were changed, sorted.
    pub changed: Vec<String>,
    /// The files that were copied.
    pub copied: Vec<String>,
    /// The merged model's fingerprint.
    pub fingerprint: String,
}

/// Writes the model of `files`, which `clip` was loaded from, with the updates of `adaptation` added
/// to its weights, to the folder `out`. `about` is the text of the README.md in it.
///
/// What was written is loaded once before it takes its place, and its sizes, activation and
/// preprocessing are compared with those of `clip`.
///
/// # Errors
/// A folder `out` that is there and not empty, an adaptation that changes no weights or something
/// beside them, weight files of another kind, or files that cannot be read or written.
pub fn merge(
    files: &ModelFiles,
    clip: &Clip,
    adaptation: &Adaptation,
    format: MergedFormat,
    about: &str,
    out: &Path,
) -> Result<Merged> {
    let taken = fs_err::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if taken || out.is_file() {
        return Err(AdapterError::Incompatible {
            what: format!("{}: exists already", out.display()),
            hint: Some("choose a folder that does not exist yet".to_owned()),
        });
    }
    let sides = [
        (Tower::Text, adaptation.text.values()?),
        (Tower::Vision, adaptation.visual.values()?),
    ];
    for (_, values) in &sides {
        check(values)?;
    }
    if sides.iter().all(|(_, values)| values.is_empty()) {
        return refuse("the method changes no weight of the model", None);
    }
    let mut tensors = source::read(files, clip)?;
    let layout = Layout::of(&tensors, files)?;
    let mut placed = BTreeMap::new();
    for (tower, values) in &sides {
        place(layout, *tower, values, clip, &mut placed)?;
    }
    for (name, updates) in &placed {
        let Some(stored) = tensors.get_mut(name) else {
            return refuse(format!("{}: no tensor `{name}`", clip.name), None);
        };
        change(name, stored, updates, format)?;
    }
    let mut merged = Merged {
        weights: layout.file(),
        changed: placed.into_keys().collect(),
        copied: Vec::new(),
        fingerprint: String::new(),
    };
    make_folder(out, |folder| -> Result<()> {
        write(&folder.join(merged.weights), &tensors)?;
        for file in BESIDE.into_iter().filter(|file| files.has(file)) {
            source::copy(files, file, &folder.join(file))?;
            merged.copied.push(file.to_owned());
        }
        let readme = folder.join("README.md");
        fs_err::write(&readme, about)?;
        source::sync(&readme)?;
        merged.fingerprint = loaded(folder, clip)?;
        Ok(())
    })?;
    Ok(merged)
}

fn refuse<T>(what: impl Into<String>, hint: Option<&str>) -> Result<T> {
    Err(AdapterError::Incompatible {
        what: what.into(),
        hint: hint.map(str::to_owned),
    })
}

/// Refuses what is neither a low-rank update nor a change of a layer norm.
fn check(values: &TowerValues) -> Result<()> {
    let other = |update: &UpdateValues| match update.change {
        ChangeValues::LowRank { .. } => false,
        ChangeValues::ScaleShift { .. } => matches!(
            update.layer,
            LayerName::Q
                | LayerName::K
                | LayerName::V
                | LayerName::Out
                | LayerName::Fc1
                | LayerName::Fc2
        ),
    };
    let what = if values.prompts.is_some() {
        "learned tokens"
    } else if values.projection.is_some() {
        "another projection"
    } else if values.updates.iter().any(other) {
        "scale and shift of linear layers"
    } else {
        return Ok(());
    };
    refuse(
        format!(
            "the method has {what}: only low-rank updates, and scale and shift of layer norms, are \
             merged into weights"
        ),
        None,
    )
}

/// Writes a safetensors file and waits until it is on the disk. The metadata is what readers of
/// PyTorch's tensors ask for.
fn write(path: &Path, tensors: &BTreeMap<String, Stored>) -> Result<()> {
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(tensors, Some(metadata), path)
        .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))?;
    source::sync(path)
}

/// Loads what was written and compares what must not have changed. Returns its fingerprint.
fn loaded(folder: &Path, clip: &Clip) -> Result<String> {
    let merged = Clip::load(&ModelFiles::folder("the merged model", folder)?)?;
    if merged.config == clip.config && merged.preprocess == clip.preprocess {
        return Ok(merged.fingerprint);
    }
    refuse(
        format!(
            "the files beside the weights of {} do not say all that its name says: they give {:?}, \
             expected {:?}",
            clip.name, merged.config, clip.config
        ),
        Some("take a model whose configuration file says its activation"),
    )
}

impl safetensors::View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.bytes())
    }

    fn data_len(&self) -> usize {
        self.bytes().len()
    }
}
