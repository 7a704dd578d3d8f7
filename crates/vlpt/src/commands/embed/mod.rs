//! `vlpt embed`: features of images or texts as a file.

mod rows;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::options::{ImageArgs, Input, TowerArgs, ViewFlags, open_model};
use crate::output;
use rows::{Origin, Rows};

/// Images decoded and encoded at a time.
const BATCH: usize = 32;

/// Flags of `vlpt embed`.
#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// Image files or folders; `-` reads one image from standard input
    #[arg(value_name = "IMAGE", required_unless_present_any = ["files_from", "text", "texts_from"])]
    images: Vec<PathBuf>,
    /// A file with one image path a line; `-` reads the list from standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// A text to embed instead of images; may be given many times
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["images", "files_from"])]
    text: Vec<String>,
    /// A file with one text a line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["images", "files_from"])]
    texts_from: Option<PathBuf>,
    #[command(flatten)]
    model: TowerArgs,
    /// A prompt folder whose prompts and base model are used; texts are then class names
    #[arg(long, value_name = "PROMPT", conflicts_with = "truncate")]
    prompt: Option<PathBuf>,
    #[command(flatten)]
    view: ViewFlags,
    /// Where to write: `.npy`, or `.safetensors` with the names beside the features; rows of images are kept as they come, so the same command goes on where it was interrupted
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Leave features at the length the towers give instead of length one
    #[arg(long)]
    raw: bool,
    /// Cut texts that are too long instead of refusing them
    #[arg(long)]
    truncate: bool,
}

#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    rows: usize,
    width: usize,
    normalised: bool,
    names: Vec<String>,
}

/// Embeds and writes.
pub(crate) fn run(args: &EmbedArgs, console: &Console) -> Result<(), CliError> {
    let extension = args
        .out
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase());
    if !matches!(extension.as_deref(), Some("npy" | "safetensors")) {
        return Err(CliError::usage(
            format!(
                "cannot tell the format of {} from its ending",
                args.out.display()
            ),
            "end the name in .npy or .safetensors",
        ));
    }
    let texts = args.all_texts()?;
    let given = args.view.given();
    if let Some(flag) = given
        .first()
        .filter(|_| args.prompt.is_some() || !texts.is_empty())
    {
        let why = match args.prompt {
            Some(_) => "the prompt remembers how images were decoded when it was tuned",
            None => "texts have no pixels",
        };
        return Err(CliError::usage(
            format!("{flag} plays no part here: {why}"),
            format!("leave {flag} out"),
        ));
    }
    let folder = args.prompt.as_deref().map(PromptFolder::open).transpose()?;
    let clip = match &folder {
        Some(folder) => {
            let precision = args.model.precision.resolve();
            let clip = open_model(&folder.adapter.base_model, precision, console)?;
            folder.check_model(&clip)?;
            clip
        }
        None => args.model.open(console)?,
    };
    let names = match (&folder, texts.is_empty()) {
        (_, true) => images(args, &clip, folder.as_ref(), console)?,
        (None, false) => {
            let features = vlpt_adapter::embed_texts(&clip, &texts, args.truncate, !args.raw)?;
            args.write(&clip, &texts, &mut &*output::bytes(&features))?;
            texts
        }
        (Some(folder), false) => {
            let features = class_features(folder, &clip, &texts, args.raw)?;
            args.write(&clip, &texts, &mut &*output::bytes(&features))?;
            texts
        }
    };
    let width = clip.config.embed_dim;
    let written = Written {
        file: args.out.clone(),
        rows: names.len(),
        width,
        normalised: !args.raw,
        names,
    };
    console.result(&written, || {
        format!(
            "wrote {}: {} x {width}, f32",
            written.file.display(),
            written.rows
        )
    })
}

impl EmbedArgs {
    /// Writes the file: `values` are the features as little-endian bytes, a row for each name.
    fn write(
        &self,
        clip: &Clip,
        names: &[String],
        values: &mut dyn std::io::Read,
    ) -> Result<(), CliError> {
        let shape = [names.len(), clip.config.embed_dim];
        if self
            .out
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("npy"))
        {
            return output::write_npy_from(&self.out, values, &shape);
        }
        let list = serde_json::to_string(names).map_err(|e| CliError::failure(e.to_string()))?;
        let metadata = [
            ("names", list),
            ("model", clip.name.clone()),
            ("model_sha256", clip.fingerprint.clone()),
            ("precision", clip.precision.to_string()),
            ("normalised", (!self.raw).to_string()),
        ];
        output::write_safetensors_from(&self.out, "features", values, &shape, &metadata)
    }

    fn all_texts(&self) -> Result<Vec<String>, CliError> {
        let mut texts = self.text.clone();
        if let Some(file) = &self.texts_from {
            let all = if file.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin())?
            } else {
                fs_err::read_to_string(file)?
            };
            texts.extend(all.lines().map(str::to_owned));
            if texts.is_empty() {
                return Err(CliError::usage(
                    format!("no text in {}", file.display()),
                    "write one text a line",
                ));
            }
        }
        Ok(texts)
    }
}

/// Text features of class names under a prompt, of length one.
fn class_features(
    folder: &PromptFolder,
    clip: &Clip,
    names: &[String],
    raw: bool,
) -> Result<Vec<f32>, CliError> {
    if raw {
        return Err(CliError::usage(
            "--raw was given, but class names under a prompt have features of length one",
            "leave --raw out",
        ));
    }
    let classifier = folder.classifier_for(clip, names)?;
    let features = classifier.text_features().map(<[f32]>::to_vec);
    features.ok_or_else(|| {
        CliError::usage(
            format!(
                "{} has no text features of its own: {} makes them of each image, or has none",
                folder.path.display(),
                folder.adapter.method.name()
            ),
            "embed images with it, or use another prompt",
        )
    })
}

/// Embeds images batch by batch, writes the file and returns the images' names.
fn images(
    args: &EmbedArgs,
    clip: &Clip,
    folder: Option<&PromptFolder>,
    console: &Console,
) -> Result<Vec<String>, CliError> {
    let inputs = ImageArgs {
        images: args.images.clone(),
        files_from: args.files_from.clone(),
    }
    .inputs(console)?;
    let preprocess = folder.map_or_else(
        || vlpt_adapter::preprocess(clip, &args.view.config()),
        |folder| folder.adapter.preprocess.clone(),
    );
    let visual = match folder {
        Some(folder) => folder.classifier(clip)?.visual,
        None => None,
    };
    let origin = Origin {
        model: clip.fingerprint.clone(),
        precision: clip.precision.to_string(),
        prompt: folder.map(|folder| files_hash(&folder.path)).transpose()?,
        normalised: !args.raw,
        images: inputs_hash(&inputs)?,
    };
    let mut rows = Rows::open(&args.out, &origin, clip.config.embed_dim, BATCH)?;
    let there = rows.count().min(inputs.len());
    if there > 0 {
        console.say(format!(
            "note: goes on after {there} of {} images, kept in {} by an interrupted command",
            inputs.len(),
            rows.path().display()
        ));
    }
    let bar = console.bar(Unit::Items);
    bar.begin("embedding images", inputs.len() as u64);
    bar.advance_by(there as u64);
    for batch in inputs[there..].chunks(BATCH) {
        let embed = || -> Result<Vec<Vec<f32>>, CliError> {
            let read: Vec<_> = batch
                .iter()
                .map(Input::named_bytes)
                .collect::<Result<_, _>>()?;
            let visual = visual.as_ref();
            let made = vlpt_adapter::embed_images(clip, &preprocess, &read, visual, !args.raw);
            Ok(made.into_iter().collect::<Result<_, _>>()?)
        };
        for row in embed().inspect_err(|_| rows.drop_if_empty())? {
            rows.push(&row)?;
        }
        bar.advance_by(batch.len() as u64);
    }
    bar.end();
    let names: Vec<String> = inputs.iter().map(Input::label).collect();
    rows.finish(|values| args.write(clip, &names, values))?;
    Ok(names)
}

/// Hash over the images' names, and their sizes and times of change or, from standard input, bytes.
fn inputs_hash(inputs: &[Input]) -> Result<String, CliError> {
    let mut parts = Vec::with_capacity(inputs.len());
    for input in inputs {
        parts.push(match input {
            Input::File(path) => {
                let about = fs_err::metadata(path)?;
                let about = format!("{} {:?} ", about.len(), about.modified().ok());
                [about.as_bytes(), path.as_os_str().as_encoded_bytes()].concat()
            }
            Input::Stdin(bytes) => bytes.clone(),
        });
    }
    Ok(fingerprint(parts))
}

/// Hash over the files of a folder.
fn files_hash(folder: &Path) -> Result<String, CliError> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut parts = Vec::new();
    for path in paths.into_iter().filter(|path| path.is_file()) {
        parts.push(fs_err::read(path)?);
    }
    Ok(fingerprint(parts))
}
