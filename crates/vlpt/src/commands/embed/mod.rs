//! `vlpt embed`: features of images or texts as a file.

mod broken;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use vlpt_adapter::{AdapterError, BATCH, DecodedImages, ImageAdaptation, PromptFolder, pipelined};
use vlpt_clip::Clip;
use vlpt_data::DataError;

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::interrupt;
use crate::kept_rows::{KeptRows, folder_hash, no_row};
use crate::options::{
    BaseModelArgs, BrokenArg, ImageArgs, Input, TowerArgs, ViewFlags, from_line, inputs_hash,
};
use crate::output;
use broken::{LeftOut, WholeRows, told};

/// Flags of `vlpt embed`.
#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// Image files, folders, zips or tars; `-` is standard input: one image, or a list of paths
    #[arg(value_name = "IMAGE", required_unless_present_any = ["files_from", "text", "texts_from"])]
    images: Vec<PathBuf>,
    /// A file with one image path a line, or with NUL bytes between them; `-` reads the list from standard
    /// input
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
    /// Images that cannot be decoded: `stop` at the first, or `skip` them; they have no row then, and are named [default: stop]
    #[arg(long, value_enum, value_name = "RULE")]
    broken: Option<BrokenArg>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut>,
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
    if args.broken.is_some() && !texts.is_empty() {
        return Err(CliError::usage(
            "--broken plays no part here: texts have no pixels",
            "leave --broken out",
        ));
    }
    let folder = args.prompt.as_deref().map(PromptFolder::open).transpose()?;
    let clip = match &folder {
        Some(folder) => {
            let name = &args.model.name.model;
            let base = BaseModelArgs {
                model: from_line("model").then(|| name.clone()),
                precision: args.model.precision,
                force: false,
            };
            base.open(folder, console)?
        }
        None => args.model.open(console)?,
    };
    let (names, left_out) = match (&folder, texts.is_empty()) {
        (_, true) => images(args, &clip, folder.as_ref(), console)?,
        (None, false) => {
            let features = vlpt_adapter::embed_texts(&clip, &texts, args.truncate, !args.raw)?;
            args.write(&clip, &texts, &[], &mut &*output::bytes(&features))?;
            (texts, Vec::new())
        }
        (Some(folder), false) => {
            let features = class_features(folder, &clip, &texts, args.raw)?;
            args.write(&clip, &texts, &[], &mut &*output::bytes(&features))?;
            (texts, Vec::new())
        }
    };
    let width = clip.config.embed_dim;
    let written = Written {
        file: args.out.clone(),
        rows: names.len(),
        width,
        normalised: !args.raw,
        names,
        left_out,
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
        left_out: &[LeftOut],
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
        let json = |list: serde_json::Result<String>| {
            list.map_err(|error| CliError::failure(error.to_string()))
        };
        let mut metadata = vec![
            ("names", json(serde_json::to_string(names))?),
            ("model", clip.name.clone()),
            ("model_sha256", clip.fingerprint.clone()),
            ("precision", clip.precision.to_string()),
            ("normalised", (!self.raw).to_string()),
        ];
        if !left_out.is_empty() {
            metadata.push(("left_out", json(serde_json::to_string(left_out))?));
        }
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

/// Embeds images batch by batch, writes the file and returns the names of the images that
/// have a row, and those that are left out.
fn images(
    args: &EmbedArgs,
    clip: &Clip,
    folder: Option<&PromptFolder>,
    console: &Console,
) -> Result<(Vec<String>, Vec<LeftOut>), CliError> {
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
        // of two features that of the class token, which texts are compared with
        Some(folder) => {
            let visual = folder.classifier(clip)?.visual;
            visual.map(ImageAdaptation::of_class_token)
        }
        None => None,
    };
    let skips = args.broken == Some(BrokenArg::Skip);
    let origin = Origin {
        model: clip.fingerprint.clone(),
        precision: clip.precision.to_string(),
        prompt: folder.map(|folder| folder_hash(&folder.path)).transpose()?,
        normalised: !args.raw,
        images: inputs_hash(&inputs),
        skips,
    };
    let width = clip.config.embed_dim;
    let mut rows = KeptRows::open(&args.out, &origin, width, (inputs.len(), BATCH))?;
    interrupt::goes_on_when_given_again();
    let there = rows.count().min(inputs.len());
    if there > 0 {
        console.say(format!(
            "note: goes on after {there} of {} images, kept in {} by an interrupted command",
            inputs.len(),
            rows.path().display()
        ));
    }
    let mut left_out: BTreeMap<usize, LeftOut> = BTreeMap::new();
    if skips {
        for place in rows.left_out(width)? {
            let input = &inputs[place];
            let reason = input.fault(&preprocess).unwrap_or_else(|| input.label());
            let name = input.label();
            left_out.insert(place, LeftOut { name, reason });
        }
    }
    let bar = console.bar(Unit::Items);
    bar.begin("embedding images", inputs.len() as u64);
    bar.advance_by(there as u64);
    let mut batches = inputs[there..].chunks(BATCH);
    let mut place = there;
    pipelined(
        || Ok::<_, CliError>(batches.next()),
        |batch| DecodedImages::of(&preprocess, batch, Input::named_bytes),
        |batch, decoded| {
            let made = decoded.features(clip, visual.as_ref(), !args.raw);
            for (input, made) in batch.iter().zip(made) {
                let row = match made {
                    Err(AdapterError::Data(error)) if skips => {
                        let (name, reason) = (input.label(), error.to_string());
                        left_out.insert(place, LeftOut { name, reason });
                        Ok(no_row(width))
                    }
                    Err(AdapterError::Data(error)) => {
                        Err(DataError::BrokenImage(Box::new(error)).into())
                    }
                    Err(error) => Err(error.into()),
                    Ok(row) => Ok(row),
                };
                rows.push(&row.inspect_err(|_: &CliError| rows.drop_if_empty())?)?;
                place += 1;
            }
            bar.advance_by(batch.len() as u64);
            Ok(())
        },
    )?;
    bar.end();
    if left_out.len() == inputs.len()
        && let Some(first) = left_out.values().next()
    {
        rows.drop_all();
        return Err(CliError::usage(
            format!(
                "none of the {} images can be decoded; the first: {}",
                inputs.len(),
                first.reason
            ),
            "name images that can be read",
        ));
    }
    let kept = inputs.iter().enumerate();
    let names: Vec<String> = kept
        .filter(|(place, _)| !left_out.contains_key(place))
        .map(|(_, input)| input.label())
        .collect();
    let left_out: Vec<LeftOut> = left_out.into_values().collect();
    rows.finish(|values| match left_out[..] {
        [] => args.write(clip, &names, &[], values),
        _ => args.write(clip, &names, &left_out, &mut WholeRows::new(values, width)),
    })?;
    if !left_out.is_empty() {
        console.say(told(&left_out, inputs.len()));
    }
    Ok((names, left_out))
}

/// What the rows are made of: rows of an earlier command are taken only where all of it is equal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// Fingerprint of the base model.
    model: String,
    /// Number format of its towers.
    precision: String,
    /// Hash of the prompt folder's files, where there is one.
    prompt: Option<String>,
    /// Whether rows have length one.
    normalised: bool,
    /// Hash over the images' names, sizes and times of change.
    images: String,
    /// Whether rows may stand for images that are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    skips: bool,
}
