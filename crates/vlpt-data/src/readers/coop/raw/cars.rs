//! Stanford Cars as its authors publish it: annotations in MATLAB files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lists::Lists;
use super::mat::{Array, array};
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::readers::folders::file_sample;
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;

/// Training and testing: the places of their annotations, and the folder of their images.
const PARTS: [([&str; 2], &str); 2] = [
    (
        ["devkit/cars_train_annos.mat", "cars_train_annos.mat"],
        "cars_train",
    ),
    (
        [
            "cars_test_annos_withlabels.mat",
            "devkit/cars_test_annos_withlabels.mat",
        ],
        "cars_test",
    ),
];

/// Reads `cars_train_annos.mat`, `cars_test_annos_withlabels.mat` and `cars_meta.mat`; `None` where one
/// of them is absent.
///
/// # Errors
/// They hold something else, or contradict each other or the images.
pub(super) fn read(root: &Arc<Root>, path: &Path, options: &OpenOptions) -> Result<Option<Lists>> {
    let there = |places: &[&str]| -> Option<PathBuf> {
        let mut files = places.iter().map(|place| path.join(place));
        files.find(|file| file.is_file())
    };
    let meta = there(&["devkit/cars_meta.mat", "cars_meta.mat"]);
    let [train, test] = PARTS.map(|(places, _)| there(&places));
    let (Some(meta), Some(train), Some(test)) = (meta, train, test) else {
        return Ok(None);
    };
    let classes = names(&meta)?;
    let mut listings = Listings::new(root);
    let mut part = |file: &Path, folder: &str| {
        samples(root, file, folder, classes.len(), options, &mut listings)
    };
    let both = part(&train, PARTS[0].1)?;
    let test = part(&test, PARTS[1].1)?;
    Ok(Some(Lists {
        classes,
        both,
        test,
    }))
}

fn damaged(file: &Path, found: String, expected: &str) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: "content".to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

/// Class names with the year in front, as CoOp's reader puts them: `2012 Tesla Model S`.
fn names(file: &Path) -> Result<Vec<String>> {
    let expected = "cells of class names called `class_names`";
    let bad = |found: String| damaged(file, found, expected);
    let Array::Cells(cells) = array(&fs_err::read(file)?, "class_names").map_err(bad)? else {
        return Err(damaged(file, "something else".to_owned(), expected).into());
    };
    let mut names = Vec::with_capacity(cells.len());
    for (place, cell) in (1..).zip(&cells) {
        let name = cell.text().and_then(|name| name.rsplit_once(' '));
        let (rest, year) =
            name.ok_or_else(|| bad(format!("no name with a year at place {place}")))?;
        names.push(format!("{year} {rest}"));
    }
    Ok(names)
}

/// The images of one file of annotations.
fn samples(
    root: &Arc<Root>,
    file: &Path,
    folder: &str,
    classes: usize,
    options: &OpenOptions,
    listings: &mut Listings,
) -> Result<Vec<Sample>> {
    let expected =
        "structs called `annotations` with an image in `fname` and a class from 1 in `class`";
    let bad = |found: String| damaged(file, found, expected);
    let Array::Structs(all) = array(&fs_err::read(file)?, "annotations").map_err(bad)? else {
        return Err(bad("something else".to_owned()).into());
    };
    let mut samples = Vec::with_capacity(all.len());
    let mut missing = Missing::new(file, options);
    for (place, fields) in (1..).zip(&all) {
        let (image, label) = entry(fields, classes)
            .ok_or_else(|| bad(format!("annotation {place} without them")))?;
        let at = format!("annotation {place}");
        let full = Root::plain(
            &format!("{folder}/{image}"),
            &format!("{}: {at}", file.display()),
        )?;
        if missing.check(listings.has(&full)?, || (at, full.clone())) {
            samples.push(file_sample(root, &full, vec![label]));
        }
    }
    missing.finish()?;
    Ok(samples)
}

fn entry(fields: &BTreeMap<String, Array>, classes: usize) -> Option<(&str, u32)> {
    let label = fields.get("class")?.number()?.checked_sub(1)?;
    let image = fields.get("fname")?.text()?;
    ((label as usize) < classes).then_some((image, label))
}
