//! ELEVATER folders: index files (iris text or COCO JSON), a label file, images in zips.

mod coco;
mod iris;
mod listed;
mod registry;
mod store;

use std::path::{Path, PathBuf};

use super::folders::{base_name, list};
use super::layout::{Gives, Item, Layout};
use super::missing::Missing;
use super::task_builder::TaskBuilder;
use super::text::class_list;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;

use listed::Listed;
use registry::Registered;
use store::Store;

pub(super) const EXPECTED: &str = "index files train.txt, test.txt (lines `zip@path label`) with labels.txt, or *_meta.json in COCO form, beside zips";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "ELEVATER, text index",
        format: Format::Elevater,
        sign: "`train.txt` or `test.txt` (lines `zip@path label`), with `labels.txt`, a zip or a registry beside",
        open: "",
        flags: "",
        example: &[
            Item::Text("labels.txt", "zero\none\n"),
            Item::Text("train.txt", "train.zip@0/7.png 0\ntrain.zip@1/9.png 1\n"),
            Item::Text("test.txt", "test.zip@1/4.png 1\n"),
            Item::Zip("train.zip", &[Item::Images(&["0/7.png", "1/9.png"])]),
            Item::Zip("test.zip", &[Item::Image("1/4.png")]),
        ],
        gives: Gives::single(&["zero", "one"], [2, 0, 1]),
    },
    Layout {
        name: "ELEVATER, COCO index",
        format: Format::Elevater,
        sign: "`*_meta.json` in COCO form, beside zips; several labels an image where the set has them",
        open: "",
        flags: "",
        example: &[
            Item::Text(
                "train_meta.json",
                "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"zip_file\": \"train.zip\"}],\n \"categories\": [{\"id\": 1, \"name\": \"bus\"}, {\"id\": 2, \"name\": \"dog\"}],\n \"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": 1}, {\"id\": 2, \"image_id\": 1, \"category_id\": 2}]}\n",
            ),
            Item::Text(
                "test_meta.json",
                "{\"images\": [{\"id\": 1, \"file_name\": \"b.jpg\", \"zip_file\": \"test.zip\"}],\n \"categories\": [{\"id\": 1, \"name\": \"bus\"}, {\"id\": 2, \"name\": \"dog\"}],\n \"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": 2}]}\n",
            ),
            Item::Zip("train.zip", &[Item::Image("a.jpg")]),
            Item::Zip("test.zip", &[Item::Image("b.jpg")]),
        ],
        gives: Gives::multi(&["bus", "dog"], [1, 0, 1]),
    },
];

/// Names of index files, in the order in which they are looked for.
const STEMS: [(SplitName, &[&str]); 3] = [
    (SplitName::Train, &["train", "train_ic", "train_images"]),
    (
        SplitName::Val,
        &[
            "val",
            "valid",
            "validation",
            "val_ic",
            "valid_ic",
            "val_images",
            "valid_images",
            "validation_images",
        ],
    ),
    (SplitName::Test, &["test", "test_ic", "test_images"]),
];
const LABEL_FILES: [&str; 2] = ["labels.txt", "labelmap.txt"];

/// Index files of a folder by their usual names.
fn index_files(path: &Path) -> Vec<(SplitName, PathBuf)> {
    let mut found = Vec::new();
    for (part, stems) in STEMS {
        let names = stems.iter().flat_map(|stem| {
            [
                format!("{stem}.txt"),
                format!("{stem}_meta.json"),
                format!("{stem}.json"),
            ]
        });
        let fits = |file: &PathBuf| {
            if file.extension().is_some_and(|ending| ending == "json") {
                coco::looks_like(file)
            } else {
                iris::looks_like(file)
            }
        };
        if let Some(file) = names.map(|name| path.join(name)).find(fits) {
            found.push((part, file));
        }
    }
    found
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let files = index_files(path);
    let (_, first) = files.first()?;
    let has_labels = LABEL_FILES.iter().any(|name| path.join(name).is_file());
    let has_zip = list(path).is_ok_and(|names| {
        names
            .files
            .iter()
            .any(|name| name.to_ascii_lowercase().ends_with(".zip"))
    });
    let registered = registry::find(path, None).ok().flatten().is_some();
    (has_labels || has_zip || registered).then(|| {
        format!(
            "the index file {}",
            first.file_name().unwrap_or_default().display()
        )
    })
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let registered = registry::find(path, options.name.as_deref())?;
    let files = match &registered {
        Some(registered) => registered.index_files(path),
        None => index_files(path),
    };
    if files.is_empty() {
        let (path, format) = (path.to_path_buf(), Format::Elevater);
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected: EXPECTED.into(),
        }
        .into());
    }
    let mut lists: Vec<(SplitName, PathBuf, Vec<Listed>)> = Vec::new();
    let mut from_coco: Option<Vec<String>> = None;
    for (part, file) in files {
        if !file.is_file() {
            let set = path.display().to_string();
            let help = "the set's registry vision_datasets.json names this index file; fetch it with the set".to_owned();
            return Err(LayoutError::MissingFile { set, file, help }.into());
        }
        let listed = if file.extension().is_some_and(|ending| ending == "json") {
            let (classes, listed) = coco::read(&file)?;
            if let Some(before) = from_coco.as_ref().filter(|before| **before != classes) {
                return Err(LayoutError::BadEntry {
                    file,
                    place: "`categories`".to_owned(),
                    found: format!("{} categories", classes.len()),
                    expected: format!("the {} categories of the other splits", before.len()),
                }
                .into());
            }
            from_coco = Some(classes);
            listed
        } else {
            iris::read(&file)?
        };
        lists.push((part, file, listed));
    }

    let classes = match (from_coco, &options.class_file) {
        (_, Some(file)) => class_list(file)?,
        (Some(classes), None) => classes,
        (None, None) => class_list(&label_file(path, registered.as_ref())?)?,
    };
    let name = registered
        .as_ref()
        .map_or_else(|| base_name(path), |set| set.name.clone());
    let mut builder = TaskBuilder::new(name, classes);
    builder.multi_label = registered.as_ref().and_then(|set| set.multi_label);
    builder.catalogue_classes = options.class_file.is_none();
    let mut store = Store::new(&root);
    for (part, file, listed) in lists {
        let samples = samples(&file, listed, &builder, &mut store, options)?;
        builder.notes.extend(samples.1);
        builder.set(part, samples.0);
    }
    Ok(builder)
}

fn label_file(path: &Path, registered: Option<&Registered>) -> Result<PathBuf> {
    let named = registered.and_then(|set| set.label_file.as_deref());
    let candidates = named.into_iter().chain(LABEL_FILES);
    candidates.map(|name| path.join(name)).find(|file| file.is_file()).ok_or_else(|| {
        LayoutError::MissingFile {
            set: path.display().to_string(),
            file: path.join(named.unwrap_or(LABEL_FILES[0])),
            help: "the label file holds one class name a line; labelmap.txt is read too, or name a file with --class-file".to_owned(),
        }
        .into()
    })
}

fn samples(
    file: &Path,
    listed: Vec<Listed>,
    builder: &TaskBuilder,
    store: &mut Store,
    options: &OpenOptions,
) -> Result<(Vec<Sample>, Option<String>)> {
    let classes = builder.classes.len();
    let mut missing = Missing::new(file, options);
    let mut samples = Vec::with_capacity(listed.len());
    for Listed {
        place,
        zip,
        path,
        mut labels,
    } in listed
    {
        let bad = |found: String, expected: String| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: place.clone(),
            found,
            expected,
        };
        labels.sort_unstable();
        labels.dedup();
        if let Some(label) = labels.iter().find(|label| **label as usize >= classes) {
            let expected = format!(
                "a label from 0 to {} ({classes} classes)",
                classes.saturating_sub(1)
            );
            return Err(bad(format!("label {label}"), expected).into());
        }
        if builder.multi_label == Some(false) && labels.len() != 1 {
            let found = format!("{} labels", labels.len());
            return Err(bad(found, "one, as the set is registered as multi-class".into()).into());
        }
        let origin = format!("{}: {place}", file.display());
        let image = store.find(zip.as_deref(), &path, &origin)?;
        let told = || (place.clone(), store::joined(zip.as_deref(), &path));
        if missing.check(image.is_some(), told) {
            samples.extend(image.map(|image| Sample { image, labels }));
        }
    }
    Ok((samples, missing.finish()?))
}
