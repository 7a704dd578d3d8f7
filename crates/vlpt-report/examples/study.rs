//! Writes the report of a study with made-up numbers, to see what one looks like:
//!
//! ```sh
//! cargo run -p vlpt-report --example study -- study.html          # 12 tasks
//! cargo run -p vlpt-report --example study -- study.html 3        # as many as wanted
//! cargo run -p vlpt-report --example study -- study.html 12 svg   # and each figure in svg/
//! ```

use std::path::Path;

use vlpt_report::study::{
    GainChart, GainUnit, Grouping, Measure, Measured, Member, Pair, SeedGain, SimilarityPanel,
    Target, TaskGains, Transfer, TransferCell, TransferMap,
};
use vlpt_report::svg::{Gap, Merge, Tree};
use vlpt_report::{Fact, Interval, KeyNumber, StudyReport};

const METHODS: [&str; 3] = ["CoOp", "VPT", "UPT"];
const NAMES: [&str; 12] = [
    "pets",
    "flowers",
    "cars",
    "aircraft",
    "textures",
    "satellite images of land use, RGB",
    "food",
    "scenes",
    "actions",
    "drawn <shapes> & \"counts\"",
    "digits",
    "faces",
];

fn main() -> Result<(), vlpt_report::ReportError> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "study.html".to_owned());
    let tasks = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(12);
    let report = made_up(tasks);
    report.write(Path::new(&path))?;
    match arguments.next() {
        Some(folder) => report.write_figures(Path::new(&folder)),
        None => Ok(()),
    }
}

/// A number from -1 to 1 that depends on nothing but its arguments.
fn noise(a: usize, b: usize, c: usize) -> f64 {
    let mut x = (a * 7919 + b * 104_729 + c * 1_299_709 + 12345) as u64;
    for _ in 0..3 {
        x = (x ^ (x >> 13)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (x >> 7);
    }
    (x % 2001) as f64 / 1000.0 - 1.0
}

/// Similarity: tasks come in families of three.
fn alike(i: usize, j: usize) -> f64 {
    let family = if i / 3 == j / 3 { 0.3 } else { 0.0 };
    0.55 + family + 0.1 * noise(i.min(j), i.max(j), 5)
}

fn made_up(tasks: usize) -> StudyReport {
    let names: Vec<String> = (0..tasks)
        .map(|i| {
            NAMES
                .get(i)
                .map_or_else(|| format!("task {}", i + 1), |n| (*n).to_owned())
        })
        .collect();
    let maps = Transfer::ALL.iter().enumerate().flat_map(|(t, &transfer)| {
        let names = &names;
        METHODS
            .iter()
            .enumerate()
            .map(move |(m, method)| map(names, transfer, method, 10 * t + m))
    });
    let maps: Vec<_> = maps.collect();
    StudyReport {
        title: "Which task helps which: made-up numbers".to_owned(),
        summary: format!(
            "{tasks} tasks, three methods, three ways of transfer. Nothing here was measured."
        ),
        key_numbers: vec![
            key(
                "pairs of tasks",
                &(tasks * tasks).to_string(),
                "for each method",
            ),
            key("best pair", "+24.0 %", "flowers \u{2192} pets, CoOp"),
            key("tasks helped", "9 of 12", "by at least one source"),
        ],
        unit: GainUnit::Relative,
        gains: vec![gains(&names)],
        similarities: maps.iter().take(4).map(panel).collect(),
        groupings: vec![grouping(&names)],
        maps,
        notes: vec![
            "Every number on this page is made up.".to_owned(),
            "Adapted transfer has one seed: its gains have no interval.".to_owned(),
        ],
        facts: vec![
            fact("model", "none"),
            fact("shots", "1, 5, 20"),
            fact("seeds", "0, 1, 2"),
        ],
        commands: vec![
            "cargo run -p vlpt-report --example study -- study.html".to_owned(),
            "vlpt study plan --config study.toml && vlpt study run".to_owned(),
        ],
    }
}

fn key(label: &str, value: &str, detail: &str) -> KeyNumber {
    KeyNumber {
        label: label.to_owned(),
        value: value.to_owned(),
        detail: detail.to_owned(),
    }
}

fn fact(name: &str, value: &str) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Families one after another, last tasks first.
fn tree(items: usize) -> Tree {
    let order: Vec<usize> = (0..items).rev().collect();
    let mut merges = Vec::new();
    let mut roots = Vec::new();
    for first in (0..items).step_by(3) {
        let mut root = first;
        for item in first + 1..(first + 3).min(items) {
            let distance = 0.1 * (item - first) as f64 + 0.03 * noise(item, 1, 1).abs();
            merges.push((root, item, distance));
            root = items + merges.len() - 1;
        }
        roots.push(root);
    }
    let mut left = roots.first().copied().unwrap_or(0);
    for (step, &right) in roots.iter().enumerate().skip(1) {
        merges.push((left, right, 0.3 + 0.06 * step as f64));
        left = items + merges.len() - 1;
    }
    let merge = |(left, right, distance)| Merge {
        left,
        right,
        distance,
    };
    Tree {
        order,
        merges: merges.into_iter().map(merge).collect(),
    }
}

fn map(names: &[String], transfer: Transfer, method: &str, seed: usize) -> TransferMap {
    let clip = |j: usize| 0.35 + 0.2 * noise(j, 0, 0);
    let single = |j: usize| clip(j) + 0.15 + 0.1 * noise(j, seed, 2).abs();
    let help = if transfer == Transfer::ZeroShot {
        -0.35
    } else {
        0.0
    };
    let cell = |i: usize, j: usize| {
        if i == j && transfer == Transfer::CoTraining {
            return missing(Gap::Undefined, "a task with itself is the task alone");
        }
        match (i * 17 + j * 5 + seed) % 61 {
            7 => return missing(Gap::Failed, "loss was not a number in epoch 3"),
            30 => return missing(Gap::NotRun, ""),
            _ => {}
        }
        let gain = if i == j {
            0.0
        } else {
            help + 0.6 * (alike(i, j) - 0.55) + 0.06 * noise(i, j, seed)
        };
        let score = (single(j) * (1.0 + gain)).clamp(0.0, 1.0);
        TransferCell::Measured(Measured {
            score,
            std: (transfer != Transfer::Adapted).then(|| 0.01 + 0.005 * noise(i, j, 9)),
            seeds: if transfer == Transfer::Adapted { 1 } else { 3 },
            over_single: Some(score / single(j) - 1.0),
            over_clip: Some(score / clip(j) - 1.0),
        })
    };
    let n = names.len();
    TransferMap {
        transfer,
        method: method.to_owned(),
        setting: "5 shots, seeds 0 to 2".to_owned(),
        sources: names.to_vec(),
        targets: (0..n)
            .map(|j| Target {
                name: names[j].clone(),
                single: Some(single(j)),
                clip: Some(clip(j)),
            })
            .collect(),
        cells: (0..n * n).map(|k| cell(k / n, k % n)).collect(),
        source_tree: tree(n),
        target_tree: tree(n),
        measures: match transfer {
            Transfer::ZeroShot => vec![Measure::OverClip],
            _ => vec![Measure::OverSingle],
        },
    }
}

fn missing(gap: Gap, reason: &str) -> TransferCell {
    TransferCell::Missing {
        gap,
        reason: reason.to_owned(),
    }
}

fn panel(map: &TransferMap) -> SimilarityPanel {
    let measure = map.measures[0];
    let n = map.targets.len();
    let pairs = (0..n * n).map(|k| (k / n, k % n)).filter(|(i, j)| i != j);
    SimilarityPanel {
        similarity: "cosine of mean image features".to_owned(),
        transfer: map.transfer,
        method: map.method.clone(),
        measure,
        pairs: pairs
            .filter_map(|(i, j)| {
                Some(Pair {
                    source: map.sources[i].clone(),
                    target: map.targets[j].name.clone(),
                    similarity: alike(i, j),
                    transfer: measure.value_in(map.measured(i, j)?)?,
                })
            })
            .collect(),
        rho: Some(0.61),
        interval: Some((0.38, 0.77)),
        interval_from: "95 %, bootstrap over tasks".to_owned(),
    }
}

fn share(value: f64, half: f64) -> Interval {
    Interval {
        value,
        low: value - half,
        high: value + half,
    }
}

fn gains(names: &[String]) -> GainChart {
    let gain = |i: usize, m: usize| {
        (noise(i, m, 4) > -0.9).then(|| SeedGain {
            gain: share(
                0.08 * noise(i, 3, 3) + 0.02 * noise(i, m, 3),
                0.015 + 0.01 * noise(m, i, 8).abs(),
            ),
            seeds: 3,
        })
    };
    GainChart {
        title: "Adapted from the multitask prompt against from scratch, 5 shots".to_owned(),
        methods: METHODS.map(str::to_owned).to_vec(),
        tasks: names
            .iter()
            .enumerate()
            .map(|(i, name)| TaskGains {
                name: name.clone(),
                gains: (0..METHODS.len()).map(|m| gain(i, m)).collect(),
            })
            .collect(),
    }
}

fn grouping(names: &[String]) -> Grouping {
    let member = |(i, name): (usize, &String)| {
        let (single, joint) = (
            0.6 + 0.2 * noise(i, 1, 6),
            0.62 + 0.2 * noise(i, 1, 6) + 0.04 * noise(i, 2, 6),
        );
        Member {
            task: name.clone(),
            single: Some(share(single, 0.02)),
            joint: Some(share(joint, 0.015)),
            gain: Some(joint / single - 1.0),
        }
    };
    let members: Vec<_> = names.iter().enumerate().map(member).collect();
    Grouping {
        title: "Agglomerative groups of at most 3, CoOp, 5 shots, seeds 0 to 2".to_owned(),
        groups: members.chunks(3).map(<[Member]>::to_vec).collect(),
        tasks: names.to_vec(),
        tree: tree(names.len()),
    }
}
