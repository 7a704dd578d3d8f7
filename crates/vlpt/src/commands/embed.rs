//! `vlpt embed`: features of images or texts as a file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::options::{ImageArgs, Input, TowerArgs, ViewFlags, open_model};
use crate::output;

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
    /// Where to write: `.npy`, or `.safetensors` with the names beside the features
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
    let (names, features) = match (&folder, texts.is_empty()) {
        (_, true) => images(args, &clip, folder.as_ref(), console)?,
        (None, false) => {
            let features = vlpt_adapter::embed_texts(&clip, &texts, args.truncate, !args.raw)?;
            (texts, features)
        }
        (Some(folder), false) => {
            let features = class_features(folder, &clip, &texts, args.raw)?;
            (texts, features)
        }
    };
    let width = clip.config.embed_dim;
    let shape = [names.len(), width];
    if extension.as_deref() == Some("npy") {
        output::write_npy(&args.out, &features, &shape)?;
    } else {
        let list = serde_json::to_string(&names).map_err(|e| CliError::failure(e.to_string()))?;
        let metadata = [
            ("names", list),
            ("model", clip.name.clone()),
            ("model_sha256", clip.fingerprint.clone()),
            ("precision", clip.precision.to_string()),
            ("normalised", (!args.raw).to_string()),
        ];
        output::write_safetensors(&args.out, "features", &features, &shape, &metadata)?;
    }
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

fn images(
    args: &EmbedArgs,
    clip: &Clip,
    folder: Option<&PromptFolder>,
    console: &Console,
) -> Result<(Vec<String>, Vec<f32>), CliError> {
    let inputs = ImageArgs {
        images: args.images.clone(),
        files_from: args.files_from.clone(),
    }
    .inputs()?;
    let preprocess = folder.map_or_else(
        || vlpt_adapter::preprocess(clip, &args.view.config()),
        |folder| folder.adapter.preprocess.clone(),
    );
    let visual = match folder {
        Some(folder) => folder.classifier(clip)?.visual,
        None => None,
    };
    let bar = console.bar(Unit::Items);
    bar.begin("embedding images", inputs.len() as u64);
    let mut features = Vec::with_capacity(inputs.len() * clip.config.embed_dim);
    for batch in inputs.chunks(BATCH) {
        let read = batch
            .iter()
            .map(Input::named_bytes)
            .collect::<Result<Vec<_>, _>>()?;
        for row in vlpt_adapter::embed_images(clip, &preprocess, &read, visual.as_ref(), !args.raw)
        {
            features.extend(row?);
        }
        bar.advance_by(batch.len() as u64);
    }
    bar.end();
    Ok((inputs.iter().map(Input::label).collect(), features))
}
