//! Images named on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use vlpt_data::image::{DecodeOptions, Facts, Limits, RgbImage, decode_with, facts, read_file};

use super::walk::Walk;
use crate::console::Console;
use crate::error::CliError;

/// Images named on the command line: files, folders, or one image on standard input.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImageArgs {
    /// Image files or folders; `-` reads one image from standard input
    #[arg(value_name = "IMAGE", required_unless_present = "files_from")]
    pub(crate) images: Vec<PathBuf>,
    /// A file with one image path a line; `-` reads the list from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
}

/// One image to work on.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// A file on disk.
    File(PathBuf),
    /// The bytes of one image from standard input.
    Stdin(Vec<u8>),
}

impl Input {
    /// What to call it in results and errors.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin(_) => "-".into(),
        }
    }

    /// Its name in errors and its bytes.
    pub(crate) fn named_bytes(&self) -> Result<(String, Vec<u8>), CliError> {
        match self {
            Self::File(path) => {
                let label = self.label();
                let bytes = read_file(path, &label, &Limits::default())?;
                Ok((label, bytes))
            }
            Self::Stdin(bytes) => Ok(("standard input".to_owned(), bytes.clone())),
        }
    }

    /// Reads and decodes it; also what its headers say.
    pub(crate) fn load(
        &self,
        options: &DecodeOptions,
    ) -> Result<(RgbImage, Option<Facts>), CliError> {
        let (name, bytes) = self.named_bytes()?;
        let image = decode_with(&bytes, &name, options)?;
        Ok((image, facts(&bytes)))
    }
}

impl ImageArgs {
    /// All images in the order given; folders are walked in name order, and what is passed over
    /// there is told.
    pub(crate) fn inputs(&self, console: &Console) -> Result<Vec<Input>, CliError> {
        let mut inputs = Vec::new();
        let mut paths = self.images.clone();
        if let Some(list) = &self.files_from {
            let text = if list == Path::new("-") {
                std::io::read_to_string(std::io::stdin())?
            } else {
                fs_err::read_to_string(list)?
            };
            paths.extend(
                text.lines()
                    .filter(|l| !l.trim().is_empty())
                    .map(PathBuf::from),
            );
        }
        for path in paths {
            if path == Path::new("-") {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
                inputs.push(Input::Stdin(bytes));
            } else if path.is_dir() {
                let walk = Walk::of(&path)?;
                walk.tell(&path, console)?;
                inputs.extend(walk.images.into_iter().map(Input::File));
            } else {
                inputs.push(Input::File(path));
            }
        }
        if inputs.is_empty() {
            return Err(CliError::usage(
                "no images given",
                "name image files or folders",
            ));
        }
        Ok(inputs)
    }
}
