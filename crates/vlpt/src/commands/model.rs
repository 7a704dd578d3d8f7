//! `vlpt model`: look at models.

use clap::{Args, Subcommand};
use serde::Serialize;
use vlpt_clip::{Clip, Hub, Precision};

use crate::console::{Console, Unit};
use crate::error::CliError;

/// What to do with a model.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Load a model and print its shapes, preprocessing and what its files held; cached files are
    /// compared with their hashes, and damaged ones fetched anew
    Check(CheckArgs),
}

/// Flags of `vlpt model check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The model's name or folder
    #[arg(value_name = "MODEL", default_value = "mini-clip", env = "VLPT_MODEL")]
    model: String,
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    name: &'a str,
    fingerprint: &'a str,
    parameters: usize,
    config: &'a vlpt_clip::ClipConfig,
    preprocess: &'a vlpt_clip::PreprocessConfig,
    logit_scale: f32,
    vocabulary: usize,
    loaded: &'a vlpt_clip::LoadReport,
}

/// Runs the chosen command.
pub(crate) fn run(command: &ModelCommand, console: &Console) -> Result<(), CliError> {
    match command {
        ModelCommand::Check(args) => check(args, console),
    }
}

fn check(args: &CheckArgs, console: &Console) -> Result<(), CliError> {
    let bar = console.bar(Unit::Bytes);
    let files = Hub::from_env()
        .thorough()
        .resolve(&args.model.parse()?, &bar)?;
    let clip = Clip::load_as(&files, Precision::F32)?;
    let checked = Checked {
        name: &clip.name,
        fingerprint: &clip.fingerprint,
        parameters: clip.config.parameters(),
        config: &clip.config,
        preprocess: &clip.preprocess,
        logit_scale: clip.logit_scale,
        vocabulary: clip.tokenizer.vocab_size(),
        loaded: &clip.report,
    };
    console.result(&checked, || {
        let (v, t) = (&clip.config.vision, &clip.config.text);
        format!(
            "{}: sound\n  image tower  {} px, patch {}, width {}, {} layers, {} heads\n  text tower   width {}, {} layers, {} heads, {} positions, {} tokens\n  joint width  {}\n  parameters   {}\n  logit scale  {:.4}\n  images       {:?} to {} px, {:?}\n  fingerprint  {}",
            clip.name, v.image_size, v.patch_size, v.width, v.layers, v.heads, t.width, t.layers, t.heads,
            t.context_length, t.vocab_size, clip.config.embed_dim, checked.parameters, clip.logit_scale,
            clip.preprocess.resize, clip.preprocess.image_size, clip.preprocess.interpolation, clip.fingerprint,
        )
    })
}
