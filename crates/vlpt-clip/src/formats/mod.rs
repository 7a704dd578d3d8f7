//! From a model's files to its parts, whatever program wrote them.

mod fields;
mod hugging_face;
mod open_clip;
mod openai;
mod preprocess;
mod vocabulary;

use serde_json::Value;

use crate::config::{Activation, ClipConfig, PreprocessConfig};
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::tokenizer::Tokenizer;
use crate::weights::layout::Layout;
use crate::weights::store::TensorStore;
use crate::weights::{ClipWeights, assemble, safetensors, torch};

/// What loading made of the files of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LoadReport {
    /// The weight files read.
    pub files: Vec<String>,
    /// Number of tensors used.
    pub used: usize,
    /// Number of parameters in them.
    pub parameters: usize,
    /// Names of known buffers that the model does not need, sorted.
    pub ignored: Vec<String>,
    /// Corrections of known mistakes and values taken by definition, one sentence each.
    pub notes: Vec<String>,
}

/// The parts of a model, all checked against each other.
pub(crate) struct Parts {
    pub(crate) config: ClipConfig,
    pub(crate) preprocess: PreprocessConfig,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) weights: ClipWeights,
    pub(crate) report: LoadReport,
}

const HF_CONFIG: &str = "config.json";
const OPEN_CLIP_CONFIG: &str = "open_clip_config.json";

/// Weight files with a fixed name, best first, and the configuration each needs beside it.
const WEIGHTS: [(&str, &str); 6] = [
    ("model.safetensors", HF_CONFIG),
    ("model.safetensors.index.json", HF_CONFIG),
    ("open_clip_model.safetensors", OPEN_CLIP_CONFIG),
    ("pytorch_model.bin", HF_CONFIG),
    ("pytorch_model.bin.index.json", HF_CONFIG),
    ("open_clip_pytorch_model.bin", OPEN_CLIP_CONFIG),
];

/// The other files that loading may need; a repository has some of them.
pub(crate) const SMALL_FILES: [&str; 7] = [
    HF_CONFIG,
    OPEN_CLIP_CONFIG,
    preprocess::PREPROCESSOR,
    preprocess::PROCESSOR,
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
];

/// Endings of other weight files, taken when a folder holds exactly one.
const ENDINGS: [&str; 4] = [".safetensors", ".pt", ".pth", ".bin"];

/// Reads a model.
///
/// # Errors
/// Whatever is missing, damaged, contradictory or not supported, by name.
pub(crate) fn read(files: &ModelFiles) -> Result<Parts> {
    read_parts(files).map_err(|mut error| {
        if let ClipError::WeightFile { hint, .. } = &mut error
            && files.revision.is_some()
        {
            hint.get_or_insert_with(|| {
                format!(
                    "`vlpt model check {}` compares the files in the cache with their hashes and \
                     fetches damaged ones anew",
                    files.name
                )
            });
        }
        error
    })
}

fn read_parts(files: &ModelFiles) -> Result<Parts> {
    let mut opened = Opened::of(files)?;
    let (config, mut store) = (opened.config, opened.store);
    let checked = assemble::check(&store, opened.layout, &config)?;
    let tokenizer = vocabulary::tokenizer(files, &config.text)?;
    let weights = assemble::assemble(&mut store, opened.layout, &config)?;
    let report = LoadReport {
        files: store.file_names(),
        used: checked.used,
        parameters: config.parameters(),
        ignored: checked.ignored,
        notes: std::mem::take(&mut opened.notes),
    };
    Ok(Parts {
        config,
        preprocess: opened.preprocess,
        tokenizer,
        weights,
        report,
    })
}

/// Reads the tokenizer of a model and no weights.
///
/// # Errors
/// As [`read`], but for what is in the weights.
pub(crate) fn read_tokenizer(files: &ModelFiles) -> Result<Tokenizer> {
    vocabulary::tokenizer(files, &Opened::of(files)?.config.text)
}

/// A model whose weights are found and not read.
struct Opened {
    store: TensorStore,
    layout: Layout,
    config: ClipConfig,
    preprocess: PreprocessConfig,
    notes: Vec<String>,
}

impl Opened {
    fn of(files: &ModelFiles) -> Result<Self> {
        let chosen = weight_file(files)?;
        let mut store = TensorStore::default();
        let scripted = open(files, &chosen, &mut store)?;
        store.strip_common_prefix("module.");
        let names = store.entries().keys().map(String::as_str);
        assemble::refuse_other_towers(&store)?;
        let Some(layout) = Layout::recognise(names) else {
            let names: Vec<_> = store.entries().keys().take(3).cloned().collect();
            let what = format!(
                "no CLIP tensors; the first of its {}: {names:?}",
                store.entries().len()
            );
            return Err(ClipError::weight_file(store.place(), what));
        };
        let mut notes = files.notes.clone();
        let (config, preprocess) = configuration(files, &store, layout, scripted, &mut notes)?;
        Ok(Self {
            store,
            layout,
            config,
            preprocess,
            notes,
        })
    }
}

/// The weight file that the user named, or the best among the files of a model.
pub(crate) fn weight_file(files: &ModelFiles) -> Result<String> {
    match &files.weights {
        Some(file) => Ok(file.clone()),
        None => choose_weights(files, &files.names().map(str::to_owned).collect::<Vec<_>>()),
    }
}

/// The best weight file among names, of which only the small files need be there yet.
pub(crate) fn choose_weights(files: &ModelFiles, names: &[String]) -> Result<String> {
    let has = |file: &str| names.iter().any(|name| name == file);
    // A config.json of another kind may stand beside a complete OpenCLIP model.
    let hugging_face = has(HF_CONFIG)
        && (!has(OPEN_CLIP_CONFIG)
            || files
                .json(HF_CONFIG)?
                .get("model_type")
                .and_then(Value::as_str)
                == Some("clip"));
    for (file, config) in WEIGHTS {
        if has(file) && has(config) && (config != HF_CONFIG || hugging_face) {
            return Ok(file.to_owned());
        }
    }
    let mut others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !name.contains('/') && ENDINGS.iter().any(|end| name.ends_with(end)))
        .collect();
    others.sort_unstable();
    match others.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(ClipError::MissingFile {
            place: files.name.clone(),
            wanted: "model.safetensors, open_clip_model.safetensors, pytorch_model.bin or .pt file"
                .to_owned(),
            hint: None,
        }),
        many => Err(ClipError::MissingFile {
            place: files.name.clone(),
            wanted: format!(
                "configuration that says which of {} is the model",
                many.join(", ")
            ),
            hint: Some("name the weight file instead of its folder".to_owned()),
        }),
    }
}

/// Opens a weight file, or all files of an index. Returns whether it is a TorchScript archive.
fn open(files: &ModelFiles, chosen: &str, store: &mut TensorStore) -> Result<bool> {
    let shards = match chosen.strip_suffix(".index.json") {
        None => vec![chosen.to_owned()],
        Some(_) => shards(files, chosen)?,
    };
    let mut scripted = false;
    for file in &shards {
        let (place, reader) = (files.place(file), files.open(file)?);
        if file.ends_with(".safetensors") {
            safetensors::add(store, &place, reader)?;
        } else {
            scripted |= torch::add(store, &place, reader)?;
        }
    }
    Ok(scripted)
}

/// The files that an index names, sorted.
pub(crate) fn shard_names(files: &ModelFiles, index: &str) -> Result<Vec<String>> {
    let place = files.place(index);
    let json = files.json(index)?;
    let Some(map) = json.get("weight_map").and_then(Value::as_object) else {
        return Err(ClipError::config(place, "no weight_map"));
    };
    let mut shards: Vec<String> = map
        .values()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    shards.sort_unstable();
    shards.dedup();
    match shards.iter().find(|file| file.contains(['/', '\\'])) {
        None if shards.is_empty() => Err(ClipError::config(place, "weight_map names no file")),
        None => Ok(shards),
        Some(path) => Err(ClipError::config(
            place,
            format!("weight_map names {path:?}, no plain file name"),
        )),
    }
}

/// As [`shard_names`]; each must be there.
pub(crate) fn shards(files: &ModelFiles, index: &str) -> Result<Vec<String>> {
    let shards = shard_names(files, index)?;
    match shards.iter().find(|file| !files.has(file)) {
        None => Ok(shards),
        Some(absent) => Err(ClipError::MissingFile {
            place: files.name.clone(),
            wanted: format!("{absent}, which {index} names"),
            hint: None,
        }),
    }
}

/// The configuration that fits the weights' layout, else the sizes of the tensors.
fn configuration(
    files: &ModelFiles,
    store: &TensorStore,
    layout: Layout,
    scripted: bool,
    notes: &mut Vec<String>,
) -> Result<(ClipConfig, PreprocessConfig)> {
    let order = match layout {
        Layout::HuggingFace => [HF_CONFIG, OPEN_CLIP_CONFIG],
        Layout::OpenAi => [OPEN_CLIP_CONFIG, HF_CONFIG],
    };
    let said = agree(&files.name, files.activation, None)?;
    let config = match order.into_iter().find(|file| files.has(file)) {
        Some(OPEN_CLIP_CONFIG) => {
            let place = files.place(OPEN_CLIP_CONFIG);
            let context = open_clip::Context {
                said,
                name: &files.name,
            };
            return open_clip::config(&place, &files.json(OPEN_CLIP_CONFIG)?, &context, notes);
        }
        Some(file) => {
            let json = files.json(file)?;
            hugging_face::config(&files.place(file), &json, said, notes)?
        }
        None if layout == Layout::OpenAi => {
            let config = openai::infer(store, scripted, said)?;
            notes.push(format!("{}: sizes read off the tensors", store.place()));
            config
        }
        None => {
            return Err(ClipError::MissingFile {
                place: files.name.clone(),
                wanted: HF_CONFIG.to_owned(),
                hint: Some("put the model's config.json beside its weights".to_owned()),
            });
        }
    };
    let image_size = config.vision.image_size;
    let preprocess = preprocess::read(files, image_size, notes)?;
    Ok((config, preprocess))
}

/// What two sources say about the activation.
fn agree(
    file: &str,
    one: Option<Activation>,
    other: Option<Activation>,
) -> Result<Option<Activation>> {
    match (one, other) {
        (Some(a), Some(b)) if a != b => Err(ClipError::Config {
            file: file.to_owned(),
            what: format!(
                "the activation is {}, but {} is asked for",
                a.name(),
                b.name()
            ),
            hint: Some("leave the ?activation= of the name out, or take another model".to_owned()),
        }),
        (one, other) => Ok(one.or(other)),
    }
}

/// What a model's name says about the activation: OpenCLIP's `-quickgelu` names and OpenAI's tag.
fn activation_of_name(name: &str) -> Option<Activation> {
    let lower = name.to_lowercase();
    let quick = lower.split('/').any(|part| part.ends_with("-quickgelu"))
        || lower.ends_with("/openai")
        || lower.ends_with(".openai");
    quick.then_some(Activation::QuickGelu)
}

fn activation_unknown(file: &str, why: &str) -> ClipError {
    ClipError::Config {
        file: file.to_owned(),
        what: format!("the activation is not known: {why}"),
        hint: Some(
            "end the model's name in ?activation=quick_gelu (OpenAI's weights) or ?activation=gelu (most others)"
                .to_owned(),
        ),
    }
}
