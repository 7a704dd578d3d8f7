//! `results.csv`: a row for each task, method, number of shots, seed and measure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vlpt_study::{
    Folder, Job, Kind, Plan, answers_file, clip_benchmark_file, file_name, read_outcome,
};
use vlpt_tables::{Results, SCORE, Score};

use crate::file::BenchFile;
use crate::protocol::Protocol;
use crate::reliability::{self, Reliability};
use crate::{BenchError, Result};

/// The results of a bench folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// What the folder was planned for.
    pub file: BenchFile,
    /// The values.
    pub results: Results,
    /// The task that is trained on for all others, where there is one.
    pub source: Option<String>,
    /// Jobs without a result.
    pub missing: usize,
    /// All jobs.
    pub jobs: usize,
    /// Each test image's answers, of tasks with one class an image.
    pub answers: Vec<KeptAnswers>,
    /// Reliability curves.
    pub reliability: Vec<Reliability>,
    /// Files that were written.
    pub files: Vec<PathBuf>,
}

/// The file with each test image's answers of one result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswers {
    /// The task, as tables call it.
    pub task: String,
    /// What its score is called.
    pub measure: String,
    /// The method, as tables call it.
    pub method: String,
    /// Images of each class, as tables have them.
    pub shots: usize,
    /// The seed.
    pub seed: u64,
    /// The file.
    pub path: PathBuf,
}

/// Reads what is there and writes `results.csv` (and `.parquet`), and beside it each result as CLIP_benchmark
/// writes it and each image's answer, where these were kept. The same results give the same bytes, whoever
/// did the jobs.
///
/// # Errors
/// No benchmark there, a damaged result, or a folder that cannot be written.
pub fn collect(dir: &Path) -> Result<Collected> {
    let file = BenchFile::read(dir)?;
    let protocol = file.protocol()?;
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    let (mut scores, mut missing) = (Vec::new(), 0);
    let mut files = Vec::new();
    let (mut reliability, mut answers) = (Vec::new(), Vec::new());
    for (job, id) in plan.jobs().iter().zip(plan.ids()) {
        let Some(outcome) = read_outcome(&folder, job, id)? else {
            missing += 1;
            continue;
        };
        for task in &job.evaluate_on {
            let Some(&score) = outcome.scores.get(&task.name) else {
                continue;
            };
            let place = Place::of(&task.name, protocol);
            let mut measures = vec![(place.measure.to_owned(), score)];
            let others = &outcome.details["measures"][task.name.as_str()];
            if let Some(others) = others.as_object() {
                let number = |(name, value): (&String, &serde_json::Value)| {
                    Some((place.named(name), value.as_f64()?))
                };
                measures.extend(others.iter().filter_map(number));
            }
            for shots in shots_of(job, &file, &plan) {
                let curve = &outcome.details["calibration"][task.name.as_str()];
                let of = (task.name.as_str(), (protocol.label)(job), shots, job.seed);
                reliability.extend(Reliability::of(curve, of));
                let path = answers_file(&folder.work(id), &task.name);
                // an image of several classes is neither right nor wrong
                let kept = path.is_file() && others["accuracy"].is_number();
                answers.extend(kept.then(|| KeptAnswers {
                    task: place.task.to_owned(),
                    measure: place.measure.to_owned(),
                    method: (protocol.label)(job),
                    shots,
                    seed: job.seed,
                    path,
                }));
                for (measure, value) in &measures {
                    scores.push(Score {
                        task: place.task.to_owned(),
                        method: (protocol.label)(job),
                        seed: job.seed,
                        shots: shots.to_string(),
                        measure: measure.clone(),
                        value: 100.0 * value,
                        seconds: None,
                    });
                }
            }
            files.extend(copies(dir, &folder.work(id), job, &task.name, protocol)?);
        }
    }
    let results = Results::new(scores).map_err(|what| {
        BenchError::choice(what, "plan the benchmark again into an empty folder")
    })?;
    if !results.scores().is_empty() {
        files.extend(results.columns().write(dir, "results")?);
    }
    if !reliability.is_empty() {
        files.extend(reliability::write(dir, &reliability)?);
    }
    let mut trainings = plan.jobs().iter().filter(|job| job.kind == Kind::Train);
    let source = trainings.next().filter(|_| protocol.one_source);
    Ok(Collected {
        source: source.map(|job| job.train_on[0].name.clone()),
        file,
        results,
        answers,
        reliability,
        missing,
        jobs: plan.jobs().len(),
        files,
    })
}

/// A task of the plan as tables have it.
struct Place<'a> {
    task: &'a str,
    /// What its score is called: that of a half is the half's.
    measure: &'a str,
}

impl<'a> Place<'a> {
    fn of(name: &'a str, protocol: &Protocol) -> Self {
        let part = protocol.parts.iter().filter(|part| !part.is_all());
        let found = part.into_iter().find_map(|part| {
            let task = name.strip_suffix(part.name())?.strip_suffix(' ')?;
            Some((task, part.name()))
        });
        let (task, measure) = found.unwrap_or((name, SCORE));
        Self { task, measure }
    }

    /// Another measure's name.
    fn named(&self, measure: &str) -> String {
        if self.measure == SCORE {
            measure.to_owned()
        } else {
            format!("{} {measure}", self.measure)
        }
    }
}

/// In which tables a job's scores stand: that of its shots; of a source stage, those of the targets'
/// shots that start from it; what was not trained stands in all.
fn shots_of(job: &Job, file: &BenchFile, plan: &Plan) -> Vec<usize> {
    match job.kind {
        Kind::ZeroShot => file.shots.clone(),
        Kind::Train if job.train_on.len() > 1 => {
            let id = job.id();
            let begun = plan
                .jobs()
                .iter()
                .filter(|other| other.needs().contains(&id));
            let shots: BTreeSet<usize> = begun.map(|other| other.shots).collect();
            shots.into_iter().collect()
        }
        _ => vec![job.shots],
    }
}

/// Copies a job's kept files to names that say what they are of.
fn copies(
    dir: &Path,
    work: &Path,
    job: &Job,
    task: &str,
    protocol: &Protocol,
) -> Result<Vec<PathBuf>> {
    let name = file_name(&format!(
        "{task}-{}-{}-{}",
        (protocol.label)(job),
        job.shots,
        job.seed
    ));
    let mut copied = Vec::new();
    for (from, folder, ending) in [
        (answers_file(work, task), "answers", "csv"),
        (clip_benchmark_file(work, task), "clip_benchmark", "json"),
    ] {
        if !from.is_file() {
            continue;
        }
        let to = dir.join(folder);
        fs_err::create_dir_all(&to)?;
        let to = to.join(format!("{name}.{ending}"));
        vlpt_base::files::write_atomic(&to, &fs_err::read(&from)?)?;
        copied.push(to);
    }
    Ok(copied)
}
