//! The test images that say what 8 bits cost.

use vlpt_adapter::{Classifier, places};
use vlpt_data::{Sample, Task};

use crate::error::CliError;

/// Test images with the classifier's classes as labels, at most so many, evenly taken.
pub(super) fn held_out(
    task: &Task,
    classifier: &Classifier,
    most: usize,
) -> Result<Vec<Sample>, CliError> {
    let places = places(&task.classes, &classifier.classes)?;
    let known = |sample: &Sample| -> Option<Sample> {
        let labels = sample.labels.iter();
        let labels: Option<Vec<u32>> = labels
            .map(|&label| places[label as usize].map(|place| place as u32))
            .collect();
        Some(Sample {
            image: sample.image.clone(),
            labels: labels?,
        })
    };
    let all: Vec<Sample> = task.test.samples.iter().filter_map(known).collect();
    if all.is_empty() {
        return Err(CliError::usage(
            format!(
                "{}: no test image of one of the prompt's classes",
                task.name
            ),
            "name the data set that the prompt was tuned on",
        ));
    }
    let count = most.min(all.len());
    let even = (0..count).map(|number| all[number * all.len() / count].clone());
    Ok(even.collect())
}
