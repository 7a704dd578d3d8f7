//! Methods side by side.

mod tables;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::stats::{Ranks, Summary, friedman_ranks, holm, permutation_test, summary};
use crate::{Result, Results, TablesError};

/// Intervals hold their mean with this probability.
const LEVEL: f64 = 0.95;

/// Methods over tasks at one number of shots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Training images a class.
    pub shots: String,
    /// The tasks, columns of the table.
    pub tasks: Vec<String>,
    /// The methods, its rows.
    pub methods: Vec<String>,
    /// `cells[method][task]`, in percent: over the seeds of that cell; none where nothing was measured.
    pub cells: Vec<Vec<Option<Summary>>>,
    /// Mean seconds of a training, in the same places.
    pub seconds: Vec<Vec<Option<f64>>>,
    /// Averages over tasks: over all, and over all but each of the tasks that were named.
    pub averages: Vec<Average>,
    /// Average ranks over the tasks that every method has; none without one.
    pub ranking: Option<Ranking>,
    /// Tests against the reference method, over the tasks that both have.
    pub pairs: Vec<Pair>,
}

/// An average over tasks for each method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Average {
    /// Tasks that are left out.
    pub without: Vec<String>,
    /// Number of tasks.
    pub tasks: usize,
    /// For each method, over seeds; none where it lacks a task. A method whose value does not depend on
    /// the seed counts with its one value.
    pub methods: Vec<Option<Summary>>,
}

/// Average ranks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// The tasks that count.
    pub tasks: Vec<String>,
    /// Ranks of the methods in their order.
    #[serde(flatten)]
    pub ranks: Ranks,
}

/// A method against the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The method.
    pub method: String,
    /// What it is compared with.
    pub reference: String,
    /// Number of tasks that both have.
    pub tasks: usize,
    /// Mean difference over these tasks, in points.
    pub difference: f64,
    /// Two-sided p of the paired permutation test over tasks.
    pub p: f64,
    /// The same, corrected by Holm's method for all methods that are compared.
    pub corrected: f64,
}

impl Comparison {
    /// Compares the methods of `results` at `shots`; with none given, at the only number there is.
    /// `without` are tasks that an average shall leave out, one at a time. `reference` is the method
    /// that others are tested against; none: no test.
    ///
    /// # Errors
    /// [`TablesError::Choice`]: shots, a task or a method that the results do not have, or several
    /// numbers of shots and none chosen.
    pub fn new(
        results: &Results,
        shots: Option<&str>,
        without: &[String],
        reference: Option<&str>,
    ) -> Result<Self> {
        let shots = match (shots, &results.shots()[..]) {
            (Some(shots), _) => shots,
            (None, [only]) => only,
            (None, several) => {
                return Err(TablesError::Choice {
                    what: format!("there are results with {} shots", several.join(", ")),
                    hint: "choose one with --shots".to_owned(),
                });
            }
        };
        let results = results.at(shots)?;
        let (tasks, methods) = (results.tasks(), results.methods());
        known("task", without.iter().map(|task| &**task), &tasks)?;
        known("method", reference.into_iter(), &methods)?;

        let cell = |method: &&str| {
            tasks
                .iter()
                .map(|task| values(&results, method, task))
                .collect()
        };
        let raw: Vec<Vec<BTreeMap<u64, f64>>> = methods.iter().map(cell).collect();
        let cells: Vec<Vec<_>> = raw
            .iter()
            .map(|row| row.iter().map(over_seeds).collect())
            .collect();
        let seconds = |method: &&str| {
            tasks
                .iter()
                .map(|task| mean_seconds(&results, method, task))
                .collect()
        };
        let leave =
            std::iter::once(Vec::new()).chain(without.iter().map(|task| vec![task.clone()]));
        Ok(Self {
            shots: shots.to_owned(),
            averages: leave
                .map(|without| average(&tasks, &raw, without))
                .collect(),
            ranking: ranking(&tasks, &cells),
            pairs: reference.map_or_else(Vec::new, |reference| pairs(&methods, &cells, reference)),
            seconds: methods.iter().map(seconds).collect(),
            tasks: tasks.iter().map(ToString::to_string).collect(),
            methods: methods.iter().map(ToString::to_string).collect(),
            cells,
        })
    }
}

/// An error that lists what there is.
fn known<'a>(what: &str, asked: impl Iterator<Item = &'a str>, there: &[&str]) -> Result<()> {
    for name in asked {
        if !there.contains(&name) {
            return Err(TablesError::Choice {
                what: format!("the results have no {what} \"{name}\""),
                hint: format!("they have {}", there.join(", ")),
            });
        }
    }
    Ok(())
}

fn values(results: &Results, method: &str, task: &str) -> BTreeMap<u64, f64> {
    results
        .of(method, task)
        .map(|score| (score.seed, score.value))
        .collect()
}

fn over_seeds(values: &BTreeMap<u64, f64>) -> Option<Summary> {
    summary(&values.values().copied().collect::<Vec<_>>(), LEVEL)
}

fn mean_seconds(results: &Results, method: &str, task: &str) -> Option<f64> {
    let measured: Vec<f64> = results
        .of(method, task)
        .filter_map(|score| score.seconds)
        .collect();
    summary(&measured, LEVEL).map(|seconds| seconds.mean)
}

/// The mean over tasks for each seed, then over seeds: seeds that some task lacks do not count, and a
/// task with one seed alone counts in all.
fn average(tasks: &[&str], raw: &[Vec<BTreeMap<u64, f64>>], without: Vec<String>) -> Average {
    let counted: Vec<usize> = (0..tasks.len())
        .filter(|&t| !without.iter().any(|w| w == tasks[t]))
        .collect();
    let of_method = |row: &Vec<BTreeMap<u64, f64>>| {
        let several = counted.iter().map(|&t| &row[t]).filter(|of| of.len() > 1);
        let common = several.map(|of| of.keys().copied().collect::<BTreeSet<_>>());
        let common = common.reduce(|a, b| a.intersection(&b).copied().collect());
        let at = |of: &BTreeMap<u64, f64>, seed: &u64| match of.len() {
            1 => of.values().next().copied(),
            _ => of.get(seed).copied(),
        };
        let mean = |seed: &u64| -> Option<f64> {
            let values: Option<Vec<f64>> = counted.iter().map(|&t| at(&row[t], seed)).collect();
            values
                .filter(|v| !v.is_empty())
                .map(|v| v.iter().sum::<f64>() / v.len() as f64)
        };
        let means: Vec<f64> = match common {
            Some(seeds) => seeds.iter().filter_map(mean).collect(),
            None => mean(&0).into_iter().collect(),
        };
        summary(&means, LEVEL)
    };
    Average {
        tasks: counted.len(),
        methods: raw.iter().map(of_method).collect(),
        without,
    }
}

fn ranking(tasks: &[&str], cells: &[Vec<Option<Summary>>]) -> Option<Ranking> {
    let whole: Vec<usize> = (0..tasks.len())
        .filter(|&t| cells.iter().all(|row| row[t].is_some()))
        .collect();
    let value = |t: usize| {
        cells
            .iter()
            .filter_map(|row| row[t])
            .map(|cell| cell.mean)
            .collect()
    };
    let values: Vec<Vec<f64>> = whole.iter().map(|&t| value(t)).collect();
    Some(Ranking {
        tasks: whole.iter().map(|&t| tasks[t].to_owned()).collect(),
        ranks: friedman_ranks(&values)?,
    })
}

fn pairs(methods: &[&str], cells: &[Vec<Option<Summary>>], reference: &str) -> Vec<Pair> {
    let base = methods
        .iter()
        .position(|method| *method == reference)
        .unwrap_or(0);
    let mut pairs = Vec::new();
    for (method, row) in methods
        .iter()
        .zip(cells)
        .filter(|(method, _)| **method != reference)
    {
        let both = row
            .iter()
            .zip(&cells[base])
            .filter_map(|(own, other)| Some(own.as_ref()?.mean - other.as_ref()?.mean));
        let differences: Vec<f64> = both.collect();
        if let Some(test) = permutation_test(&differences, 0) {
            pairs.push(Pair {
                method: (*method).to_owned(),
                reference: reference.to_owned(),
                tasks: test.pairs,
                difference: test.mean,
                p: test.p,
                corrected: 1.0,
            });
        }
    }
    let corrected = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
    for (pair, p) in pairs.iter_mut().zip(corrected) {
        pair.corrected = p;
    }
    pairs
}

#[cfg(test)]
mod tests;
