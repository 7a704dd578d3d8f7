//! One row for each unit and task it is evaluated on.

use super::table::{Column, Table};
use crate::plan::Plan;
use crate::result::Outcome;
use crate::unit::{Kind, Unit, UnitId};

/// The score of one unit on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// What the unit does.
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
    /// The unit.
    pub unit: UnitId,
}

/// Rows in the order of the plan and of each unit's tasks.
pub(super) fn rows(plan: &Plan, outcomes: &[Option<Outcome>]) -> Vec<ScoreRow> {
    let mut rows = Vec::new();
    for ((unit, id), outcome) in plan.units().iter().zip(plan.ids()).zip(outcomes) {
        let Some(outcome) = outcome else {
            continue;
        };
        for target in &unit.evaluate_on {
            let Some(&score) = outcome.scores.get(&target.name) else {
                continue;
            };
            let (source_shots, shots) = shots(unit);
            rows.push(ScoreRow {
                kind: unit.kind,
                method: unit.method.clone(),
                source: source(unit, &target.name),
                target: target.name.clone(),
                source_shots,
                shots,
                seed: unit.seed,
                score,
                unit: id.clone(),
            });
        }
    }
    rows
}

fn source(unit: &Unit, target: &str) -> String {
    let names = unit.train_on.iter().map(|task| task.name.as_str());
    let names: Vec<&str> = match (&unit.start_from, unit.kind) {
        (_, Kind::ZeroShot | Kind::Single) => Vec::new(),
        (Some(source), Kind::Adapt) => source.tasks.iter().map(String::as_str).collect(),
        (_, Kind::CoTrain | Kind::Joint) => names.filter(|name| *name != target).collect(),
        (_, Kind::Train | Kind::Adapt) => names.collect(),
    };
    names.join("+")
}

/// Shots of source and target.
fn shots(unit: &Unit) -> (usize, usize) {
    match (unit.kind, &unit.start_from) {
        (Kind::ZeroShot, _) => (0, 0),
        (Kind::Train, _) => (unit.shots, 0),
        (Kind::Single, _) => (0, unit.shots),
        (_, Some(source)) => (source.shots, unit.shots),
        (_, None) => (unit.shots, unit.shots),
    }
}

pub(super) fn table(rows: &[ScoreRow]) -> Table {
    let text = |of: fn(&ScoreRow) -> &str| Column::text(rows.iter().map(of));
    let whole = |of: fn(&ScoreRow) -> i64| Column::whole(rows.iter().map(of));
    Table::new(vec![
        ("kind", text(|r| r.kind.name())),
        ("method", text(|r| &r.method)),
        ("source", text(|r| &r.source)),
        ("target", text(|r| &r.target)),
        ("source_shots", whole(|r| r.source_shots as i64)),
        ("shots", whole(|r| r.shots as i64)),
        ("seed", whole(|r| r.seed as i64)),
        ("score", Column::number(rows.iter().map(|r| Some(r.score)))),
        ("unit", text(|r| r.unit.as_str())),
    ])
}
