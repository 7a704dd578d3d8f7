//! Manifests: a CSV or JSON Lines file with one image a row.

mod csv_rows;
mod jsonl_rows;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::folders::{base_name, file_sample, list};
use super::layout::{Gives, Item, Layout};
use super::missing::Missing;
use super::task_builder::TaskBuilder;
use super::text::{class_list, labels_by_name};
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;

use rows::Row;

pub(super) const EXPECTED_CSV: &str =
    "a .csv (or .tsv) file with columns path and label, and split if it likes";
pub(super) const EXPECTED_JSONL: &str =
    "a .jsonl file with keys path and label, and split if it likes";

/// As the documentation shows it.
pub(super) const LAYOUTS_JSONL: &[Layout] = &[Layout {
    name: "JSON Lines",
    format: Format::Jsonl,
    sign: "a `.jsonl` or `.ndjson` file whose first line has an image key and a label key",
    open: "",
    flags: "",
    example: &[
        Item::Text(
            "manifest.jsonl",
            "{\"path\": \"photos/1.jpg\", \"label\": \"cat\", \"split\": \"train\"}\n{\"path\": \"photos/2.jpg\", \"label\": \"dog\", \"split\": \"train\"}\n{\"path\": \"photos/3.jpg\", \"label\": \"cat\", \"split\": \"test\"}\n",
        ),
        Item::Images(&["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"]),
    ],
    gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
}];

/// As the documentation shows it.
pub(super) const LAYOUTS_CSV: &[Layout] = &[Layout {
    name: "table",
    format: Format::Csv,
    sign: "a `.csv` or `.tsv` file whose header has an image column and a label column",
    open: "",
    flags: "",
    example: &[
        Item::Text(
            "manifest.csv",
            "path,label,split\nphotos/1.jpg,cat,train\nphotos/2.jpg,dog,train\nphotos/3.jpg,cat,test\n",
        ),
        Item::Images(&["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"]),
    ],
    gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
}];

/// Files with class names, one a line, that may lie beside a manifest.
const CLASS_FILES: [&str; 3] = ["classes.txt", "classnames.txt", "labels.txt"];

fn endings(format: Format) -> &'static [&'static str] {
    if format == Format::Csv {
        &["csv", "tsv"]
    } else {
        &["jsonl", "ndjson"]
    }
}

/// Manifests at `path`: the file itself, or in a folder `train.csv` and its like, else the only
/// file of the format. The flag says whether the files' names are splits.
fn files(path: &Path, format: Format) -> Vec<(Option<SplitName>, PathBuf)> {
    let fits = |file: &Path| {
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        ending.is_some_and(|ending| endings(format).contains(&&*ending))
            && has_columns(file, format)
    };
    if path.is_file() {
        return if fits(path) {
            vec![(None, path.to_path_buf())]
        } else {
            Vec::new()
        };
    }
    let names = list(path).map(|names| names.files).unwrap_or_default();
    let found: Vec<PathBuf> = names
        .iter()
        .map(|name| path.join(name))
        .filter(|file| fits(file))
        .collect();
    let splits: Vec<(Option<SplitName>, PathBuf)> = found
        .iter()
        .filter_map(|file| {
            let stem = file.file_stem()?.to_string_lossy().into_owned();
            Some((Some(SplitName::from_name(&stem)?), file.clone()))
        })
        .collect();
    if splits.is_empty() {
        found.into_iter().map(|file| (None, file)).collect()
    } else {
        splits
    }
}

fn has_columns(file: &Path, format: Format) -> bool {
    let options = OpenOptions::default();
    let columns = if format == Format::Csv {
        csv_rows::columns(file, &options)
    } else {
        jsonl_rows::columns(file, &options)
    };
    columns.is_ok()
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path, format: Format) -> Option<String> {
    let found = files(path, format);
    let (_, first) = found.first()?;
    Some(format!(
        "the manifest {}",
        first.file_name().unwrap_or_default().display()
    ))
}

pub(super) fn read(path: &Path, format: Format, options: &OpenOptions) -> Result<TaskBuilder> {
    let mut found = files(path, format);
    if found.is_empty() && path.is_file() {
        found.push((None, path.to_path_buf())); // named by the user: say what it lacks
    }
    let by_split = found.iter().any(|(part, _)| part.is_some());
    if found.is_empty() {
        let expected = if format == Format::Csv {
            EXPECTED_CSV
        } else {
            EXPECTED_JSONL
        };
        let (path, expected) = (path.to_path_buf(), expected.to_owned());
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected,
        }
        .into());
    }
    if !by_split && found.len() > 1 {
        let names = found
            .iter()
            .map(|(_, file)| file.file_name().unwrap_or_default().display().to_string());
        return Err(LayoutError::BadEntry {
            file: path.to_path_buf(),
            place: "manifests".to_owned(),
            found: names.collect::<Vec<_>>().join(", "),
            expected:
                "one manifest, or files called train, val and test: open the one that is meant"
                    .to_owned(),
        }
        .into());
    }
    let mut read = Vec::new();
    for (part, file) in found {
        let rows = if format == Format::Csv {
            csv_rows::read(&file, options)?
        } else {
            jsonl_rows::read(&file, options)?
        };
        read.push((part, file, rows));
    }
    let folder = if path.is_file() {
        path.parent().unwrap_or(Path::new(""))
    } else {
        path
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let root = Root::open(folder)?;
    let class_file = options.class_file.clone().or_else(|| {
        CLASS_FILES
            .iter()
            .map(|name| folder.join(name))
            .find(|file| file.is_file())
    });
    let rows = || read.iter().flat_map(|(.., rows)| rows);
    let (classes, note) = match &class_file {
        Some(file) => {
            let name = file.file_name().unwrap_or_default().display();
            (class_list(file)?, format!("class names come from {name}"))
        }
        None => (
            names_of(rows()),
            "class names are the labels that occur, sorted".to_owned(),
        ),
    };
    let mut builder = TaskBuilder::new(base_name(path), classes);
    builder.notes.push(note);
    let mut listings = Listings::new(&root);
    let mut parts: [Option<Vec<Sample>>; 3] = Default::default();
    let label_of = labels_by_name(&builder.classes);
    let any_split = rows().any(|row| row.split.is_some());
    for (part, file, rows) in &read {
        let mut missing = Missing::new(file, options);
        for row in rows {
            let part = part_of(row, *part, any_split, file)?;
            let labels = labels_of(row, &label_of, class_file.as_deref(), file)?;
            let origin = format!("{}: {}", file.display(), row.place);
            let image = Root::plain(&row.path, &origin)?;
            let samples = parts[part as usize].get_or_insert_default();
            if missing.check(listings.has(&image)?, || (row.place.clone(), image.clone())) {
                samples.push(file_sample(&root, &image, labels));
            }
        }
        builder.notes.extend(missing.finish()?);
    }
    [builder.train, builder.val, builder.test] = parts;
    Ok(builder)
}

/// Labels that occur: as numbers where all are numbers, else as text.
fn names_of<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let names: BTreeSet<&String> = rows.flat_map(|row| &row.labels).collect();
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    if names.iter().all(|name| name.parse::<i64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or(i64::MAX));
    }
    names
}

fn part_of(
    row: &Row,
    of_file: Option<SplitName>,
    any_split: bool,
    file: &Path,
) -> Result<SplitName> {
    let bad = |found: String| LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: row.place.clone(),
        found,
        expected: "the split train, val or test".to_owned(),
    };
    match (&row.split, of_file) {
        (_, Some(part)) => Ok(part),
        (Some(name), None) => {
            SplitName::from_name(name).ok_or_else(|| bad(format!("the split `{name}`")).into())
        }
        (None, None) if any_split => Err(bad("no split, while other rows have one".into()).into()),
        (None, None) => Ok(SplitName::Train),
    }
}

/// Labels of a row: names of classes, or with a class file also their numbers from 0.
fn labels_of(
    row: &Row,
    label_of: &BTreeMap<String, u32>,
    class_file: Option<&Path>,
    file: &Path,
) -> Result<Vec<u32>> {
    let mut labels = Vec::with_capacity(row.labels.len());
    for name in &row.labels {
        let by_name = label_of.get(name).copied();
        let number = || {
            name.parse()
                .ok()
                .filter(|label: &u32| (*label as usize) < label_of.len())
        };
        let label = by_name.or_else(|| class_file.and_then(|_| number()));
        let label = label.ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: row.place.clone(),
            found: format!("the label `{name}`"),
            expected: format!(
                "a class of {} or a number below {}",
                class_file.unwrap_or(Path::new("the manifest")).display(),
                label_of.len()
            ),
        })?;
        labels.push(label);
    }
    labels.sort_unstable();
    labels.dedup();
    Ok(labels)
}
