//! Matrices between sources and targets.

use std::collections::BTreeSet;

use super::cells::{Cell, TransferKind};
use crate::job::Kind;
use crate::matrix::TaskMatrix;
use crate::plan::Plan;

/// One way to transfer with one method: every source by every target.
///
/// The diagonal of co-training is missing: a task together with itself is the task alone, whose
/// score is in [`Cell::single`].
#[derive(Debug, Clone, PartialEq)]
pub struct TransferMatrix {
    /// How sources help.
    pub transfer: TransferKind,
    /// The method.
    pub method: String,
    /// Images per class of the source.
    pub source_shots: usize,
    /// Images per class of the target.
    pub shots: usize,
    /// Seeds, rising.
    pub seeds: Vec<u64>,
    /// Mean score over seeds.
    pub score: TaskMatrix,
    /// Mean relative gain over the single-task score of the same seed.
    pub gain: TaskMatrix,
    /// Standard deviation of that gain over seeds.
    pub gain_std: TaskMatrix,
    /// Mean relative gain over zero-shot CLIP.
    pub gain_over_clip: TaskMatrix,
    /// The relative gain of each seed.
    pub gain_of_seed: Vec<TaskMatrix>,
    /// The score of each seed.
    pub score_of_seed: Vec<TaskMatrix>,
}

/// Matrices in the order of the cells. Rows and columns are in the plan's order.
pub(super) fn matrices(plan: &Plan, cells: &[Cell]) -> Vec<TransferMatrix> {
    let sources = names(plan, |job| match job.kind {
        Kind::Train => job.train_on.iter().map(|t| t.name.clone()).collect(),
        Kind::CoTrain => job.train_on[..1].iter().map(|t| t.name.clone()).collect(),
        _ => Vec::new(),
    });
    let targets = names(plan, |job| {
        job.evaluate_on.iter().map(|t| t.name.clone()).collect()
    });
    let mut keys: Vec<(TransferKind, &str, usize, usize)> = Vec::new();
    for cell in cells {
        let key = (
            cell.transfer,
            cell.method.as_str(),
            cell.source_shots,
            cell.shots,
        );
        if cell.transfer != TransferKind::Joint && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.into_iter()
        .map(|key| one(key, cells, &sources, &targets))
        .collect()
}

fn one(
    key: (TransferKind, &str, usize, usize),
    cells: &[Cell],
    sources: &[String],
    targets: &[String],
) -> TransferMatrix {
    let (transfer, method, source_shots, shots) = key;
    let mut places: Vec<Option<&Cell>> = vec![None; sources.len() * targets.len()];
    for cell in cells {
        if (
            cell.transfer,
            cell.method.as_str(),
            cell.source_shots,
            cell.shots,
        ) != key
        {
            continue;
        }
        let row = sources.iter().position(|name| *name == cell.source);
        let column = targets.iter().position(|name| *name == cell.target);
        if let Some((i, j)) = row.zip(column) {
            places[i * targets.len() + j] = Some(cell);
        }
    }
    let seeds: BTreeSet<u64> = places
        .iter()
        .flatten()
        .flat_map(|cell| cell.scores.iter().map(|&(seed, _)| seed))
        .collect();
    let matrix = |value: &dyn Fn(&Cell) -> Option<f64>| {
        TaskMatrix::from_fn(sources.to_vec(), targets.to_vec(), |i, j| {
            let cell = places[i * targets.len() + j];
            cell.and_then(value).unwrap_or(f64::NAN)
        })
    };
    let of_seed = |pairs: &[(u64, f64)], seed: u64| {
        let found = pairs.iter().find(|&&(other, _)| other == seed);
        found.map(|&(_, value)| value)
    };
    TransferMatrix {
        transfer,
        method: method.to_owned(),
        source_shots,
        shots,
        score: matrix(&|cell| Some(cell.score.mean)),
        gain: matrix(&|cell| Some(cell.gain?.mean)),
        gain_std: matrix(&|cell| cell.gain?.std),
        gain_over_clip: matrix(&|cell| Some(cell.gain_over_clip?.mean)),
        gain_of_seed: seeds
            .iter()
            .map(|&seed| matrix(&|cell| of_seed(&cell.gains, seed)))
            .collect(),
        score_of_seed: seeds
            .iter()
            .map(|&seed| matrix(&|cell| of_seed(&cell.scores, seed)))
            .collect(),
        seeds: seeds.into_iter().collect(),
    }
}

/// Names in the order in which the plan first has them.
fn names(plan: &Plan, of: impl Fn(&crate::job::Job) -> Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in plan.jobs().iter().flat_map(of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
