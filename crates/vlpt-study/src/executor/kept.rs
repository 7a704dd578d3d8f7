//! What a job keeps of its evaluations beside the scores.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vlpt_adapter::metrics::Calibration;
use vlpt_adapter::{Evaluation, Row, RowLabels, RowOptions, RowWriter};
use vlpt_data::{Sample, Task};

use super::context::ExecutorError;
use super::settings::Keep;

/// A name of a task or a method as that of a file: what is no letter, digit or one of `-_.` becomes `_`.
pub fn file_name(task: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    task.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

/// The file in a job's folder with each test image's answer.
pub fn answers_file(work: &Path, task: &str) -> PathBuf {
    work.join("answers")
        .join(format!("{}.csv", file_name(task)))
}

/// The file in a job's folder with its result on a task as CLIP_benchmark writes it.
pub fn clip_benchmark_file(work: &Path, task: &str) -> PathBuf {
    work.join("clip_benchmark")
        .join(format!("{}.json", file_name(task)))
}

/// The other measures of an evaluation, by the names that tables use; shares from 0 to 1.
pub(super) fn measures(found: &Evaluation) -> Value {
    let calibration = found.calibration.as_ref();
    json!({
        "accuracy": found.accuracy,
        "mean-per-class": found.mean_per_class,
        "macro-f1": found.macro_f1,
        "brier": found.brier_score,
        "ece": calibration.map(|curve| curve.expected_error),
        "brier-scaled": found.scaled.as_ref().map(|scaled| scaled.brier_score),
        "ece-scaled": found.scaled.as_ref().map(|scaled| scaled.calibration.expected_error),
        "average-precision": found.average_precision,
    })
}

/// The reliability curve of an evaluation's probabilities, and what a temperature makes of it.
pub(super) fn calibration(found: &Evaluation) -> Value {
    let bins = |curve: &Calibration| -> Value {
        let used = curve.bins.iter().filter(|bin| bin.images > 0);
        used.map(|bin| json!([bin.low, bin.high, bin.images, bin.confidence, bin.accuracy]))
            .collect()
    };
    json!({
        "bins": found.calibration.as_ref().map(bins),
        "temperature": found.scaled.as_ref().map(|scaled| scaled.temperature),
        "scaled_bins": found.scaled.as_ref().map(|scaled| bins(&scaled.calibration)),
    })
}

/// Writes answers and result of a task into the job's folder.
pub(super) fn write(
    work: &Path,
    name: &str,
    task: &Task,
    images: &[Sample],
    found: &Evaluation,
    keep: Keep,
    model: (&str, &str),
) -> Result<(), ExecutorError> {
    let answers = answers_file(work, name);
    let result = clip_benchmark_file(work, name);
    for file in [&answers, &result] {
        if let Some(folder) = file.parent() {
            fs_err::create_dir_all(folder)?;
        }
    }
    let options = RowOptions {
        classes: task.classes.clone(),
        top: 0,
        scores: keep == Keep::Probabilities,
        labels: if task.multi_label {
            RowLabels::Many
        } else {
            RowLabels::One
        },
        none_below: None,
    };
    let mut writer = RowWriter::create(&answers, options)?;
    let rows = found.probabilities.chunks_exact(task.classes.len());
    for (image, probabilities) in images.iter().zip(rows) {
        writer.push(&Row {
            path: &image.image.id(),
            labels: &image.labels,
            outcome: Ok(probabilities),
        })?;
    }
    writer.finish()?;
    let text = serde_json::to_string_pretty(&found.clip_benchmark(model.0, model.1))?;
    vlpt_base::files::write_atomic(&result, format!("{text}\n").as_bytes())?;
    Ok(())
}
