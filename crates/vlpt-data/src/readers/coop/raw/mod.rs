//! Sets of the suite as their authors publish them, without CoOp's split file.

mod cars;
mod dtd;
mod folders;
mod lists;
mod mat;
mod rule;

use std::collections::BTreeSet;
use std::path::Path;

use super::sets::Set;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::provenance::MadeSplit;
use crate::readers::effect::{DataSetting, without_effect};
use crate::readers::made_split::hash_of;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Class names, and the images of each class.
struct Classes {
    names: Vec<String>,
    images: Vec<Vec<Sample>>,
}

/// Reads a set without its split file; `None` where its own lists are absent as well, or are of a
/// kind that is not read.
///
/// # Errors
/// The lists contradict themselves or the images.
pub(super) fn read(path: &Path, set: &Set, options: &OpenOptions) -> Result<Option<TaskBuilder>> {
    let root = Root::open(path)?;
    let folder = path.join(set.images);
    let seed = options.split_seed;
    if set.name == "DescribableTextures"
        && dtd::is_wanted(path, options)
        && let Some(builder) = dtd::read(&root, path, set, options)?
    {
        return Ok(Some(builder));
    }
    let (classes, parts, rule, ratios) = match set.name {
        "Caltech101" | "DescribableTextures" | "EuroSAT" | "Food101" => {
            let Some(Classes { names, images }) = folders::read(&root, set)? else {
                return Ok(None);
            };
            let rule = "50 % of each class for train, 20 % for val, the rest for test";
            (names, rule::split_all(images, seed), rule, rule::OF_ALL)
        }
        "OxfordFlowers" => {
            let Some(Classes { names, images }) = lists::flowers(&root, path, set)? else {
                return Ok(None);
            };
            let rule = "50 % of each class for train, 20 % for val, the rest for test";
            (names, rule::split_all(images, seed), rule, rule::OF_ALL)
        }
        "OxfordPets" | "StanfordCars" | "SUN397" | "UCF101" => {
            let found = match set.name {
                "StanfordCars" => cars::read(&root, path, options)?,
                _ => lists::read(&root, path, set, options)?,
            };
            let Some(found) = found else {
                return Ok(None);
            };
            let [train, val] = rule::split_val(found.both, seed);
            let rule = "20 % of each class of the set's own training list for val";
            let parts = [train, val, found.test];
            (found.classes, parts, rule, rule::OF_TRAINING)
        }
        _ => return Ok(None),
    };
    check(path, &classes, &parts)?;
    let usual = OpenOptions::default().split_ratios;
    if options.split_ratios != usual {
        let setting = DataSetting::SplitRatios;
        return Err(without_effect(path, Format::Coop, setting));
    }
    let mut builder = TaskBuilder::new(set.name.to_owned(), classes);
    let lists = parts.each_ref().map(Vec::as_slice);
    builder.made = Some(MadeSplit {
        seed,
        ratios,
        sha256: hash_of(SplitName::ALL.into_iter().zip(lists)),
    });
    for (part, samples) in SplitName::ALL.into_iter().zip(parts) {
        builder.set(part, samples);
    }
    builder.notes.push(format!(
        "{} is not there: split from {} by CoOp's rule ({rule}; seed {seed}). The published file has other images in each part: it depends on the order of a file system, so results differ from published ones",
        set.file,
        folder.file_name().unwrap_or_default().display()
    ));
    Ok(Some(builder))
}

/// Each class needs an image in each part.
fn check(path: &Path, classes: &[String], parts: &[Vec<Sample>; 3]) -> Result<()> {
    for (part, samples) in SplitName::ALL.into_iter().zip(parts) {
        let seen: BTreeSet<u32> = samples.iter().flat_map(|s| s.labels.clone()).collect();
        let absent = (0..).zip(classes).find(|(label, _)| !seen.contains(label));
        if let Some((_, class)) = absent {
            return Err(LayoutError::BadEntry {
                file: path.to_path_buf(),
                place: format!("{} split", part.name()),
                found: format!("no image of the class `{class}`"),
                expected: "enough images of each class for CoOp's rule, 3 or more".to_owned(),
            }
            .into());
        }
    }
    Ok(())
}
