//! Which layout lies at a path.

use std::path::{Path, PathBuf};

use super::inventory::Inventory;
use super::nearest::nearest;
use super::options::OpenOptions;
use super::{
    arrow, cifar, class_folders, coop, cub, elevater, fer, fiftyone, file_names, folders, idx,
    imagefolder, known, manifest, parquet, webdataset,
};
use crate::catalogue;
use crate::error::{DataError, LayoutError, Result};
use crate::format::Format;
use crate::image::has_image_ending;

/// Data sets inside a folder that an error lists at most.
const INSIDE_SHOWN: usize = 24;
/// Folders that are asked whether they can be listed.
const LISTED: usize = 512;

/// How much a sign is worth; where a stronger one is there, weaker ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// A table whose columns have other than the usual names, whose images are there.
    Weak,
    /// Class folders with no split.
    Folders,
    Sure,
    /// A file that only one program writes, beside folders that others would take for classes.
    Own,
}

#[derive(Debug)]
struct Sign {
    format: Format,
    why: String,
    strength: Strength,
}

/// A layout that was recognised.
#[derive(Debug)]
pub(super) struct Recognised {
    pub(super) format: Format,
    /// What speaks for it.
    pub(super) why: String,
    /// What could have been meant too.
    pub(super) notes: Vec<String>,
}

/// The layout of what lies at `path`.
///
/// # Errors
/// None fits, or more than one.
pub(super) fn recognise(path: &Path, options: &OpenOptions) -> Result<Recognised> {
    if let Some(rule) = options.label_from_name {
        let (format, why) = (Format::FileNames, format!("`--label-from-name {rule}`"));
        let notes = Vec::new();
        return Ok(Recognised { format, why, notes });
    }
    let mut found = signs(path, options);
    if options.image_column.is_some() || options.label_column.is_some() {
        // columns speak for a table, and mean nothing elsewhere
        let is_table = |sign: &Sign| {
            matches!(
                sign.format,
                Format::Csv | Format::Jsonl | Format::Parquet | Format::Arrow
            )
        };
        if found.iter().any(is_table) {
            found.retain(is_table);
        } else if !found.iter().any(|sign| sign.format == Format::Fer2013) {
            let formats = [Format::Csv, Format::Jsonl];
            let error = formats
                .iter()
                .find_map(|format| manifest::explain(path, *format, options));
            if let Some(error) = error {
                return Err(error);
            }
        }
    }
    let best = found.iter().map(|sign| sign.strength).max();
    let (mut found, weaker): (Vec<Sign>, Vec<Sign>) = found
        .into_iter()
        .partition(|sign| Some(sign.strength) == best);
    match found.len() {
        1 => {
            let Sign { format, why, .. } = found.remove(0);
            let weak = weaker
                .into_iter()
                .filter(|sign| sign.strength == Strength::Weak);
            let notes = weak.map(|sign| {
                format!(
                    "{} lists images too and was not used: `--format {}` reads it",
                    sign.why, sign.format
                )
            });
            let notes = notes.collect();
            Ok(Recognised { format, why, notes })
        }
        0 => Err(manifest::unproven(path, options).unwrap_or_else(|| nothing(path))),
        _ => Err(LayoutError::Ambiguous {
            path: path.to_path_buf(),
            found: found
                .into_iter()
                .map(|sign| (sign.format, sign.why))
                .collect(),
        }
        .into()),
    }
}

fn signs(path: &Path, options: &OpenOptions) -> Vec<Sign> {
    let of = |format| sign(path, format, options);
    Format::READABLE.into_iter().filter_map(of).collect()
}

fn sign(path: &Path, format: Format, options: &OpenOptions) -> Option<Sign> {
    let sure = |why: Option<String>| why.map(|why| (why, Strength::Sure));
    let (why, strength) = match format {
        Format::WebDataset => sure(webdataset::recognise(path)),
        Format::Coop => sure(coop::recognise(path)),
        Format::Elevater => sure(elevater::recognise(path)),
        Format::Parquet => sure(parquet::recognise(path)),
        Format::Arrow => sure(arrow::recognise(path)),
        Format::ImageFolder => sure(imagefolder::recognise(path)),
        Format::Jsonl | Format::Csv => {
            let strength = |sure| if sure { Strength::Sure } else { Strength::Weak };
            manifest::recognise(path, format, options).map(|(why, sure)| (why, strength(sure)))
        }
        Format::FiftyOne => fiftyone::recognise(path).map(|why| (why, Strength::Own)),
        Format::Cub => sure(cub::recognise(path)),
        Format::Cifar => sure(cifar::recognise(path)),
        Format::Idx => sure(idx::recognise(path)),
        Format::Fer2013 => fer::recognise(path).map(|why| (why, Strength::Own)),
        Format::ClassFolders => class_folders::recognise(path).map(|why| (why, Strength::Folders)),
        Format::FileNames | Format::Given | Format::Synthetic => None,
    }?;
    Some(Sign {
        format,
        why,
        strength,
    })
}

fn expected(format: Format) -> &'static str {
    match format {
        Format::WebDataset => webdataset::EXPECTED,
        Format::Coop => coop::EXPECTED,
        Format::Elevater => elevater::EXPECTED,
        Format::Parquet => parquet::EXPECTED,
        Format::Arrow => arrow::EXPECTED,
        Format::ImageFolder => imagefolder::EXPECTED,
        Format::Jsonl => manifest::EXPECTED_JSONL,
        Format::Csv => manifest::EXPECTED_CSV,
        Format::FiftyOne => fiftyone::EXPECTED,
        Format::Cub => cub::EXPECTED,
        Format::Cifar => cifar::EXPECTED,
        Format::Idx => idx::EXPECTED,
        Format::Fer2013 => fer::EXPECTED,
        Format::ClassFolders => class_folders::EXPECTED,
        Format::FileNames => file_names::EXPECTED,
        Format::Given | Format::Synthetic => "",
    }
}

/// The error of a path at which no layout fits: what hides it, or what was seen there.
fn nothing(path: &Path) -> DataError {
    if let Err(error) = readable(path) {
        return error;
    }
    let inside: Vec<String> = folders::folders_in(path)
        .into_iter()
        .filter_map(|folder| {
            let format = recognise_here(&path.join(&folder))?;
            Some(format!("{folder} ({format})"))
        })
        .take(INSIDE_SHOWN)
        .collect();
    let found = Inventory::of(path);
    let nearest = nearest(path, &found, &inside);
    let looked_for = match nearest {
        Some(_) => Vec::new(),
        None => Format::READABLE
            .map(|format| format!("{format}: {}", expected(format)))
            .into(),
    };
    LayoutError::NotRecognised {
        path: path.to_path_buf(),
        found: found.lines(),
        nearest,
        looked_for,
        inside,
    }
    .into()
}

/// Whether the folder and those in it can be listed, and their names are Unicode.
fn readable(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    let names = folders::list(path)?;
    names.check(path)?;
    for folder in names.folders.iter().take(LISTED) {
        let place = path.join(folder);
        folders::list(&place)?.check(&place)?;
    }
    Ok(())
}

/// The first layout that fits a folder, without asking what lies inside it.
fn recognise_here(path: &Path) -> Option<Format> {
    let signs = signs(path, &OpenOptions::default());
    signs.first().map(|sign| sign.format)
}

/// Whether a layout fits a path.
pub(super) fn fits(path: &Path, format: Format, options: &OpenOptions) -> bool {
    sign(path, format, options).is_some()
}

/// The only folder in `path`, where nothing else there could be data.
pub(super) fn wrapped(path: &Path) -> Option<PathBuf> {
    let names = folders::list(path).ok()?;
    let data = |name: &String| {
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        let ending = ending.unwrap_or_default();
        has_image_ending(name)
            || [
                "csv", "tsv", "jsonl", "ndjson", "parquet", "arrow", "zip", "tar", "gz", "tgz",
                "heic",
            ]
            .contains(&&*ending)
    };
    match &names.folders[..] {
        [only] if names.odd_folders.is_empty() && !names.files.iter().any(data) => {
            Some(path.join(only))
        }
        _ => None,
    }
}

/// The folder of the set `name` in `path`, or in its folder `classification` as ELEVATER has it.
pub(super) fn inside(path: &Path, name: &str) -> Option<PathBuf> {
    let wanted = known::plain(name);
    let entry = catalogue::find(name);
    let fits = |folder: &str| {
        let plain = known::plain(folder);
        // ELEVATER folders end in a date
        plain == wanted
            || plain
                .strip_prefix(&*wanted)
                .is_some_and(|rest| rest.len() == 8 && rest.parse::<u32>().is_ok())
    };
    // as the catalogue calls it, such as `cifar-10-batches-py`
    let called = |folder: &str| entry.is_some() && catalogue::find(folder) == entry;
    let folders: Vec<PathBuf> = [path.to_path_buf(), path.join("classification")]
        .into_iter()
        .flat_map(|place| {
            let names = folders::folders_in(&place).into_iter();
            names.map(move |name| place.join(name))
        })
        .collect();
    let first = |by: &dyn Fn(&str) -> bool| {
        let mut folders = folders.iter();
        folders.find(|folder| by(&folders::base_name(folder)) && recognise_here(folder).is_some())
    };
    first(&fits).or_else(|| first(&called)).cloned()
}
