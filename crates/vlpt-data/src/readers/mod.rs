//! Readers of data sets, one file a format, and the recognition of the format.

mod class_file;
mod class_folders;
mod coop;
mod effect;
mod elevater;
mod folders;
mod imagefolder;
mod known;
mod made_split;
mod manifest;
mod missing;
mod options;
mod parquet;
mod task_builder;
mod text;
mod webdataset;

use std::path::{Path, PathBuf};

pub use effect::{DataSetting, check_settings};
pub use options::OpenOptions;

use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::task::Task;

/// Opens a data set: recognises its layout, or takes the one that was named, and lists its images.
///
/// Layouts are tried in the order of [`Format::READABLE`]; exactly one must fit. Class folders with
/// no split are the weakest sign and count only where nothing else fits. Where `path` holds several
/// sets and `options.name` is the name of a folder inside, that folder is opened.
///
/// # Errors
/// No layout or more than one fits, the set contradicts itself, or an option has no effect on it; see
/// [`LayoutError`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Task> {
    fs_err::metadata(path)?;
    let (format, why) = match options.format {
        Some(format) => (format, "it was named".to_owned()),
        None => match recognise(path) {
            Ok(found) => found,
            Err(error) => {
                let inside = options.name.as_deref().and_then(|name| inside(path, name));
                return match inside {
                    Some(folder) => open(&folder, options),
                    None => Err(error),
                };
            }
        },
    };
    check_settings(path, format, options)?;
    let mut builder = match format {
        Format::WebDataset => webdataset::read(path, options),
        Format::Coop => coop::read(path, options),
        Format::Elevater => elevater::read(path, options),
        Format::Parquet => parquet::read(path, options),
        Format::ImageFolder => imagefolder::read(path, options),
        Format::Jsonl | Format::Csv => manifest::read(path, format, options),
        Format::ClassFolders => class_folders::read(path, options),
        Format::Synthetic => Err(LayoutError::NotThisFormat {
            path: path.to_path_buf(),
            format,
            expected: "the name of a synthetic task, not a path".to_owned(),
        }
        .into()),
    }?;
    let folders = matches!(
        format,
        Format::ClassFolders | Format::ImageFolder | Format::Coop
    );
    if let Some(file) = options.class_file.as_deref().filter(|_| folders) {
        class_file::apply(&mut builder, file)?;
    }
    let task = builder.finish(path, format, why, options)?;
    effect::check_task(path, &task, options)?;
    task.with_class_subset(options.class_subset)
}

/// The layout of what lies at `path`, and what speaks for it.
///
/// # Errors
/// None fits, or more than one.
pub fn recognise(path: &Path) -> Result<(Format, String)> {
    let mut found = signs(path);
    if found.len() > 1 {
        found.retain(|(format, _)| *format != Format::ClassFolders);
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(not_recognised(path).into()),
        _ => Err(LayoutError::Ambiguous {
            path: path.to_path_buf(),
            found,
        }
        .into()),
    }
}

fn signs(path: &Path) -> Vec<(Format, String)> {
    let sign = |format: Format| match format {
        Format::WebDataset => webdataset::recognise(path),
        Format::Coop => coop::recognise(path),
        Format::Elevater => elevater::recognise(path),
        Format::Parquet => parquet::recognise(path),
        Format::ImageFolder => imagefolder::recognise(path),
        Format::Jsonl | Format::Csv => manifest::recognise(path, format),
        Format::ClassFolders => class_folders::recognise(path),
        Format::Synthetic => None,
    };
    Format::READABLE
        .into_iter()
        .filter_map(|format| Some((format, sign(format)?)))
        .collect()
}

fn expected(format: Format) -> &'static str {
    match format {
        Format::WebDataset => webdataset::EXPECTED,
        Format::Coop => coop::EXPECTED,
        Format::Elevater => elevater::EXPECTED,
        Format::Parquet => parquet::EXPECTED,
        Format::ImageFolder => imagefolder::EXPECTED,
        Format::Jsonl => manifest::EXPECTED_JSONL,
        Format::Csv => manifest::EXPECTED_CSV,
        Format::ClassFolders => class_folders::EXPECTED,
        Format::Synthetic => "",
    }
}

fn not_recognised(path: &Path) -> LayoutError {
    let looked_for = Format::READABLE.map(|format| format!("{format}: {}", expected(format)));
    let inside = folders::folders_in(path)
        .into_iter()
        .filter_map(|folder| {
            let (format, _) = recognise_here(&path.join(&folder))?;
            Some(format!("{folder} ({format})"))
        })
        .take(INSIDE_SHOWN)
        .collect();
    LayoutError::NotRecognised {
        path: path.to_path_buf(),
        looked_for: looked_for.into(),
        inside,
    }
}

/// Data sets inside a folder that an error lists at most.
const INSIDE_SHOWN: usize = 24;

/// The first layout that fits a folder, without asking what lies inside it.
fn recognise_here(path: &Path) -> Option<(Format, String)> {
    signs(path).into_iter().next()
}

/// The folder of the set `name` in `path`, or in its folder `classification` as ELEVATER has it.
fn inside(path: &Path, name: &str) -> Option<PathBuf> {
    let wanted = plain_name(name);
    let fits = |folder: &str| {
        let plain = plain_name(folder);
        // ELEVATER folders end in a date
        plain == wanted
            || plain
                .strip_prefix(&*wanted)
                .is_some_and(|rest| rest.len() == 8 && rest.parse::<u32>().is_ok())
    };
    [path.to_path_buf(), path.join("classification")]
        .into_iter()
        .flat_map(|place| {
            folders::folders_in(&place)
                .into_iter()
                .map(move |name| (place.clone(), name))
        })
        .find(|(place, folder)| fits(folder) && recognise_here(&place.join(folder)).is_some())
        .map(|(place, folder)| place.join(folder))
}

fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The error of a layout whose reader was left out of this build.
#[cfg(not(all(feature = "parquet", feature = "webdataset")))]
fn not_built_in(path: &Path, format: Format, feature: &'static str) -> crate::error::DataError {
    LayoutError::NotBuiltIn {
        path: path.to_path_buf(),
        format,
        feature,
    }
    .into()
}
