//! From a name to a task.

use std::path::PathBuf;

use super::image::SyntheticImage;
use super::recipes::{PREFIX, RECIPES, suggestion};
use crate::class_subset::ClassSubset;
use crate::error::{DataError, Result};
use crate::format::Format;
use crate::metric::Metric;
use crate::provenance::Provenance;
use crate::sample::{ImageRef, Sample};
use crate::split_name::SplitName;
use crate::task::{Split, Task};

/// Training images of a class.
pub const TRAIN_PER_CLASS: usize = 32;
/// Validation images of a class.
pub const VAL_PER_CLASS: usize = 8;
/// Test images of a class.
pub const TEST_PER_CLASS: usize = 32;

/// The synthetic task of this name; another `seed` gives other images of the same kind.
///
/// Images come in the order class 0, 1, 2, ..., 0, 1, 2, ... and are drawn when they are loaded.
///
/// # Errors
/// There is no synthetic task of this name.
pub fn task(name: &str, seed: u64) -> Result<Task> {
    let Some(recipe) = RECIPES.iter().position(|recipe| recipe.name == name) else {
        return Err(DataError::UnknownSyntheticTask {
            found: name.to_owned(),
            suggestion: suggestion(name),
        });
    };
    let words = RECIPES[recipe];
    let split = |part: SplitName, per_class: usize| {
        let samples = (0..words.classes.len() * per_class)
            .map(|index| {
                let image = SyntheticImage {
                    recipe,
                    seed,
                    part,
                    index: index as u32,
                };
                Sample {
                    labels: vec![image.label() as u32],
                    image: ImageRef::Synthetic(image),
                }
            })
            .collect();
        Split::new(samples)
    };
    Ok(Task {
        name: words.name.to_owned(),
        classes: words
            .classes
            .iter()
            .map(|&class| class.to_owned())
            .collect(),
        templates: vec![words.template.to_owned()],
        metric: Metric::Accuracy,
        multi_label: false,
        train: split(SplitName::Train, TRAIN_PER_CLASS),
        val: Some(split(SplitName::Val, VAL_PER_CLASS)),
        test: split(SplitName::Test, TEST_PER_CLASS),
        provenance: Provenance {
            root: PathBuf::from(format!("{PREFIX}{name}")),
            format: Format::Synthetic,
            recognised_by: "the name of a synthetic task".to_owned(),
            notes: vec![format!("images made by the program with seed {seed}")],
            made_split: None,
            class_subset: ClassSubset::All,
            whole: None,
            left_out: Vec::new(),
        },
    })
}
