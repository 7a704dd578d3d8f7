//! Readers of data sets, one file a format, and the recognition of the format.

mod arrow;
mod cifar;
mod class_file;
mod class_folders;
mod coop;
mod cub;
mod effect;
mod elevater;
mod fer;
mod fiftyone;
mod file_names;
mod folders;
mod hub_cache;
mod idx;
mod imagefolder;
mod inventory;
mod known;
mod layout;
mod made_split;
mod manifest;
mod missing;
mod name_map;
mod nearest;
mod options;
mod packed;
mod parquet;
mod pixels;
mod recognise;
#[cfg_attr(
    not(any(feature = "parquet", feature = "webdataset")),
    expect(dead_code, reason = "without both readers only names are told")
)]
mod shards;
mod splits;
mod task_builder;
mod text;
mod unlabelled;
mod walker;
mod webdataset;

use std::io::ErrorKind;
use std::path::Path;

pub use effect::{DataSetting, check_settings};
pub use layout::{Gives, Item, Layout};
pub use options::OpenOptions;

use crate::error::{DataError, LayoutError, Result};
use crate::format::Format;
use crate::task::Task;

/// How many folders around a data set are stepped into.
const AROUND: usize = 4;

/// Opens a data set: recognises its layout, or takes the one that was named, and lists its images.
///
/// Layouts are tried in the order of [`Format::READABLE`]; exactly one must fit. Class folders with
/// no split are a weak sign and count only where nothing else fits, and so do tables whose columns
/// have unusual names. Where `path` holds several sets and `options.name` is the name of a folder
/// inside, that folder is opened; where it holds nothing but one folder, that one is, with a note.
///
/// # Errors
/// No layout or more than one fits, the set contradicts itself, or an option has no effect on it; see
/// [`LayoutError`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Task> {
    if !path.exists()
        && path
            .symlink_metadata()
            .is_err_and(|e| e.kind() == ErrorKind::NotFound)
    {
        return Err(DataError::NothingThere {
            path: path.to_owned(),
        });
    }
    fs_err::metadata(path)?;
    if let Some(snapshot) = hub_cache::snapshot(path)? {
        let mut task = open_around(&snapshot.folder, options, AROUND)?;
        task.provenance.notes.push(snapshot.note);
        return Ok(task);
    }
    let shard = || webdataset::recognise(path).is_some();
    if crate::archive::is_archive(path) && options.format != Some(Format::WebDataset) && !shard() {
        let shadow = packed::Shadow::of(path)?;
        let task = open_around(shadow.folder(), options, AROUND);
        return shadow.put_back(task.map_err(|error| shadow.retell(&error))?);
    }
    open_around(path, options, AROUND)
}

/// How the note begins that tells of a split that was made here.
pub(crate) const ONE_LIST: &str = "there is one list of images only";

/// How the note begins that tells of a folder that was stepped into.
const LIES_IN: &str = "the data set lies in the folder `";

/// As [`open`], stepping into at most `around` folders that hold nothing but a folder.
fn open_around(path: &Path, options: &OpenOptions, around: usize) -> Result<Task> {
    fs_err::metadata(path)?;
    let step = || recognise::wrapped(path).filter(|_| around > 0);
    let stepped = |folder: &Path| {
        let mut task = open_around(folder, options, around - 1)?;
        let name = folder.file_name().unwrap_or_default().display();
        let notes = &mut task.provenance.notes;
        match notes.iter_mut().find(|note| note.starts_with(LIES_IN)) {
            Some(note) => note.insert_str(LIES_IN.len(), &format!("{name}/")),
            None => notes.push(format!("{LIES_IN}{name}` inside")),
        }
        Ok(task)
    };
    let (format, why, notes) = match options.format {
        Some(format) => {
            if !recognise::fits(path, format, options)
                && let Some(folder) =
                    step().filter(|folder| recognise::fits(folder, format, options))
            {
                return stepped(&folder);
            }
            (format, "it was named".to_owned(), Vec::new())
        }
        None => match recognise::recognise(path, options) {
            Ok(found) => (found.format, found.why, found.notes),
            Err(error) => {
                let inside = options.name.as_deref();
                let inside = inside.and_then(|name| recognise::inside(path, name));
                if let Some(folder) = inside {
                    return open_around(&folder, options, around);
                }
                let unknown = matches!(error, DataError::Layout(LayoutError::NotRecognised { .. }));
                return match step().filter(|_| unknown) {
                    Some(folder) if recognise::recognise(&folder, options).is_ok() => {
                        stepped(&folder)
                    }
                    Some(folder) if recognise::wrapped(&folder).is_some() => {
                        stepped(&folder).or(Err(error))
                    }
                    _ => Err(error),
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
        Format::Arrow => arrow::read(path, options),
        Format::ImageFolder => imagefolder::read(path, options),
        Format::Jsonl | Format::Csv => manifest::read(path, format, options),
        Format::FiftyOne => fiftyone::read(path, options),
        Format::Cub => cub::read(path, options),
        Format::Cifar => cifar::read(path),
        Format::Idx => idx::read(path, options),
        Format::Fer2013 => fer::read(path),
        Format::ClassFolders => class_folders::read(path, options),
        Format::FileNames => file_names::read(path, options),
        Format::Given => {
            Err(
                LayoutError::other_format(path, format, "images that a program gives, not a path")
                    .into(),
            )
        }
        Format::Synthetic => {
            Err(
                LayoutError::other_format(path, format, "the name of a synthetic task, not a path")
                    .into(),
            )
        }
    }?;
    builder.notes.extend(notes);
    let folders = matches!(
        format,
        Format::ClassFolders
            | Format::ImageFolder
            | Format::Coop
            | Format::FileNames
            | Format::FiftyOne
            | Format::Cub
            | Format::Cifar
            | Format::Idx
            | Format::Fer2013
    );
    if let Some(file) = options.class_file.as_deref().filter(|_| folders) {
        class_file::apply(&mut builder, file)?;
    }
    let task = builder.finish(path, format, why, options)?;
    effect::check_task(path, &task, options)?;
    task.with_class_subset(options.class_subset)
}

/// All layouts that are read, in the order in which their formats are recognised.
pub fn layouts() -> impl Iterator<Item = &'static Layout> {
    let of = |format: Format| match format {
        Format::WebDataset => webdataset::LAYOUTS,
        Format::Coop => coop::LAYOUTS,
        Format::Elevater => elevater::LAYOUTS,
        Format::Parquet => parquet::LAYOUTS,
        Format::Arrow => arrow::LAYOUTS,
        Format::ImageFolder => imagefolder::LAYOUTS,
        Format::Jsonl => manifest::LAYOUTS_JSONL,
        Format::Csv => manifest::LAYOUTS_CSV,
        Format::FiftyOne => fiftyone::LAYOUTS,
        Format::Cub => cub::LAYOUTS,
        Format::Cifar => cifar::LAYOUTS,
        Format::Idx => idx::LAYOUTS,
        Format::Fer2013 => fer::LAYOUTS,
        Format::ClassFolders => class_folders::LAYOUTS,
        Format::FileNames => file_names::LAYOUTS,
        Format::Given | Format::Synthetic => &[],
    };
    Format::READABLE
        .into_iter()
        .flat_map(of)
        .chain(packed::LAYOUTS)
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
