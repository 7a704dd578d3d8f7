//! Images named on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use vlpt_data::Walk;
use vlpt_data::archive::{Archive, is_archive};

use super::input::{Input, file_about};
use super::standard_input::{self, Given, Listed};
use super::walk;
use crate::console::Console;
use crate::error::CliError;

/// Images named on the command line: files, folders, archives, or standard input.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ImageArgs {
    /// Image files, folders, zips or tars (`.tar`, `.tar.gz`, `.tgz`); `-` is standard input: an image,
    /// a tar of images, or a list of paths
    #[arg(value_name = "IMAGE", required_unless_present = "files_from")]
    pub(crate) images: Vec<PathBuf>,
    /// A file with one image path a line, or with NUL bytes between them, as `find -print0` writes; `-`
    /// reads the list from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
}

/// Images in the order given.
pub(crate) enum Images {
    /// All of them are known.
    Listed(Vec<Input>),
    /// They come one after the other.
    Streamed(Box<dyn Iterator<Item = Result<Input, CliError>> + Send>),
}

impl ImageArgs {
    /// All images in the order given; folders are walked in name order, archives read in their own, and
    /// what is passed over there is told.
    pub(crate) fn inputs(&self, console: &Console) -> Result<Vec<Input>, CliError> {
        match self.given(false, console)? {
            Images::Listed(inputs) => Ok(inputs),
            Images::Streamed(_) => Err(CliError::usage(
                "standard input holds a tar, which is not read from a pipe here",
                "write it to a file and name that",
            )),
        }
    }

    /// As [`ImageArgs::inputs`], but what comes through standard input may be worked on while it comes:
    /// a tar always, a list where all is `live`.
    pub(crate) fn given(&self, live: bool, console: &Console) -> Result<Images, CliError> {
        let list_from_pipe = self.files_from.as_deref() == Some(Path::new("-"));
        let pipes = self.images.iter().filter(|path| *path == Path::new("-"));
        if pipes.count() + usize::from(list_from_pipe) > 1 {
            return Err(CliError::usage(
                "standard input is named twice",
                "name `-` once, as an image or as the list of --files-from",
            ));
        }
        let mut inputs = Vec::new();
        let mut stream: Option<Images> = None;
        #[cfg_attr(
            not(feature = "webdataset"),
            expect(unused_variables, reason = "only a tar has to be the last")
        )]
        for (place, path) in self.images.iter().enumerate() {
            if path != Path::new("-") {
                inputs.extend(of_path(path.clone(), console)?);
                continue;
            }
            let alone = self.images.len() == 1 && self.files_from.is_none();
            match standard_input::look()? {
                Given::Image(bytes) => inputs.push(Input::Bytes {
                    label: "-".into(),
                    name: "standard input".into(),
                    bytes,
                }),
                #[cfg(feature = "webdataset")]
                Given::Tar(tar) if place + 1 == self.images.len() && self.files_from.is_none() => {
                    stream = Some(Images::Streamed(Box::new(standard_input::members(tar))));
                }
                #[cfg(feature = "webdataset")]
                Given::Tar(_) => {
                    return Err(CliError::usage(
                        "standard input holds a tar, and other images are to come after it",
                        "name `-` last",
                    ));
                }
                Given::List(list) if live && alone => stream = Some(listed(list)),
                Given::List(list) => {
                    for path in list {
                        inputs.extend(of_path(path?, console)?);
                    }
                }
            }
        }
        match &self.files_from {
            None => {}
            Some(_) if list_from_pipe && live && self.images.is_empty() => {
                stream = Some(listed(Listed::of_standard_input()));
            }
            Some(list) => {
                let paths = if list_from_pipe {
                    Listed::of_standard_input()
                } else {
                    Listed::of(fs_err::File::open(list)?)
                };
                for path in paths {
                    inputs.extend(of_path(path?, console)?);
                }
            }
        }
        match stream {
            Some(Images::Streamed(more)) => Ok(Images::Streamed(Box::new(
                inputs.into_iter().map(Ok).chain(more),
            ))),
            _ if inputs.is_empty() => Err(CliError::usage(
                "no images given",
                "name image files or folders",
            )),
            _ => Ok(Images::Listed(inputs)),
        }
    }
}

/// Paths as they come; what is passed over in folders among them is not told.
fn listed(list: Listed) -> Images {
    let inputs = list.flat_map(|path| {
        let inputs = path.and_then(|path| of_path(path, &Console::new(false, true)));
        match inputs {
            Ok(inputs) => inputs.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    });
    Images::Streamed(Box::new(inputs))
}

/// The images of a file, folder or archive.
fn of_path(path: PathBuf, console: &Console) -> Result<Vec<Input>, CliError> {
    if path.is_dir() {
        let walk = Walk::of(&path)?;
        walk::tell(&walk, &path, console)?;
        return Ok(walk.images.into_iter().map(Input::File).collect());
    }
    if is_archive(&path) {
        return of_archive(&path, console);
    }
    Ok(vec![Input::File(path)])
}

/// The images of an archive, in its order.
fn of_archive(path: &Path, console: &Console) -> Result<Vec<Input>, CliError> {
    let found = Archive::open(path)?.images();
    let at = path.display();
    if found.images.is_empty() {
        return Err(CliError::usage(
            format!(
                "no images in the archive {at}: {} files of other kinds",
                found.others
            ),
            format!(
                "images end in one of: {}",
                vlpt_data::image::endings_in_words()
            ),
        ));
    }
    if let Some(first) = &found.first_other {
        let (files, were) = match found.others {
            1 => ("file of another kind", "was"),
            _ => ("files of other kinds", "were"),
        };
        console.say(format!(
            "note: {at}: {} {files} {were} passed over, such as {first}",
            found.others
        ));
    }
    let archive = file_about(path).into();
    let member = |(name, image)| Input::Member {
        label: format!("{at}@{name}"),
        archive: std::sync::Arc::clone(&archive),
        image,
    };
    Ok(found.images.into_iter().map(member).collect())
}
