//! Sets with lists of their own for training and testing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::sets::Set;
use super::Classes;
use super::mat::numbers;
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::readers::folders::file_sample;
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::readers::text::lines;
use crate::sample::Sample;

/// What the lists of a set say.
pub(super) struct Lists {
    pub(super) classes: Vec<String>,
    pub(super) both: Vec<Sample>,
    pub(super) test: Vec<Sample>,
}

/// Image (relative to the image folder), label and class name of a line.
type Line = (String, u32, String);

/// The lists of a set: training and testing, and how a line of them is read.
pub(super) fn read(
    root: &Arc<Root>,
    path: &Path,
    set: &Set,
    options: &OpenOptions,
) -> Result<Option<Lists>> {
    let files = match set.name {
        "OxfordPets" => ["annotations/trainval.txt", "annotations/test.txt"],
        "SUN397" => ["Training_01.txt", "Testing_01.txt"],
        _ => [
            "ucfTrainTestlist/trainlist01.txt",
            "ucfTrainTestlist/testlist01.txt",
        ],
    };
    if files.iter().any(|file| !path.join(file).is_file()) {
        return Ok(None);
    }
    let numbered = match set.name {
        "SUN397" => Some((path.join("ClassName.txt"), false)),
        "UCF101" => Some((path.join("ucfTrainTestlist/classInd.txt"), true)),
        _ => None,
    };
    let mut labels: BTreeMap<String, u32> = BTreeMap::new();
    if let Some((file, numbers)) = numbered {
        if !file.is_file() {
            return Ok(None);
        }
        labels = label_list(&file, numbers)?;
    }
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    let mut listings = Listings::new(root);
    let mut parts = Vec::new();
    for file in files {
        let mut samples = Vec::new();
        let place = path.join(file);
        let mut missing = Missing::new(&place, options);
        for (number, text) in lines(&place)?.iter().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (image, label, name) = match set.name {
                "OxfordPets" => pet(text),
                "SUN397" => scene(text, &labels),
                _ => action(text, &labels),
            }
            .ok_or_else(|| LayoutError::BadEntry {
                file: place.clone(),
                place: format!("line {}", number + 1),
                found: format!("`{text}`"),
                expected: "an image and its class, as the set's own lists have them".to_owned(),
            })?;
            let origin = format!("{}: line {}", place.display(), number + 1);
            let full = Root::plain(&format!("{}/{image}", set.images), &origin)?;
            names.entry(label).or_insert(name);
            let there = listings.has(&full)?;
            if missing.check(there, || (format!("line {}", number + 1), full.clone())) {
                samples.push(file_sample(root, &full, vec![label]));
            }
        }
        missing.finish()?;
        parts.push(samples);
    }
    let test = parts.pop().unwrap_or_default();
    let both = parts.pop().unwrap_or_default();
    let gap = (0..).zip(names.keys()).find(|(want, label)| want != *label);
    if let Some((want, _)) = gap {
        return Err(LayoutError::BadEntry {
            file: path.join(files[0]),
            place: "classes".to_owned(),
            found: format!("no image of class {want}"),
            expected: "classes without gaps".to_owned(),
        }
        .into());
    }
    Ok(Some(Lists {
        classes: names.into_values().collect(),
        both,
        test,
    }))
}

/// Labels by class: the place in the sorted list, or the number before the name.
fn label_list(file: &Path, numbers: bool) -> Result<BTreeMap<String, u32>> {
    let mut found = BTreeMap::new();
    let mut rows = lines(file)?;
    rows.retain(|line| !line.trim().is_empty());
    if !numbers {
        rows.sort();
    }
    for (place, line) in (0..).zip(&rows) {
        let entry = match (numbers, line.trim().split_once(' ')) {
            (false, _) => Some((line.trim().trim_start_matches('/').to_owned(), place)),
            (true, Some((number, name))) => {
                let number: Option<u32> = number.parse().ok();
                number.and_then(|n| Some((name.trim().to_owned(), n.checked_sub(1)?)))
            }
            (true, None) => None,
        };
        let (name, label) = entry.ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: format!("line {}", place + 1),
            found: format!("`{line}`"),
            expected: "a number from 1, a blank and a class name".to_owned(),
        })?;
        found.insert(name, label);
    }
    Ok(found)
}

/// `Abyssinian_100 1 1 1`: image, class from 1, species, breed. The class is called after the image,
/// in small letters.
fn pet(line: &str) -> Option<Line> {
    let mut fields = line.split_whitespace();
    let (image, label) = (fields.next()?, fields.next()?);
    let label = label.parse::<u32>().ok()?.checked_sub(1)?;
    let (breed, _) = image.rsplit_once('_')?;
    Some((format!("{image}.jpg"), label, breed.to_lowercase()))
}

/// `/a/abbey/sun_x.jpg`: folders are the class. Its name has them from the last to the first,
/// without the letter: `/a/apartment_building/outdoor` is `outdoor apartment_building`.
fn scene(line: &str, labels: &BTreeMap<String, u32>) -> Option<Line> {
    let image = line.trim_start_matches('/');
    let (class, _) = image.rsplit_once('/')?;
    let label = *labels.get(class)?;
    let (_, words) = class.split_once('/')?;
    let words: Vec<&str> = words.split('/').rev().collect();
    Some((image.to_owned(), label, words.join(" ")))
}

/// `ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1`: the middle frame of the video, in a folder whose
/// name has its words apart: `Apply_Eye_Makeup/v_ApplyEyeMakeup_g08_c01.jpg`.
fn action(line: &str, labels: &BTreeMap<String, u32>) -> Option<Line> {
    let video = line.split_whitespace().next()?;
    let (class, file) = video.split_once('/')?;
    let label = *labels.get(class)?;
    let mut name = String::new();
    for letter in class.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter);
    }
    let frame = format!("{name}/{}.jpg", file.strip_suffix(".avi")?);
    Some((frame, label, name))
}

/// Oxford Flowers: `imagelabels.mat` has the class (from 1) of each `jpg/image_00001.jpg`, and
/// `cat_to_name.json` the names. Classes and their images; `None` where a file is absent.
pub(super) fn flowers(root: &Arc<Root>, path: &Path, set: &Set) -> Result<Option<Classes>> {
    let (labels, names) = (path.join("imagelabels.mat"), path.join("cat_to_name.json"));
    if !labels.is_file() || !names.is_file() {
        return Ok(None);
    }
    let bad = |file: &Path, found: String, expected: &str| LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: "content".to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let expected = "a MATLAB file with one row of numbers called `labels`";
    let numbers =
        numbers(&fs_err::read(&labels)?, "labels").map_err(|what| bad(&labels, what, expected))?;
    let named: BTreeMap<String, String> =
        serde_json::from_slice(&fs_err::read(&names)?).map_err(|error| {
            bad(
                &names,
                error.to_string(),
                "an object of class number and name",
            )
        })?;
    let count = named.len();
    let mut images = vec![Vec::new(); count];
    let mut listings = Listings::new(root);
    for (place, number) in (1..).zip(numbers) {
        let full = format!("{}/image_{place:05}.jpg", set.images);
        let label = (number as usize).checked_sub(1).filter(|l| *l < count);
        let label = label.ok_or_else(|| {
            bad(
                &labels,
                format!("class {number} of image {place}"),
                "a class that has a name",
            )
        })?;
        if !listings.has(&full)? {
            let found = format!("image {place}, but no {full}");
            return Err(bad(&labels, found, "an image for each number").into());
        }
        images[label].push(file_sample(root, &full, vec![label as u32]));
    }
    let name = |label: usize| {
        let name = named.get(&(label + 1).to_string()).cloned();
        name.ok_or_else(|| bad(&names, format!("no name for {}", label + 1), "names from 1"))
    };
    let names = (0..count)
        .map(name)
        .collect::<std::result::Result<_, _>>()?;
    Ok(Some(Classes { names, images }))
}
