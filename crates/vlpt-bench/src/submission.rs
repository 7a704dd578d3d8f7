//! ELEVATER's submission file: probabilities of whole test sets, for each seed, with counts of parameters.
//!
//! A document is `{"data": [...]}` with an object a task: `model_name`, `dataset_name`, `num_trainable_params`,
//! `num_params`, `num_visual_params`, `num_backbone_params`, `n_shot`, `rnd_seeds`, and `predictions`, seeds by
//! images by classes. The toolkit wants it zipped; any program does that.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vlpt_base::files::{read_if_there, write_atomic};
use vlpt_clip::ClipConfig;
use vlpt_study::{Folder, Job, JobId, Kind, Plan, TaskSpec, answers_file, read_outcome};

use crate::file::BenchFile;
use crate::{BenchError, Result};

/// A submission that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The file.
    pub path: PathBuf,
    /// The tasks in it.
    pub tasks: Vec<String>,
    /// What the submission lacks for the benchmark: tasks and test images.
    pub lacks: Vec<String>,
}

/// Writes the submission of a method at a number of shots: `submission-METHOD-SHOTS.json` in the folder.
///
/// # Errors
/// A folder that holds no such results, results without probabilities, or rows that are none: another number of
/// images or classes than in another seed, a probability outside 0 to 1, or a row that does not sum to 1.
pub fn submission(dir: &Path, method: &str, shots: usize, model: &ClipConfig) -> Result<Submitted> {
    let file = BenchFile::read(dir)?;
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    let mut data = Vec::new();
    let (mut tasks, mut lacks) = (Vec::new(), Vec::new());
    for task in &file.tasks {
        let own = jobs_of(&plan, &task.name, method, shots);
        let (mut seeds, mut predictions, mut learned) = (Vec::new(), Vec::new(), 0);
        for (job, id, spec) in own {
            if read_outcome(&folder, job, id)?.is_none() {
                continue;
            }
            let work = folder.work(id);
            predictions.push(probabilities(&answers_file(&work, &spec.name))?);
            learned = trainable(&work)?;
            seeds.push(job.seed);
        }
        if predictions.is_empty() {
            lacks.push(format!("no result of {}", task.name));
            continue;
        }
        check(&task.name, &predictions)?;
        let images = predictions[0].len();
        if let Some(expected) = task.expected[3]
            && expected != images as u64
        {
            lacks.push(format!(
                "{images} of {expected} test images of {}",
                task.name
            ));
        }
        data.push(json!({
            "model_name": file.model,
            "dataset_name": task.name,
            "num_trainable_params": learned,
            "num_params": model.parameters() + learned,
            "num_visual_params": model.vision_parameters(),
            "num_backbone_params": model.parameters(),
            "n_shot": shots,
            "rnd_seeds": seeds,
            "predictions": predictions,
        }));
        tasks.push(task.name.clone());
    }
    if tasks.is_empty() {
        return Err(BenchError::choice(
            format!(
                "{} holds no result of {method} with {shots} shots",
                dir.display()
            ),
            "`vlpt bench table` shows what there is",
        ));
    }
    let text = serde_json::to_string(&json!({ "data": data })).map_err(std::io::Error::other)?;
    let path = dir.join(format!("submission-{method}-{shots}.json"));
    write_atomic(&path, text.as_bytes())?;
    Ok(Submitted { path, tasks, lacks })
}

/// The jobs that train a task alone.
fn jobs_of<'a>(
    plan: &'a Plan,
    task: &str,
    method: &str,
    shots: usize,
) -> Vec<(&'a Job, &'a JobId, &'a TaskSpec)> {
    let all = plan.jobs().iter().zip(plan.ids());
    let own = all.filter(|(job, _)| {
        let kind = job.kind == Kind::Single && job.shots == shots;
        (kind || job.kind == Kind::ZeroShot) && job.method == method
    });
    let of = |(job, id): (&'a Job, &'a JobId)| {
        let spec = job.evaluate_on.iter().find(|spec| spec.name == task)?;
        Some((job, id, spec))
    };
    own.filter_map(of).collect()
}

/// The probabilities in a file of answers, image by image.
fn probabilities(path: &Path) -> Result<Vec<Vec<f32>>> {
    let wrong = |what: String| BenchError::File {
        path: path.to_owned(),
        what,
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let head = reader.headers().map_err(|error| wrong(error.to_string()))?;
    let columns: Vec<usize> = (0..head.len())
        .filter(|&column| head[column].starts_with("score:"))
        .collect();
    if columns.is_empty() {
        return Err(BenchError::choice(
            format!("{}: answers without probabilities", path.display()),
            "a submission needs them: run the benchmark with --probabilities",
        ));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let row: Option<Vec<f32>> = columns
            .iter()
            .map(|&c| record.get(c)?.parse().ok())
            .collect();
        rows.push(row.ok_or_else(|| wrong(format!("row {} has no number", rows.len() + 1)))?);
    }
    Ok(rows)
}

/// Refuses predictions that are none.
fn check(task: &str, predictions: &[Vec<Vec<f32>>]) -> Result<()> {
    let first = &predictions[0];
    let classes = first.first().map_or(0, Vec::len);
    let refuse = |what: String| {
        Err(BenchError::choice(
            format!("{task}: {what}"),
            "run the benchmark again into an empty folder",
        ))
    };
    for (seed, rows) in predictions.iter().enumerate() {
        if rows.len() != first.len() || rows.iter().any(|row| row.len() != classes) {
            return refuse(format!(
                "seed number {seed} has another shape than the first"
            ));
        }
        for (number, row) in rows.iter().enumerate() {
            let sum: f32 = row.iter().sum();
            let share = row.iter().all(|p| (0.0..=1.0).contains(p));
            if !share || (sum - 1.0).abs() > 1e-3 {
                return refuse(format!(
                    "image {number} of seed number {seed} sums to {sum}"
                ));
            }
        }
    }
    Ok(())
}

/// How many values a job learned: those of its prompt folder.
fn trainable(work: &Path) -> Result<usize> {
    let path = work.join("run/prompt/adapter_config.json");
    let Some(bytes) = read_if_there(&path)? else {
        return Ok(0);
    };
    let adapter: Value = serde_json::from_slice(&bytes).map_err(|error| BenchError::File {
        path: path.clone(),
        what: error.to_string(),
    })?;
    let of = |shape: &Value| -> usize {
        let sizes = shape.as_array().into_iter().flatten();
        sizes.filter_map(Value::as_u64).product::<u64>() as usize
    };
    let parameters = adapter["parameters"].as_object();
    Ok(parameters
        .into_iter()
        .flatten()
        .map(|(_, shape)| of(shape))
        .sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_no_probabilities_are_refused() {
        let good = vec![vec![0.25, 0.75], vec![1.0, 0.0]];
        assert!(check("a", &[good.clone(), good.clone()]).is_ok());
        let mut short = good.clone();
        short.pop();
        let text = |rows: Vec<Vec<f32>>| check("a", &[good.clone(), rows]).unwrap_err().to_string();
        assert!(text(short).contains("another shape"));
        assert!(
            text(vec![vec![0.25, 0.25], vec![1.0, 0.0]])
                .contains("image 0 of seed number 1 sums to 0.5")
        );
        assert!(text(vec![vec![-0.5, 1.5], vec![1.0, 0.0]]).contains("image 0"));
    }
}
