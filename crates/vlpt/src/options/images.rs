//! Images named on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use vlpt_data::image::{Limits, RgbImage};
use vlpt_data::junk::is_junk;

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
            Self::File(path) => Ok((self.label(), fs_err::read(path)?)),
            Self::Stdin(bytes) => Ok(("standard input".to_owned(), bytes.clone())),
        }
    }

    /// Reads and decodes it.
    pub(crate) fn load(&self, limits: &Limits) -> Result<RgbImage, CliError> {
        let (name, bytes) = self.named_bytes()?;
        Ok(vlpt_data::image::decode(&bytes, &name, limits)?)
    }
}

const EXTENSIONS: [&str; 10] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff",
];

impl ImageArgs {
    /// All images in the order given; folders are walked in name order.
    pub(crate) fn inputs(&self) -> Result<Vec<Input>, CliError> {
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
                let before = inputs.len();
                walk(&path, &mut inputs)?;
                if inputs.len() == before {
                    return Err(CliError::usage(
                        format!("no images in the folder {}", path.display()),
                        format!("images end in one of: {}", EXTENSIONS.join(", ")),
                    ));
                }
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

fn walk(folder: &Path, inputs: &mut Vec<Input>) -> Result<(), CliError> {
    let mut entries = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with('.') || is_junk(&name)
        });
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if hidden {
        } else if path.is_dir() {
            walk(&path, inputs)?;
        } else if extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
            inputs.push(Input::File(path));
        }
    }
    Ok(())
}
