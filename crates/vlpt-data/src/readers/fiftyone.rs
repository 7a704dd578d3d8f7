//! FiftyOne's image classification data sets: `labels.json` beside `data/`, alone or for each split.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::folders::{base_name, folders_in};
use super::layout::{Gives, Item, Layout};
use super::missing::Missing;
use super::shards::joined;
use super::task_builder::TaskBuilder;
use super::text::labels_by_name;
use super::walker::Walker;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str = "labels.json ({\"classes\": [...], \"labels\": {\"<image>\": <label>}}) beside data/, alone or in folders of splits";

const FILE: &str = "labels.json";
const DATA: &str = "data";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "FiftyOne",
    format: Format::FiftyOne,
    sign: "`labels.json` with `labels` beside a folder `data/`, or folders of splits with both",
    open: "",
    flags: "",
    example: &[
        Item::Text(
            "train/labels.json",
            "{\"classes\": [\"cat\", \"dog\"], \"labels\": {\"001\": 0, \"002\": 1}}\n",
        ),
        Item::Images(&["train/data/001.jpg", "train/data/002.jpg"]),
        Item::Text(
            "test/labels.json",
            "{\"classes\": [\"cat\", \"dog\"], \"labels\": {\"003\": 1}}\n",
        ),
        Item::Images(&["test/data/003.jpg"]),
    ],
    gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
}];

/// Folders with `labels.json` and `data/`, each with its split; one without a split is empty.
fn places(path: &Path) -> Vec<(SplitName, String)> {
    let fits = |folder: &Path| folder.join(FILE).is_file() && folder.join(DATA).is_dir();
    if fits(path) {
        return vec![(SplitName::Train, String::new())];
    }
    folders_in(path)
        .into_iter()
        .filter(|folder| fits(&path.join(folder)))
        .filter_map(|folder| Some((SplitName::from_name(&folder)?, folder)))
        .collect()
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let (_, folder) = places(path).into_iter().next()?;
    let file = joined(&folder, FILE);
    // other programs write files of this name: only this one has its labels in an object
    let json = parse(&path.join(&file)).ok()?;
    json["labels"].as_object()?;
    Some(format!("{file} beside {}/", joined(&folder, DATA)))
}

fn parse(file: &Path) -> Result<Value> {
    let json = serde_json::from_slice(&fs_err::read(file)?);
    json.map_err(|error| bad(file, "JSON", error.to_string(), "a JSON object").into())
}

fn bad(file: &Path, place: &str, found: String, expected: &str) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: place.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

/// A label of an image: its place among the classes, or its name.
enum Cell {
    Number(u64),
    Text(String),
}

/// The labels of an image, and whether they are a list; `None` where it has no label.
fn cells(value: &Value) -> Option<(Option<Vec<Cell>>, bool)> {
    let plain = |value: &Value| match value {
        Value::Number(number) => number.as_u64().map(Cell::Number),
        Value::String(text) => Some(Cell::Text(text.clone())),
        _ => None,
    };
    match value {
        Value::Null => Some((None, false)),
        Value::Array(values) => {
            let cells: Option<Vec<Cell>> = values.iter().map(plain).collect();
            Some((Some(cells?), true))
        }
        // with confidences or attributes
        Value::Object(object) => cells(object.get("label").or_else(|| object.get("labels"))?),
        value => Some((Some(vec![plain(value)?]), false)),
    }
}

/// Labels of images by name, of one split.
struct Part {
    split: SplitName,
    folder: String,
    labels: Vec<(String, Option<Vec<Cell>>)>,
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let (mut parts, mut lists) = (Vec::new(), false);
    let mut classes: Option<Vec<String>> = None;
    for (split, folder) in places(path) {
        let file = path.join(joined(&folder, FILE));
        let json = parse(&file)?;
        if let Some(names) = json["classes"].as_array() {
            let names: Option<Vec<String>> = names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect();
            let names = names
                .ok_or_else(|| bad(&file, "key `classes`", "no names".into(), "class names"))?;
            if classes.as_ref().is_some_and(|before| *before != names) {
                let expected = "the same classes in every split";
                return Err(bad(&file, "key `classes`", names.join(", "), expected).into());
            }
            classes = Some(names);
        }
        let expected = "an object of image and label";
        let entries = json["labels"]
            .as_object()
            .ok_or_else(|| bad(&file, "key `labels`", "no object".into(), expected))?;
        let mut labels = Vec::with_capacity(entries.len());
        for (image, value) in entries {
            let (cells, list) = cells(value).ok_or_else(|| {
                let place = format!("label of `{image}`");
                bad(
                    &file,
                    &place,
                    value.to_string(),
                    "a class, its number, or a list of them",
                )
            })?;
            lists |= list;
            labels.push((image.clone(), cells));
        }
        parts.push(Part {
            split,
            folder,
            labels,
        });
    }
    if parts.is_empty() {
        let (path, format) = (path.to_path_buf(), Format::FiftyOne);
        let expected = EXPECTED.to_owned();
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected,
        }
        .into());
    }
    let classes = classes.unwrap_or_else(|| names(&parts));
    let mut builder = TaskBuilder::new(base_name(path), classes);
    builder.multi_label = lists.then_some(true);
    let mut walker = Walker::new(&root).with_options(options);
    for part in parts {
        let file = path.join(joined(&part.folder, FILE));
        place(part, &file, &mut walker, &mut builder, options)?;
    }
    builder.notes.extend(walker.notes());
    Ok(builder)
}

/// Class names that occur, sorted.
fn names(parts: &[Part]) -> Vec<String> {
    let cells = parts.iter().flat_map(|part| &part.labels);
    let cells = cells.filter_map(|(_, cells)| cells.as_ref()).flatten();
    let names: BTreeSet<&String> = cells
        .filter_map(|cell| match cell {
            Cell::Text(text) => Some(text),
            Cell::Number(_) => None,
        })
        .collect();
    names.into_iter().cloned().collect()
}

/// Finds the images of a split and puts them into the builder.
fn place(
    part: Part,
    file: &Path,
    walker: &mut Walker,
    builder: &mut TaskBuilder,
    options: &OpenOptions,
) -> Result<()> {
    let data = joined(&part.folder, DATA);
    let mut image_of: BTreeMap<String, String> = BTreeMap::new();
    for image in walker.images(&data)? {
        let name = &image[data.len() + 1..];
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        image_of.insert(stem.to_owned(), image.clone());
        image_of.insert(name.to_owned(), image);
    }
    let label_of = labels_by_name(&builder.classes);
    let count = builder.classes.len();
    let mut missing = Missing::new(file, options);
    let (mut samples, mut unlabelled) = (Vec::new(), 0);
    for (name, cells) in part.labels {
        let Some(cells) = cells else {
            unlabelled += 1;
            continue;
        };
        let mut labels = Vec::with_capacity(cells.len());
        for cell in cells {
            let (label, told) = match cell {
                Cell::Number(number) => (u32::try_from(number).ok(), number.to_string()),
                Cell::Text(text) => (label_of.get(&text).copied(), text),
            };
            let label = label.filter(|label| (*label as usize) < count);
            labels.push(label.ok_or_else(|| {
                let place = format!("label of `{name}`");
                bad(
                    file,
                    &place,
                    format!("`{told}`"),
                    &format!("one of the {count} classes"),
                )
            })?);
        }
        labels.sort_unstable();
        labels.dedup();
        let image = image_of.get(&name);
        let told = || (format!("label of `{name}`"), joined(&data, &name));
        if missing.check(image.is_some(), told)
            && let Some(image) = image
        {
            let mut sample = walker.sample(image, 0);
            sample.labels = labels;
            samples.push(sample);
        }
    }
    builder.notes.extend(missing.finish()?);
    if unlabelled > 0 {
        builder.notes.push(format!(
            "{unlabelled} images of the {} split have no label and were left out",
            part.split.name()
        ));
    }
    builder.set(part.split, samples);
    Ok(())
}
