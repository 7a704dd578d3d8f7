//! `vlpt merge`: a model with learned updates in its weights.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_adapter::merge::{Merged, MergedFormat, merge};
use vlpt_adapter::{ImageConfig, PromptFolder, preprocess};
use vlpt_clip::Clip;
use vlpt_methods::{METHODS, MethodConfig, MethodSpec, Needs, Pass};

use crate::console::Console;
use crate::error::CliError;
use crate::options::find_model;

/// The end of the help; the example names a method that has something to merge.
fn after_help() -> String {
    let method = weight_methods().first().copied().unwrap_or_default();
    format!("{ABOUT}\n\nExample:\n  vlpt train photos --method {method} --out runs/photos\n{THEN}")
}

/// Methods that change weights by their built-in options.
fn weight_methods() -> Vec<&'static str> {
    let changes = |spec: &&&'static MethodSpec| changes_weights(MethodConfig::new(spec).needs());
    METHODS
        .iter()
        .filter(changes)
        .map(|spec| spec.name)
        .collect()
}

fn changes_weights(needs: Needs) -> bool {
    needs.text_weights || needs.image_weights
}

const THEN: &str = "  vlpt merge runs/photos --out photos-clip
  vlpt zeroshot photos --model ./photos-clip --template \"a photo of a {}.\"";

const ABOUT: &str = "\
A low-rank update s B A of a layer is added to its weights W, and tuned gains and biases of layer
norms take the place of the model's, so the folder is a model like any other: it costs nothing
more to run, needs no prompt folder beside it, and is read by every program that reads the base
model. Its files have the format of the base model's (Hugging Face or OpenCLIP). The weights that
changed are written as f32, so that nothing of an update is rounded off; all others keep their
bytes. Methods that put tokens in front of the model have nothing to merge and are refused.

Give the merged model the texts that the prompt was tuned with, and it answers as the prompt does.";

/// Flags of `vlpt merge`.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(crate) struct MergeArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    /// The model's folder to write; it must not exist yet
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Find the base model under this name instead of the one in the prompt folder
    #[arg(long, short, value_name = "NAME")]
    model: Option<String>,
    /// Round the changed weights to the number format that the base model's file has
    #[arg(long)]
    keep_format: bool,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    base_model: &'a str,
    method: &'a str,
    #[serde(flatten)]
    merged: &'a Merged,
}

/// Merges and says what changed.
pub(crate) fn run(args: &MergeArgs, console: &Console) -> Result<(), CliError> {
    let folder = PromptFolder::open(&args.prompt)?;
    check(&folder)?;
    let adapter = &folder.adapter;
    let name = args.model.as_deref().unwrap_or(&adapter.base_model);
    let files = find_model(name, console)?;
    let clip = Clip::load(&files)?;
    folder.check_model(&clip)?;
    let method = folder.method(&clip)?;
    let adaptation = method
        .adapt(&Pass::EVAL)
        .map_err(vlpt_adapter::AdapterError::from)?;
    let format = if args.keep_format {
        MergedFormat::Kept
    } else {
        MergedFormat::F32
    };
    let about = about(&folder, &clip);
    let merged = merge(&files, &clip, &adaptation, format, &about, &args.out)?;
    if adapter.preprocess != preprocess(&clip, &ImageConfig::default()) {
        console.say(
            "note: the prompt was tuned with other [image] settings than the model's own; a model's \
             folder has no place for them",
        );
    }
    if adapter.method.needs().class_features {
        console.say(
            "note: features that were tuned for each class stay in the prompt folder; the merged model \
             knows all classes by their texts",
        );
    }
    let document = Document {
        folder: &args.out,
        base_model: &clip.name,
        method: adapter.method.name(),
        merged: &merged,
    };
    console.result(&document, || text(&document))?;
    console.say(format!("wrote {}", args.out.display()));
    Ok(())
}

/// Refuses a method that changes no weights.
fn check(folder: &PromptFolder) -> Result<(), CliError> {
    let method = &folder.adapter.method;
    if changes_weights(method.needs()) {
        return Ok(());
    }
    Err(CliError::usage(
        format!(
            "{}: {} changes no weights of the model: there is nothing to merge",
            folder.path.display(),
            method.name()
        ),
        format!(
            "methods that change weights: {}",
            weight_methods().join(", ")
        ),
    ))
}

/// The README.md of the merged model.
fn about(folder: &PromptFolder, clip: &Clip) -> String {
    let adapter = &folder.adapter;
    format!(
        "# {} tuned for {}\n\nThe model {} (SHA-256 of its tensors: {}) with updates of {} in its \
         weights, learned on {} with {} classes. Written by vlpt {}.\n",
        clip.name,
        adapter.task,
        clip.name,
        clip.fingerprint,
        adapter.method.name(),
        adapter.task,
        adapter.classes,
        env!("CARGO_PKG_VERSION"),
    )
}

fn text(document: &Document) -> String {
    let merged = document.merged;
    format!(
        "{} with the updates of {}\n  changed      {} tensors\n  weights      {}\n  copied       {}\n  \
         fingerprint  {}",
        document.base_model,
        document.method,
        merged.changed.len(),
        merged.weights,
        merged.copied.join(", "),
        merged.fingerprint,
    )
}
