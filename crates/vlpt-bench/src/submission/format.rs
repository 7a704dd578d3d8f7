//! The format of a submission: a zip with `all_predictions.json`, as ELEVATER's toolkit packs it.
//!
//! The document is `{"data": [...]}` with an object a task: `model_name`, `dataset_name`, `num_trainable_params` (the
//! mean over seeds), `num_params`, `num_visual_params`, `num_backbone_params`, `n_shot` (0: nothing was trained; -1: all
//! images), `rnd_seeds`, and `predictions`, seeds by images by classes, probabilities rounded to six decimals.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_base::files::write_atomic;
use vlpt_data::catalogue::{Suite, find_in};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::{BenchError, Result};

/// The file in the zip.
const NAME: &str = "all_predictions.json";
/// Decimals that the toolkit keeps.
const DECIMALS: f64 = 1e6;
/// Relative difference of a sum from 1 that the toolkit lets pass.
const TOLERANCE: f64 = 1e-3;
/// Most bytes of a document: all tasks with three seeds are 2 GB.
const MOST: u64 = 16 << 30;

/// A submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submission {
    /// The tasks.
    pub(super) data: Vec<SubmittedTask>,
}

/// What a model predicts on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmittedTask {
    /// Name of the model.
    pub(super) model_name: String,
    /// The task, as ELEVATER calls it.
    pub(super) dataset_name: String,
    /// Numbers that are learned, as a mean over seeds.
    pub(super) num_trainable_params: f64,
    /// Numbers of the model with what was learned.
    pub(super) num_params: u64,
    /// Numbers of the image tower.
    pub(super) num_visual_params: u64,
    /// Numbers of the model as it was.
    pub(super) num_backbone_params: u64,
    /// Training images of each class.
    pub(super) n_shot: i64,
    /// Seeds.
    pub(super) rnd_seeds: Vec<u64>,
    /// Probabilities: seeds x images x classes.
    pub(super) predictions: Vec<Vec<Vec<f64>>>,
}

impl Submission {
    /// Writes the zip; the same submission gives the same bytes.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut rounded = self.clone();
        let rows = rounded
            .data
            .iter_mut()
            .flat_map(|task| &mut task.predictions);
        for value in rows.flatten().flatten() {
            *value = (*value * DECIMALS).round() / DECIMALS;
        }
        let text = serde_json::to_string(&rounded).map_err(std::io::Error::other)?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(text.len() > u32::MAX as usize);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(NAME, options)
            .map_err(std::io::Error::other)?;
        zip.write_all(text.as_bytes())?;
        let bytes = zip.finish().map_err(std::io::Error::other)?.into_inner();
        Ok(write_atomic(path, &bytes)?)
    }

    /// What is wrong with it, as a task and words; none: nothing.
    pub(super) fn fault(&self) -> Option<String> {
        if self.data.is_empty() {
            return Some("it holds no task".to_owned());
        }
        let mut seen = BTreeSet::new();
        for task in &self.data {
            let name = &task.dataset_name;
            if !seen.insert(name.as_str()) {
                return Some(format!("{name}: is there twice"));
            }
            if let Some(what) = task.fault() {
                return Some(format!("{name}: {what}"));
            }
            let first = &self.data[0];
            if (&task.model_name, task.n_shot) != (&first.model_name, first.n_shot) {
                return Some(format!(
                    "{name}: {} with {} shots, the first task is of {} with {}",
                    task.model_name, task.n_shot, first.model_name, first.n_shot
                ));
            }
        }
        None
    }
}

impl SubmittedTask {
    fn fault(&self) -> Option<String> {
        let Some(entry) = find_in(Suite::Elevater, &self.dataset_name)
            .filter(|entry| entry.name == self.dataset_name)
        else {
            return Some("is no task of ELEVATER".to_owned());
        };
        if self.model_name.is_empty() {
            return Some("model_name is empty".to_owned());
        }
        if self.n_shot < -1 {
            return Some(format!(
                "n_shot is {}: expected 0, a number of images, or -1 for all",
                self.n_shot
            ));
        }
        let learned = self.num_trainable_params;
        if !(learned.is_finite() && learned >= 0.0) || (self.n_shot == 0 && learned > 0.0) {
            return Some(format!(
                "num_trainable_params is {learned} with n_shot {}",
                self.n_shot
            ));
        }
        if self.num_visual_params > self.num_backbone_params
            || self.num_backbone_params > self.num_params
        {
            return Some(format!(
                "{} numbers in all, {} of the backbone, {} of its image tower: expected each to hold the next",
                self.num_params, self.num_backbone_params, self.num_visual_params
            ));
        }
        let seeds = self.rnd_seeds.iter().collect::<BTreeSet<_>>().len();
        if seeds != self.rnd_seeds.len() || seeds != self.predictions.len() || seeds == 0 {
            return Some(format!(
                "{} predictions for the seeds {:?}: expected one for each",
                self.predictions.len(),
                self.rnd_seeds
            ));
        }
        let images = self.predictions[0].len();
        let mut rows = self.rnd_seeds.iter().zip(&self.predictions);
        rows.find_map(|(seed, rows)| {
            if rows.len() != images || images == 0 {
                return Some(format!(
                    "{} images with seed {seed}, {images} with the first: expected as many, and some",
                    rows.len()
                ));
            }
            let mut rows = rows.iter().enumerate();
            rows.find_map(|(image, row)| {
                let what = row_fault(row, entry.class_count, entry.multi_label)?;
                Some(format!("image {image} with seed {seed}: {what}"))
            })
        })
    }
}

/// What is wrong with the probabilities of an image. Those of an image with several classes need not sum to 1.
fn row_fault(row: &[f64], classes: usize, multi_label: bool) -> Option<String> {
    if row.len() != classes {
        return Some(format!("{} probabilities for {classes} classes", row.len()));
    }
    if let Some(outside) = row.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Some(format!("a probability of {outside}"));
    }
    let sum: f64 = row.iter().sum();
    let near = (sum - 1.0).abs() <= TOLERANCE * sum.max(1.0);
    (!multi_label && !near).then(|| format!("probabilities that sum to {sum}"))
}

/// Reads a submission and checks it against the format; gives its tasks. A task that the benchmark has and the
/// submission has not is no error here, nor are fewer test images.
///
/// # Errors
/// No zip with `all_predictions.json`; keys that are missing or not known; a task that is none of ELEVATER's or is
/// there twice, tasks of several models or shots; another number of predictions than of seeds, of images than
/// with another seed, or of classes than the task has; a probability outside 0 to 1, or (of a task with one class
/// an image) a sum that is not 1 to a thousandth.
pub fn check_submission(path: &Path) -> Result<Vec<String>> {
    let wrong = |what: String| {
        BenchError::choice(
            format!("{}: {what}", path.display()),
            "`vlpt bench submission` writes the file from a benchmark with --probabilities",
        )
    };
    let file = fs_err::File::open(path)?;
    let mut zip = ZipArchive::new(file).map_err(|error| wrong(format!("no zip: {error}")))?;
    let document = zip
        .by_name(NAME)
        .map_err(|_| wrong(format!("holds no {NAME}")))?;
    let mut text = String::new();
    document
        .take(MOST)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("{NAME}: {error}")))?;
    let submission: Submission =
        serde_json::from_str(&text).map_err(|error| wrong(format!("{NAME}: {error}")))?;
    match submission.fault() {
        Some(what) => Err(wrong(what)),
        None => Ok(submission
            .data
            .into_iter()
            .map(|task| task.dataset_name)
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> SubmittedTask {
        let row = vec![0.123_456_789, 0.876_543_211];
        SubmittedTask {
            model_name: "m".to_owned(),
            dataset_name: "patch-camelyon".to_owned(),
            num_trainable_params: 4.0,
            num_params: 14,
            num_visual_params: 6,
            num_backbone_params: 10,
            n_shot: 5,
            rnd_seeds: vec![0, 1],
            predictions: vec![vec![row.clone(), row.clone()], vec![row.clone(), row]],
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_the_same_bytes_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.zip"), dir.path().join("two.zip"));
        let submission = Submission { data: vec![good()] };
        submission.write(&one).unwrap();
        submission.write(&two).unwrap();
        assert_eq!(check_submission(&one).unwrap(), ["patch-camelyon"]);
        assert_eq!(fs_err::read(&one).unwrap(), fs_err::read(&two).unwrap());
        let mut zip = ZipArchive::new(fs_err::File::open(&one).unwrap()).unwrap();
        let mut text = String::new();
        zip.by_name(NAME)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains("[0.123457,0.876543]"), "{text}");
        // cut off, and no zip at all
        let bytes = fs_err::read(&one).unwrap();
        fs_err::write(&two, &bytes[..bytes.len() / 2]).unwrap();
        assert!(
            check_submission(&two)
                .unwrap_err()
                .to_string()
                .contains("no zip")
        );
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        type Change = fn(&mut SubmittedTask);
        let faults: [(Change, &str); 10] = [
            (
                |p| p.dataset_name = "pets".to_owned(),
                "no task of ELEVATER",
            ),
            (
                |p| p.dataset_name = "mnist".to_owned(),
                "2 probabilities for 10 classes",
            ),
            (|p| p.rnd_seeds = vec![0], "2 predictions for the seeds [0]"),
            (|p| p.rnd_seeds = vec![1, 1], "expected one for each"),
            (|p| p.predictions[1].truncate(1), "1 images with seed 1"),
            (
                |p| p.predictions[0][1][0] = 0.5,
                "image 1 with seed 0: probabilities that sum",
            ),
            (
                |p| p.predictions[1][0] = vec![-0.5, 1.5],
                "image 0 with seed 1: a probability of -0.5",
            ),
            (|p| p.n_shot = 0, "num_trainable_params is 4"),
            (|p| p.n_shot = -2, "n_shot is -2"),
            (|p| p.num_params = 9, "expected each to hold the next"),
        ];
        for (change, what) in faults {
            let mut task = good();
            change(&mut task);
            let fault = Submission { data: vec![task] }.fault().unwrap();
            assert!(fault.contains(what), "{fault}");
        }
        let twice = Submission {
            data: vec![good(), good()],
        };
        assert!(twice.fault().unwrap().contains("twice"));
        assert!(Submission { data: Vec::new() }.fault().is_some());
        assert_eq!(Submission { data: vec![good()] }.fault(), None);
    }
}
