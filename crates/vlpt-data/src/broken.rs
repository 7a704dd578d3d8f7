//! Images that cannot be read or decoded, taken out of a task before anything is drawn from it.
//!
//! Every image is decoded once. What is left is the task that there would be if somebody had deleted the broken
//! files: the same few shots are drawn, in the same order, and the same images are judged. A split that is made because
//! the set has none is made before, over all files.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{DataError, Result};
use crate::image::{DecodeOptions, Limits};
use crate::provenance::LeftOut;
use crate::sample::Sample;
use crate::task::{Split, Task};

/// What is done about images that cannot be read or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrokenImages {
    /// The first that is met ends the work with an error.
    #[default]
    Stop,
    /// They are left out before images are drawn, and listed.
    Skip,
}

impl BrokenImages {
    /// Whether this is the default, which written files leave out.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The images of all splits: so many are looked at.
pub fn count_images(task: &Task) -> usize {
    task.train.len() + task.test.len() + task.val.as_ref().map_or(0, Split::len)
}

/// Decodes every image of a task, takes out those that cannot be decoded, and says so in its provenance. `seen` is called after each
/// image, from any thread.
///
/// # Errors
/// A class that had training images is left with none, or there is no memory to decode an image.
pub fn leave_out(task: &mut Task, seen: &(dyn Fn() + Sync)) -> Result<()> {
    let classes = task.classes.clone();
    let all = count_images(task);
    let mut left_out = Vec::new();
    sift("train", &mut task.train, &classes, &mut left_out, seen)?;
    if let Some(val) = &mut task.val {
        sift("val", val, &classes, &mut left_out, seen)?;
    }
    sift("test", &mut task.test, &classes, &mut left_out, seen)?;
    if let Some(first) = left_out.first() {
        let count = left_out.len();
        task.provenance.notes.push(format!(
            "{count} of {all} images cannot be decoded and were left out, such as {}",
            first.reason
        ));
    }
    task.provenance.left_out = left_out;
    Ok(())
}

fn sift(
    name: &str,
    split: &mut Split,
    classes: &[String],
    left_out: &mut Vec<LeftOut>,
    seen: &(dyn Fn() + Sync),
) -> Result<()> {
    let options = DecodeOptions {
        limits: Limits::default(),
        ..DecodeOptions::default()
    };
    let look = |sample: &Sample| {
        let error = sample.load_then(&options, drop).err();
        seen();
        match error {
            // memory that is lacking is no fault of the image
            Some(error @ DataError::NoMemory { .. }) => Err(error),
            error => Ok(error),
        }
    };
    let found: Vec<Option<DataError>> =
        split.samples.par_iter().map(look).collect::<Result<_>>()?;
    if found.iter().all(Option::is_none) {
        return Ok(());
    }
    let before = split.class_counts(classes.len());
    let mut first: BTreeMap<u32, String> = BTreeMap::new();
    let samples = std::mem::take(&mut split.samples);
    for (sample, error) in samples.into_iter().zip(found) {
        let Some(error) = error else {
            split.samples.push(sample);
            continue;
        };
        for &label in &sample.labels {
            first.entry(label).or_insert_with(|| error.to_string());
        }
        left_out.push(LeftOut {
            split: name.to_owned(),
            id: sample.image.id(),
            reason: error.to_string(),
        });
    }
    // Without a training image a class cannot be learned. Judging goes on without a class's test images.
    let after = split.class_counts(classes.len());
    let lost = (0..classes.len()).find(|&c| before[c] > 0 && after[c] == 0);
    match lost {
        Some(class) if name == "train" => Err(DataError::ClassOfBrokenImages {
            class: classes[class].clone(),
            split: name.to_owned(),
            images: before[class],
            first: first.remove(&(class as u32)).unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}
