//! COCO index files: `images`, `annotations`, `categories`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::listed::Listed;
use crate::error::{LayoutError, Result};

#[derive(Deserialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    zip_file: Option<String>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

/// Whether the file is an object with the three lists.
pub(super) fn looks_like(file: &Path) -> bool {
    file.is_file() && load(file).is_ok()
}

fn load(file: &Path) -> Result<Coco> {
    serde_json::from_slice(&fs_err::read(file)?).map_err(|error| {
        LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: format!("line {}, column {}", error.line(), error.column()),
            found: error.to_string(),
            expected: "COCO JSON: images {id, file_name, zip_file}, annotations {image_id, category_id}, categories {id, name}".to_owned(),
        }
        .into()
    })
}

/// Class names by the order of category ids, and images by the order of image ids. A label is the
/// place of its category in that order, so ids may start anywhere.
pub(super) fn read(file: &Path) -> Result<(Vec<String>, Vec<Listed>)> {
    let Coco {
        images,
        annotations,
        categories,
    } = load(file)?;
    let bad = |place: String, found: String, expected: &str| LayoutError::BadEntry {
        file: file.to_path_buf(),
        place,
        found,
        expected: expected.to_owned(),
    };
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    for category in categories {
        if names.insert(category.id, category.name).is_some() {
            let place = "`categories`".to_owned();
            return Err(bad(
                place,
                format!("the id {} twice", category.id),
                "each id once",
            )
            .into());
        }
    }
    let label_of: BTreeMap<u64, u32> = names.keys().copied().zip(0..).collect();
    let mut listed: BTreeMap<u64, Listed> = BTreeMap::new();
    for image in images {
        let place = format!("image id {}", image.id);
        let (zip, path) = match (image.zip_file, image.file_name) {
            (None, name) => match name.split_once('@') {
                Some((zip, path)) => (Some(zip.to_owned()), path.to_owned()),
                None => (None, name),
            },
            (zip, name) => (zip, name),
        };
        let entry = Listed {
            place: place.clone(),
            zip,
            path,
            labels: Vec::new(),
        };
        if listed.insert(image.id, entry).is_some() {
            return Err(bad(place, "the id twice".into(), "each image id once").into());
        }
    }
    for (
        index,
        Annotation {
            image_id,
            category_id,
        },
    ) in annotations.into_iter().enumerate()
    {
        let place = format!("entry {index} of `annotations`");
        let Some(label) = label_of.get(&category_id) else {
            return Err(bad(
                place,
                format!("category id {category_id}"),
                "an id of `categories`",
            )
            .into());
        };
        let Some(image) = listed.get_mut(&image_id) else {
            return Err(bad(place, format!("image id {image_id}"), "an id of `images`").into());
        };
        image.labels.push(*label);
    }
    Ok((
        names.into_values().collect(),
        listed.into_values().collect(),
    ))
}
