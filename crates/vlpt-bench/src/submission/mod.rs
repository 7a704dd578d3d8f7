//! ELEVATER's submission: probabilities of whole test sets, for each seed, with counts of parameters.

mod format;

use std::path::{Path, PathBuf};

use serde_json::Value;
use vlpt_base::files::read_if_there;
use vlpt_clip::ClipConfig;
use vlpt_study::{Folder, Job, JobId, Kind, Plan, TaskSpec, answers_file, file_name, read_outcome};

use crate::file::BenchFile;
use crate::protocol::Protocol;
use crate::{BenchError, Result};

use format::{Submission, SubmittedTask};

pub use format::check_submission;

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

/// Writes the submission of a method, as tables call it, at a number of shots: `submission-METHOD-SHOTS.zip` in
/// the folder, which is read again and checked.
///
/// # Errors
/// A folder of another benchmark or one that holds no such results, results without probabilities, or what
/// [`check_submission`] refuses.
pub fn submission(dir: &Path, method: &str, shots: usize, model: &ClipConfig) -> Result<Submitted> {
    let file = BenchFile::read(dir)?;
    let protocol = file.protocol()?;
    if protocol.name != "elevater" {
        return Err(BenchError::choice(
            format!("{} is a folder of {}", dir.display(), protocol.name),
            "the submission is ELEVATER's: name a folder of `vlpt bench elevater`",
        ));
    }
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    let mut data = Vec::new();
    let (mut tasks, mut lacks) = (Vec::new(), Vec::new());
    for task in &file.tasks {
        let own = jobs_of(&plan, protocol, &task.name, method, shots);
        let (mut seeds, mut predictions, mut learned) = (Vec::new(), Vec::new(), 0);
        let mut trained_with = shots;
        for (job, id, spec) in own {
            if read_outcome(&folder, job, id)?.is_none() {
                continue;
            }
            let work = folder.work(id);
            predictions.push(probabilities(&answers_file(&work, &spec.name))?);
            learned += trainable(&work)?;
            seeds.push(job.seed);
            trained_with = job.shots;
        }
        if predictions.is_empty() {
            lacks.push(format!("no result of {}", task.name));
            continue;
        }
        let learned = learned as f64 / seeds.len() as f64;
        let images = predictions[0].len();
        let classes = predictions[0].first().map_or(0, Vec::len);
        if let Some(expected) = task.expected[0]
            && expected != classes as u64
        {
            lacks.push(format!(
                "{classes} of {expected} classes of {}, which is left out",
                task.name
            ));
            continue;
        }
        if let Some(expected) = task.expected[3]
            && expected != images as u64
        {
            lacks.push(format!(
                "{images} of {expected} test images of {}",
                task.name
            ));
        }
        data.push(SubmittedTask {
            model_name: file.model.clone(),
            dataset_name: task.name.clone(),
            num_trainable_params: learned,
            num_params: model.parameters() as u64 + learned.round() as u64,
            num_visual_params: model.vision_parameters() as u64,
            num_backbone_params: model.parameters() as u64,
            n_shot: trained_with as i64,
            rnd_seeds: seeds,
            predictions,
        });
        tasks.push(task.name.clone());
    }
    if tasks.is_empty() {
        let lacks = lacks.join("; ");
        return Err(BenchError::choice(
            format!(
                "{} holds nothing of {method} with {shots} shots to submit: {lacks}",
                dir.display()
            ),
            "`vlpt bench table` shows what there is",
        ));
    }
    let path = dir.join(file_name(&format!("submission-{method}-{shots}.zip")));
    let submission = Submission { data };
    if let Some(what) = submission.fault() {
        return Err(BenchError::choice(
            format!("{}: {what}; nothing was written", path.display()),
            "run the benchmark again for this task with --retry",
        ));
    }
    submission.write(&path)?;
    check_submission(&path)?;
    Ok(Submitted { path, tasks, lacks })
}

/// The jobs whose scores on a task stand under a method's name in tables.
fn jobs_of<'a>(
    plan: &'a Plan,
    protocol: &Protocol,
    task: &str,
    method: &str,
    shots: usize,
) -> Vec<(&'a Job, &'a JobId, &'a TaskSpec)> {
    let all = plan.jobs().iter().zip(plan.ids());
    let own = all.filter(|(job, _)| {
        let counted = job.shots == shots || job.kind == Kind::ZeroShot;
        counted && (protocol.label)(job) == method
    });
    let of = |(job, id): (&'a Job, &'a JobId)| {
        let spec = job.evaluate_on.iter().find(|spec| spec.name == task)?;
        Some((job, id, spec))
    };
    own.filter_map(of).collect()
}

/// The probabilities in a file of answers, image by image.
fn probabilities(path: &Path) -> Result<Vec<Vec<f64>>> {
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
        let row: Option<Vec<f64>> = columns
            .iter()
            .map(|&c| record.get(c)?.parse().ok())
            .collect();
        rows.push(row.ok_or_else(|| wrong(format!("row {} has no number", rows.len() + 1)))?);
    }
    Ok(rows)
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
