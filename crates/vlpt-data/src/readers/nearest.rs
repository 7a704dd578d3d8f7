//! The layout that is nearest to what lies in a folder, and what would have it read.

use std::path::Path;

use super::class_folders::{Look, look};
use super::file_names;
use super::folders::{folders_in, holds_images};
use super::inventory::{Inventory, some};
use super::manifest::Head;
use crate::image::has_image_ending as is_image;
use crate::split_name::SplitName;

/// What to do, in one or two sentences.
pub(super) fn nearest(path: &Path, found: &Inventory, inside: &[String]) -> Option<String> {
    if let Some((table, Some(head))) = found.tables.first() {
        return Some(table_columns(table, head));
    }
    if let Some((table, None)) = found.tables.first() {
        return Some(format!(
            "nearest is a manifest: name the keys of {table} with `--image-column` and `--label-column`"
        ));
    }
    if let Some(sheet) = ["xlsx", "xls", "ods"]
        .iter()
        .find(|ending| found.endings.contains_key(**ending))
    {
        return Some(format!(
            "the labels may stand in the .{sheet} file: save its sheet as CSV with the columns path and label"
        ));
    }
    if look(path) == Some(Look::Unclear) {
        let folders: Vec<String> = folders_in(path);
        return Some(format!(
            "nearest are class folders: `--format classfolders` takes {} for the classes; or open one of them",
            some(&folders)
        ));
    }
    if let Some(told) = split_folders(path) {
        return Some(told);
    }
    if !inside.is_empty() {
        return Some("open one of the folders inside, or choose it with --name".to_owned());
    }
    if let Some(classes) = file_names::guess(&found.flat) {
        let names: Vec<String> = classes.keys().cloned().collect();
        return Some(format!(
            "nearest is a class in the file name: `--label-from-name prefix` finds {} classes, {}",
            names.len(),
            some(&names)
        ));
    }
    arrow(found)
        .or_else(|| annotations(found))
        .or_else(|| one_class(path))
        .or_else(|| archives(found))
        .or_else(|| unlabelled(found))
        .or_else(|| photos(found))
}

/// Flags that name the columns of a table, as far as its first row tells them.
fn table_columns(table: &str, head: &Head) -> String {
    let cell_is_image = |cell: &String| is_image(cell.rsplit(['/', '\\']).next().unwrap_or(cell));
    let image = head
        .first
        .iter()
        .position(|cell| cell_is_image(&cell.trim().to_owned()));
    let name = |place: usize| {
        if head.has_header {
            quoted(head.columns[place].trim())
        } else {
            (place + 1).to_string()
        }
    };
    let (image, label) = match (image, head.columns.len()) {
        (Some(image), 2) => (name(image), name(1 - image)),
        (Some(image), _) => (name(image), "COLUMN".to_owned()),
        (None, _) => ("COLUMN".to_owned(), "COLUMN".to_owned()),
    };
    let what = if head.delimiter.is_some() {
        "columns"
    } else {
        "keys"
    };
    let columns = format!("`--image-column {image} --label-column {label}`");
    if table.contains('/') {
        format!(
            "nearest is a table in a folder inside: open {table} itself, with the folder of its images as `--image-root FOLDER`, and name its {what} with {columns} where they are not understood"
        )
    } else {
        format!(
            "nearest is a table: name the {what} of {table} with {columns}, and the folder of its images with `--image-root FOLDER` where it is not found"
        )
    }
}

fn quoted(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || "_-.".contains(c));
    if plain && !name.is_empty() {
        name.to_owned()
    } else {
        format!("'{name}'")
    }
}

/// Annotations of boxes, which are another task.
fn annotations(found: &Inventory) -> Option<String> {
    let coco = found
        .json
        .iter()
        .find(|name| name.contains("coco") || name.contains("instances_"));
    let boxes = found
        .endings
        .get("xml")
        .is_some_and(|xml| *xml > 1 && *xml * 2 >= found.images());
    (coco.is_some() || boxes).then(|| {
        "these look like annotations of boxes or outlines: classification needs one list of labels an image, so export the set for classification, as class folders or a table".to_owned()
    })
}

/// Folders whose names hold that of a split and something else.
fn split_folders(path: &Path) -> Option<String> {
    let folders = folders_in(path);
    let meant: Vec<(String, SplitName)> = folders
        .iter()
        .filter(|name| SplitName::from_name(name).is_none())
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let mut words = lower.split(|c: char| !c.is_alphabetic());
            Some((name.clone(), words.find_map(SplitName::from_name)?))
        })
        .filter(|(name, _)| {
            folders_in(&path.join(name))
                .iter()
                .any(|class| holds_images(&path.join(name).join(class), 4))
        })
        .collect();
    let (name, part) = meant.first()?;
    let names: Vec<String> = meant.iter().map(|(name, _)| name.clone()).collect();
    Some(format!(
        "nearest is imagefolder: {} look like splits, which have to be called train, val and test: rename `{name}` to `{}`, or open one of them",
        some(&names),
        part.name()
    ))
}

/// One folder of images is one class, which leaves nothing to tell apart.
fn one_class(path: &Path) -> Option<String> {
    let with: Vec<String> = folders_in(path)
        .into_iter()
        .filter(|name| holds_images(&path.join(name), 4))
        .collect();
    match &with[..] {
        [] => None,
        [one] => Some(format!(
            "nearest are class folders, but only `{one}` holds images: a set needs a folder for each of two classes or more"
        )),
        several => {
            let classes = several
                .iter()
                .all(|name| SplitName::from_name(name).is_none());
            let way = if classes {
                "`--format classfolders` takes them for classes; else "
            } else {
                ""
            };
            Some(format!(
                "the folders {} hold images without labels by their names: {way}put the images into a folder for each class, or add a table with the columns path and label",
                some(several)
            ))
        }
    }
}

/// What Hugging Face's `save_to_disk` writes.
fn arrow(found: &Inventory) -> Option<String> {
    found.endings.contains_key("arrow").then(|| {
        "Arrow files are not read: write Parquet with `load_from_disk(FOLDER)` and `to_parquet(\"train.parquet\")` of each split".to_owned()
    })
}

fn archives(found: &Inventory) -> Option<String> {
    let archive = found.archives.first()?;
    Some(format!(
        "the images may lie in the archive {archive}: open it by its own path, DATA/{archive}"
    ))
}

/// Photos of kinds that are not taken for images.
fn photos(found: &Inventory) -> Option<String> {
    let mut kinds = ["heic", "heif", "avif"].iter();
    let kind = kinds.find(|ending| found.endings.contains_key(**ending))?;
    Some(format!(
        "the .{kind} files are not taken for images: convert them to JPEG (`heif-convert`, or `sips` on macOS)"
    ))
}

fn unlabelled(found: &Inventory) -> Option<String> {
    let images = found.images();
    (images > 0).then(|| {
        format!(
            "the {images} images have no labels: put them into a folder for each class, or add a table with the columns path and label; `vlpt predict` needs no labels"
        )
    })
}
