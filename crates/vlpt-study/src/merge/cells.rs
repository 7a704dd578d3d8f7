//! One row for each pair of tasks, over seeds, beside its baselines.

use std::collections::BTreeMap;
use std::fmt;

use super::scores::ScoreRow;
use vlpt_tables::{Column, Columns};

use crate::job::Kind;
use crate::stats::{Summary, relative_gain, summary};

/// The ways in which a source can help a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// Train on i, evaluate on j.
    ZeroShot,
    /// Start from i, tune on j, evaluate on j.
    Adapted,
    /// Tune on i and j together, evaluate on j.
    CoTraining,
    /// Tune on a group together, evaluate on each member.
    Joint,
}

impl TransferKind {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Adapted => "adapted",
            Self::CoTraining => "co-training",
            Self::Joint => "joint",
        }
    }

    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Train => Some(Self::ZeroShot),
            Kind::Adapt => Some(Self::Adapted),
            Kind::CoTrain => Some(Self::CoTraining),
            Kind::Joint => Some(Self::Joint),
            Kind::ZeroShot | Kind::Single => None,
        }
    }
}

impl fmt::Display for TransferKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one source does for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// How it helps.
    pub transfer: TransferKind,
    /// The method.
    pub method: String,
    /// Images per class of the source.
    pub source_shots: usize,
    /// Images per class of the target.
    pub shots: usize,
    /// The source, or the other members of a group joined by `+`.
    pub source: String,
    /// The target.
    pub target: String,
    /// Scores by seed.
    pub scores: Vec<(u64, f64)>,
    /// Their summary, at 95 %.
    pub score: Summary,
    /// Single-task scores of the same method and seeds, at the shots of the target (of the source
    /// for zero-shot transfer).
    pub single: Option<Summary>,
    /// Relative gain over the single-task score of the same seed.
    pub gains: Vec<(u64, f64)>,
    /// Their summary.
    pub gain: Option<Summary>,
    /// Zero-shot CLIP on the target.
    pub clip: Option<f64>,
    /// Relative gain over zero-shot CLIP.
    pub gain_over_clip: Option<Summary>,
}

const LEVEL: f64 = 0.95;

type Key = (TransferKind, String, usize, usize, String, String);

/// Cells in the order in which the plan first speaks of them, by transfer.
pub(super) fn cells(rows: &[ScoreRow]) -> Vec<Cell> {
    let baselines = Baselines::of(rows);
    let mut order: Vec<Key> = Vec::new();
    let mut scores: BTreeMap<Key, Vec<(u64, f64)>> = BTreeMap::new();
    for row in rows {
        let Some(transfer) = TransferKind::of(row.kind) else {
            continue;
        };
        let key = (
            transfer,
            row.method.clone(),
            row.source_shots,
            row.shots,
            row.source.clone(),
            row.target.clone(),
        );
        let seeds = scores.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            Vec::new()
        });
        seeds.push((row.seed, row.score));
    }
    order.sort_by_key(|key| key.0); // stable: the plan's order within a transfer
    order
        .into_iter()
        .filter_map(|key| {
            let mut seeds = scores.remove(&key)?;
            seeds.sort_by_key(|&(seed, _)| seed);
            cell(key, seeds, &baselines)
        })
        .collect()
}

fn cell(key: Key, scores: Vec<(u64, f64)>, baselines: &Baselines) -> Option<Cell> {
    let (transfer, method, source_shots, shots, source, target) = key;
    let base_shots = if transfer == TransferKind::ZeroShot {
        source_shots
    } else {
        shots
    };
    let single = |seed: u64| {
        let key = (method.clone(), target.clone(), base_shots, seed);
        baselines.single.get(&key).copied()
    };
    let bases: Vec<f64> = scores.iter().filter_map(|&(s, _)| single(s)).collect();
    let gain = |&(seed, score): &(u64, f64)| Some((seed, relative_gain(score, single(seed)?)?));
    let gains: Vec<(u64, f64)> = scores.iter().filter_map(gain).collect();
    let clip = baselines.clip.get(&target).copied();
    let over_clip = scores.iter().filter_map(|&(_, s)| relative_gain(s, clip?));
    Some(Cell {
        score: summary(&second(&scores), LEVEL)?,
        single: summary(&bases, LEVEL),
        gain: summary(&second(&gains), LEVEL),
        gain_over_clip: summary(&over_clip.collect::<Vec<_>>(), LEVEL),
        transfer,
        method,
        source_shots,
        shots,
        source,
        target,
        scores,
        gains,
        clip,
    })
}

fn second(pairs: &[(u64, f64)]) -> Vec<f64> {
    pairs.iter().map(|&(_, value)| value).collect()
}

/// What transfer is compared with.
struct Baselines {
    /// By method, target, shots and seed.
    single: BTreeMap<(String, String, usize, u64), f64>,
    /// By target.
    clip: BTreeMap<String, f64>,
}

impl Baselines {
    fn of(rows: &[ScoreRow]) -> Self {
        let mut found = Self {
            single: BTreeMap::new(),
            clip: BTreeMap::new(),
        };
        for row in rows {
            let own = row.kind == Kind::Train && row.source == row.target;
            let shots = if own { row.source_shots } else { row.shots };
            if own || row.kind == Kind::Single {
                let key = (row.method.clone(), row.target.clone(), shots, row.seed);
                found.single.insert(key, row.score);
            }
            if row.kind == Kind::ZeroShot {
                found.clip.insert(row.target.clone(), row.score);
            }
        }
        found
    }
}

pub(super) fn table(cells: &[Cell]) -> Columns {
    let text = |of: fn(&Cell) -> &str| Column::text(cells.iter().map(of));
    let whole = |of: fn(&Cell) -> i64| Column::whole(cells.iter().map(of));
    let number = |of: fn(&Cell) -> Option<f64>| Column::number(cells.iter().map(of));
    Columns::new(vec![
        ("transfer", text(|c| c.transfer.name())),
        ("method", text(|c| &c.method)),
        ("source_shots", whole(|c| c.source_shots as i64)),
        ("shots", whole(|c| c.shots as i64)),
        ("source", text(|c| &c.source)),
        ("target", text(|c| &c.target)),
        ("seeds", whole(|c| c.scores.len() as i64)),
        ("score", number(|c| Some(c.score.mean))),
        ("score_std", number(|c| c.score.std)),
        ("score_low", number(|c| Some(c.score.interval?.0))),
        ("score_high", number(|c| Some(c.score.interval?.1))),
        ("single", number(|c| Some(c.single?.mean))),
        ("gain", number(|c| Some(c.gain?.mean))),
        ("gain_std", number(|c| c.gain?.std)),
        ("gain_low", number(|c| Some(c.gain?.interval?.0))),
        ("gain_high", number(|c| Some(c.gain?.interval?.1))),
        ("clip", number(|c| c.clip)),
        ("gain_over_clip", number(|c| Some(c.gain_over_clip?.mean))),
        ("gain_over_clip_std", number(|c| c.gain_over_clip?.std)),
    ])
}
