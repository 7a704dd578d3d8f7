//! Multitask prompt tuning whole (Shen et al., 2022): one prompt for the source tasks, tuned on from there on
//! each target, and on groups of targets. Cross-task generalisation has CoOp's eleven sets as sources and
//! the twelve of ELEVATER's tasks as targets whose set is none of these.

use std::collections::BTreeSet;

use vlpt_data::catalogue::Suite;
use vlpt_data::{ClassSubset, FewShotRule};
use vlpt_study::{Job, JobId, Kind, TaskSpec};

use super::{Bench, Protocol, Role, Wanted, start, suite};
use crate::method::BenchMethod;
use crate::{BenchError, Result};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "cross-task",
    summary: "one prompt for CoOp's eleven sets, tuned on to twelve tasks of ELEVATER and groups of them",
    recipes: &["-mvlpt-elevater", "-mvlpt", ""],
    shots: &[1, 5, 20],
    seeds: &[1, 2, 3],
    tasks: || {
        let sources = suite(Suite::Coop, Role::Source);
        let known: BTreeSet<&str> = sources
            .iter()
            .map(|task| task.entry.title.as_str())
            .collect();
        let targets = suite(Suite::Elevater, Role::Target);
        let other = |task: &Wanted| !known.contains(task.entry.title.as_str());
        let targets: Vec<Wanted> = targets.into_iter().filter(other).collect();
        sources.into_iter().chain(targets).collect()
    },
    parts: &[ClassSubset::All],
    rule: FewShotRule::Elevater,
    closed_classes: false,
    prompts_only: true,
    one_source: false,
    jobs,
    label,
    published: ("cross-task", "average of 12"),
    without: "",
};

/// A source stage for each method, number of shots and seed; what starts from it; the same alone.
pub(super) fn jobs(bench: &Bench) -> Result<Vec<Job>> {
    if bench.sources.len() < 2 {
        return Err(BenchError::choice(
            format!(
                "{} source tasks, expected two or more for one prompt together",
                bench.sources.len()
            ),
            "name the folders that hold more of them with --data",
        ));
    }
    let mut jobs = bench.untuned(&bench.targets);
    let mut planned: BTreeSet<JobId> = BTreeSet::new();
    let source = |method: &BenchMethod, shots: usize, seed: u64| {
        let shots = bench.source_shots.unwrap_or(shots);
        let mut job = bench.job_of(Kind::Train, method, &method.source_recipe, (shots, seed));
        job.train_on.clone_from(&bench.sources);
        job.evaluate_on.clone_from(&bench.targets);
        job
    };
    bench.each(|shots, seed, method| {
        let job = source(method, shots, seed);
        if planned.insert(job.id()) {
            jobs.push(job);
        }
    });
    jobs.extend(bench.singles());
    bench.each(|shots, seed, method| {
        let seeds = if bench.same_seed {
            vec![seed]
        } else {
            bench.seeds.clone()
        };
        let from = |seed: &u64| source(method, shots, *seed).id();
        let from: Vec<JobId> = seeds.iter().map(from).collect();
        let source_shots = bench.source_shots.unwrap_or(shots);
        let begun = |kind: Kind, tasks: Vec<TaskSpec>| {
            let mut job = bench.job(kind, method, shots, seed);
            job.start_from = Some(start(&bench.sources, source_shots, from.clone()));
            job.train_on = tasks;
            job.evaluate_on.clone_from(&job.train_on);
            job
        };
        for task in &bench.targets {
            jobs.push(begun(Kind::Adapt, vec![task.clone()]));
        }
        for group in &bench.groups {
            let members = bench
                .targets
                .iter()
                .filter(|task| group.contains(&task.name));
            jobs.push(begun(Kind::Joint, members.cloned().collect()));
        }
    });
    Ok(jobs)
}

/// The method, and what it was tuned from.
pub(super) fn label(job: &Job) -> String {
    let method = &job.method;
    match job.kind {
        Kind::ZeroShot | Kind::Single => method.clone(),
        Kind::Train => format!("{method} (source as it is)"),
        Kind::Adapt => format!("{method} (from source)"),
        Kind::Joint | Kind::CoTrain => format!("{method} (from source with a group)"),
    }
}
