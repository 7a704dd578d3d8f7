//! Which CLIP to use, and how it computes.

use std::path::Path;

use clap::{Args, ValueEnum};
use vlpt_adapter::{ImageConfig, PrecisionSetting, PromptFolder};
use vlpt_clip::{Clip, Hub, ModelFiles, ModelName, Precision, Tokenizer};
use vlpt_data::image::Preprocess;

use crate::console::{Console, Unit};
use crate::error::CliError;

/// Number format of the towers.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct PrecisionArgs {
    /// Number format of the towers: exact `f32`, quicker `bf16` on processors with AMX [default: auto]
    #[arg(long, value_enum, value_name = "FORMAT", env = "VLPT_PRECISION")]
    pub(crate) precision: Option<PrecisionArg>,
}

/// A number format, or the choice left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    Auto,
    F32,
    Bf16,
}

impl PrecisionArgs {
    /// As a setting of a configuration.
    pub(crate) fn setting(self) -> PrecisionSetting {
        match self.precision {
            None | Some(PrecisionArg::Auto) => PrecisionSetting::Auto,
            Some(PrecisionArg::F32) => PrecisionSetting::F32,
            Some(PrecisionArg::Bf16) => PrecisionSetting::Bf16,
        }
    }

    /// What that is on this machine.
    pub(crate) fn resolve(self) -> Precision {
        self.setting().resolve()
    }
}

/// Which CLIP to use.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// The model: a folder, `org/name`, `ViT-B-16/openai`, `hf-hub:org/name`, each with `@revision`; `mini-clip` is built in
    #[arg(long, short, value_name = "NAME", env = "VLPT_MODEL", default_value = vlpt_train::DEFAULT_MODEL)]
    pub(crate) model: String,
}

/// Which CLIP to use, and how it computes.
#[derive(Debug, Clone, Args)]
pub(crate) struct TowerArgs {
    #[command(flatten)]
    pub(crate) name: ModelArgs,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgs,
}

impl TowerArgs {
    /// Finds, downloads if need be, and loads the model.
    pub(crate) fn open(&self, console: &Console) -> Result<Clip, CliError> {
        open_model(&self.name.model, self.precision.resolve(), console)
    }
}

/// The base model of a prompt folder, where its own name is not to be followed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct BaseModelArgs {
    /// Find the base model under this name instead of the one in the prompt folder
    #[arg(long, short, value_name = "NAME")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgs,
    /// Use the prompt although it was learned on other weights than the model found has
    #[arg(long)]
    pub(crate) force: bool,
}

impl BaseModelArgs {
    /// Finds, downloads if need be, and loads the base model of a prompt folder, and checks that it
    /// is the one that the prompt was learned on.
    pub(crate) fn open(&self, folder: &PromptFolder, console: &Console) -> Result<Clip, CliError> {
        let run = folder.path.parent().unwrap_or(Path::new(""));
        let name = match &self.model {
            Some(name) => name.clone(),
            None => vlpt_train::located_model(&folder.adapter.base_model, run)?,
        };
        let clip = open_model(&name, self.precision.resolve(), console)?;
        if !self.force {
            folder.check_model(&clip)?;
        }
        Ok(clip)
    }
}

/// Finds, downloads if need be, and loads the model `name`.
pub(crate) fn open_model(
    name: &str,
    precision: Precision,
    console: &Console,
) -> Result<Clip, CliError> {
    Ok(Clip::load_as(&find_model(name, console)?, precision)?)
}

/// Finds the files of the model `name`; downloads them if need be.
pub(crate) fn find_model(name: &str, console: &Console) -> Result<ModelFiles, CliError> {
    let name: ModelName = name.parse()?;
    let bar = console.bar(Unit::Bytes);
    Ok(Hub::from_env().resolve(&name, &bar)?)
}

/// The tokenizer of the model `name`, or OpenAI's, which needs no model.
pub(crate) fn load_tokenizer(name: Option<&str>, console: &Console) -> Result<Tokenizer, CliError> {
    match name {
        Some(name) => Ok(Clip::load_tokenizer(&find_model(name, console)?)?),
        None => Ok(Tokenizer::openai()),
    }
}

/// What the model `name` does to an image before it looks at it, with changes.
pub(crate) fn load_preprocess(
    name: &str,
    changes: &ImageConfig,
    console: &Console,
) -> Result<Preprocess, CliError> {
    Ok(vlpt_adapter::preprocess(
        &open_model(name, Precision::F32, console)?,
        changes,
    ))
}
