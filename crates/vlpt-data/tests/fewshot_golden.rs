//! The few-shot rules against their published form run by CPython, for 100 seeds
//! (`golden/make_fewshot.py`).

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use vlpt_data::archive::Root;
use vlpt_data::fewshot::{few_shot_joint, few_shot_stream};
use vlpt_data::{FewShotRule, Shots, Subset, Task, few_shot};

#[derive(serde::Deserialize)]
struct Golden {
    seeds: Vec<u64>,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    rule: String,
    list: String,
    shots: usize,
    counts: [usize; 2],
    head: [Vec<usize>; 2],
    sha256: String,
}

/// The script's generator of label lists.
struct Linear(u64);

impl Linear {
    fn below(&mut self, n: u64) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as u32
    }

    fn rare(&mut self, classes: u64) -> u32 {
        self.below(classes).min(self.below(classes))
    }
}

fn single(n: usize, classes: u64, seed: u64) -> Vec<Vec<u32>> {
    let mut lin = Linear(seed);
    (0..n).map(|_| vec![lin.rare(classes)]).collect()
}

fn multi(n: usize, classes: u64, seed: u64) -> Vec<Vec<u32>> {
    let mut lin = Linear(seed);
    (0..n)
        .map(|_| {
            let count = if lin.below(8) == 0 {
                0
            } else {
                1 + lin.below(4)
            };
            let mut labels: Vec<u32> = (0..count).map(|_| lin.rare(classes)).collect();
            labels.sort_unstable();
            labels.dedup();
            labels
        })
        .collect()
}

fn even(n: u32) -> Vec<Vec<u32>> {
    (0..n).map(|i| vec![i % 10]).collect()
}

/// The script's lists as tasks, in its order.
fn tasks() -> Vec<Task> {
    let lists = [
        ("single_even", even(400), even(90), 10),
        ("single_uneven", single(900, 37, 1), single(200, 37, 2), 37),
        ("single_few", single(40, 12, 3), single(15, 12, 4), 12),
        (
            "single_large",
            single(6000, 100, 5),
            single(1500, 100, 6),
            100,
        ),
        ("multi_small", multi(60, 6, 7), Vec::new(), 6),
        ("multi_voc", multi(2501, 20, 8), Vec::new(), 20),
    ];
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    lists
        .into_iter()
        .map(|(name, train, val, classes)| {
            let val = common::split(&root, "", &val);
            let splits = (common::split(&root, "", &train), Some(val.clone()), val);
            let mut task = common::task(folder.path(), name, classes, splits);
            task.multi_label = name.starts_with("multi");
            task
        })
        .collect()
}

#[test]
fn a_hundred_seeds_choose_what_the_published_rules_choose() {
    let golden: Golden = serde_json::from_str(include_str!("golden/fewshot.json")).unwrap();
    assert_eq!(golden.seeds.len(), 100);
    let tasks = tasks();
    let by_name: BTreeMap<&str, &Task> = tasks.iter().map(|task| (&task.name[..], task)).collect();
    let singles: Vec<&Task> = tasks.iter().filter(|task| !task.multi_label).collect();
    let joint: Vec<&Task> = tasks
        .iter()
        .filter(|task| task.name != "single_large")
        .collect();
    // joint draws are made once for all of their tasks
    let mut together: BTreeMap<(&str, usize, u64), Vec<Subset>> = BTreeMap::new();
    for case in &golden.cases {
        let task = by_name[&case.list[..]];
        let shots = Shots::Count(case.shots);
        let mut transcript = String::new();
        for &seed in &golden.seeds {
            let subset = match &case.rule[..] {
                "coop" => few_shot(task, FewShotRule::Coop, case.shots, seed).unwrap(),
                "elevater" => few_shot(task, FewShotRule::Elevater, case.shots, seed).unwrap(),
                rule => together
                    .entry((rule, case.shots, seed))
                    .or_insert_with(|| match rule {
                        "coop_stream" => few_shot_stream(&singles, shots, seed).unwrap(),
                        "elevater_joint" => few_shot_joint(&joint, shots, seed).unwrap(),
                        other => panic!("unknown rule {other}"),
                    })
                    .iter()
                    .find(|subset| subset.task == case.list)
                    .unwrap()
                    .clone(),
            };
            let what = format!("{} {} of {}, seed {seed}", case.shots, case.rule, case.list);
            if seed == 0 {
                assert_eq!(
                    [subset.train.len(), subset.val.len()],
                    case.counts,
                    "{what}"
                );
                for (ids, head) in [(&subset.train, &case.head[0]), (&subset.val, &case.head[1])] {
                    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
                    assert_eq!(ids[..head.len()], head, "{what}");
                }
            }
            writeln!(
                transcript,
                "{}|{}",
                subset.train.join(","),
                subset.val.join(",")
            )
            .unwrap();
        }
        let mut hash = String::new();
        for byte in Sha256::digest(transcript.as_bytes()) {
            write!(hash, "{byte:02x}").unwrap();
        }
        assert_eq!(
            hash, case.sha256,
            "{} {} of {}",
            case.shots, case.rule, case.list
        );
    }
}
