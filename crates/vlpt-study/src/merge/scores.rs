//! One row for each job and task it is evaluated on.

use vlpt_tables::{Column, Columns};

use crate::job::{Job, JobId, Kind};
use crate::plan::Plan;
use crate::result::Outcome;

/// The score of one job on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// What the job does.
    pub kind: Kind,
    /// Its method.
    pub method: String,
    /// The tasks that help: what was trained on, or started from; the other members of a group.
    /// Joined by `+`; empty for a task alone.
    pub source: String,
    /// The task of the score.
    pub target: String,
    /// Images per class of the source.
    pub source_shots: usize,
    /// Images per class of the target: 0 where nothing was trained there.
    pub shots: usize,
    /// The seed.
    pub seed: u64,
    /// The score: the task's main metric as a fraction.
    pub score: f64,
    /// The job.
    pub job: JobId,
}

/// Rows in the order of the plan and of each job's tasks.
pub(super) fn rows(plan: &Plan, outcomes: &[Option<Outcome>]) -> Vec<ScoreRow> {
    let mut rows = Vec::new();
    for ((job, id), outcome) in plan.jobs().iter().zip(plan.ids()).zip(outcomes) {
        let Some(outcome) = outcome else {
            continue;
        };
        for target in &job.evaluate_on {
            let Some(&score) = outcome.scores.get(&target.name) else {
                continue;
            };
            let (source_shots, shots) = shots(job);
            rows.push(ScoreRow {
                kind: job.kind,
                method: job.method.clone(),
                source: source(job, &target.name),
                target: target.name.clone(),
                source_shots,
                shots,
                seed: job.seed,
                score,
                job: id.clone(),
            });
        }
    }
    rows
}

fn source(job: &Job, target: &str) -> String {
    let names = job.train_on.iter().map(|task| task.name.as_str());
    let names: Vec<&str> = match (&job.start_from, job.kind) {
        (_, Kind::ZeroShot | Kind::Single) => Vec::new(),
        (Some(source), Kind::Adapt) => source.tasks.iter().map(String::as_str).collect(),
        (_, Kind::CoTrain | Kind::Joint) => names.filter(|name| *name != target).collect(),
        (_, Kind::Train | Kind::Adapt) => names.collect(),
    };
    names.join("+")
}

/// Shots of source and target.
fn shots(job: &Job) -> (usize, usize) {
    match (job.kind, &job.start_from) {
        (Kind::ZeroShot, _) => (0, 0),
        (Kind::Train, _) => (job.shots, 0),
        (Kind::Single, _) => (0, job.shots),
        (_, Some(source)) => (source.shots, job.shots),
        (_, None) => (job.shots, job.shots),
    }
}

pub(super) fn table(rows: &[ScoreRow]) -> Columns {
    let text = |of: fn(&ScoreRow) -> &str| Column::text(rows.iter().map(of));
    let whole = |of: fn(&ScoreRow) -> i64| Column::whole(rows.iter().map(of));
    Columns::new(vec![
        ("kind", text(|r| r.kind.name())),
        ("method", text(|r| &r.method)),
        ("source", text(|r| &r.source)),
        ("target", text(|r| &r.target)),
        ("source_shots", whole(|r| r.source_shots as i64)),
        ("shots", whole(|r| r.shots as i64)),
        ("seed", whole(|r| r.seed as i64)),
        ("score", Column::number(rows.iter().map(|r| Some(r.score)))),
        ("unit", text(|r| r.job.as_str())),
    ])
}
