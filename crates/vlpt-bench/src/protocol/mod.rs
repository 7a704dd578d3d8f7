//! Protocols: what a benchmark trains on, and what it judges on.

mod base_to_new;
mod cross_dataset;
mod cross_task;
mod domain;
mod few_shot;

use serde_json::Value;
use vlpt_data::catalogue::{self, Entry, Suite};
use vlpt_data::{ClassSubset, FewShotRule};
use vlpt_methods::untuned;
use vlpt_study::{Job, JobId, Kind, StartPoint, TaskSpec};

use crate::method::BenchMethod;
use crate::{BenchError, Result};

/// Every protocol.
pub const PROTOCOLS: &[&Protocol] = &[
    &few_shot::COOP,
    &few_shot::ELEVATER,
    &cross_task::PROTOCOL,
    &domain::PROTOCOL,
    &base_to_new::PROTOCOL,
    &cross_dataset::PROTOCOL,
];

/// The protocol of that name.
pub fn protocol(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|known| known.name == name).copied()
}

/// A benchmark.
#[derive(Debug)]
pub struct Protocol {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Endings of the names of recipes that follow it, the best first: a method's recipe is its name with the
    /// first of them that there is.
    pub recipes: &'static [&'static str],
    /// Images of each class where nothing else is said.
    pub shots: &'static [usize],
    /// Seeds where nothing else is said.
    pub seeds: &'static [u64],
    /// The tasks.
    pub tasks: fn() -> Vec<Wanted>,
    /// The parts into which classes of a task are parted; each is a task of its own in the plan.
    pub parts: &'static [ClassSubset],
    /// How training images are drawn, for every method alike.
    pub rule: FewShotRule,
    /// Whether a method may know no classes but those it was trained on.
    pub closed_classes: bool,
    /// Whether only methods that learn prompts make sense.
    pub prompts_only: bool,
    /// Whether one task is trained on for all, so that there must be one.
    pub one_source: bool,
    /// The jobs, each after those it needs.
    pub jobs: fn(&Bench) -> Result<Vec<Job>>,
    /// The method's name in tables for what a job scores.
    pub label: fn(&Job) -> String,
    /// Name of its figures in the list of published ones, with the data set that stands for the average.
    pub published: (&'static str, &'static str),
    /// The set that makes a second average without it, by its title.
    pub without: &'static str,
}

/// What part a task plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Trained on, for others.
    Source,
    /// Judged on.
    Target,
    /// Both.
    Both,
}

/// A task of a protocol.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// What the catalogue knows of it.
    pub entry: &'static Entry,
    /// What part it plays.
    pub role: Role,
}

/// What a protocol's jobs are made of.
#[derive(Debug, Clone, Default)]
pub struct Bench {
    /// The methods.
    pub methods: Vec<BenchMethod>,
    /// Tasks to train on for others.
    pub sources: Vec<TaskSpec>,
    /// Tasks to judge on.
    pub targets: Vec<TaskSpec>,
    /// Images of each class.
    pub shots: Vec<usize>,
    /// Images of each class in a source stage; none: as many as on the target.
    pub source_shots: Option<usize>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Start a target's training from the source prompt of its own seed, not from the average of all.
    pub same_seed: bool,
    /// A source stage and what starts from it, where the protocol has both ways.
    pub multitask: bool,
    /// Groups of targets that share a prompt, by name.
    pub groups: Vec<Vec<String>>,
    /// Settings common to all jobs.
    pub settings: Value,
}

impl Bench {
    fn job(&self, kind: Kind, method: &BenchMethod, shots: usize, seed: u64) -> Job {
        Job {
            kind,
            method: method.name.clone(),
            train_on: Vec::new(),
            start_from: None,
            evaluate_on: Vec::new(),
            shots,
            seed,
            recipe: method.recipe.clone(),
            settings: self.settings.clone(),
        }
    }

    /// The model as it is on each target: one job a task, so that one that fails keeps no other.
    fn untuned(&self, targets: &[TaskSpec]) -> Vec<Job> {
        let one = |task: &TaskSpec| Job {
            kind: Kind::ZeroShot,
            method: untuned().name.to_owned(),
            train_on: Vec::new(),
            start_from: None,
            evaluate_on: vec![task.clone()],
            shots: 0,
            seed: 0,
            recipe: Value::Null,
            settings: self.settings.clone(),
        };
        targets.iter().map(one).collect()
    }

    /// Every number of shots with every seed and method, seeds first, so that an unfinished benchmark holds
    /// whole tables of its first seeds.
    fn each(&self, mut make: impl FnMut(usize, u64, &BenchMethod)) {
        for &seed in &self.seeds {
            for &shots in &self.shots {
                for method in &self.methods {
                    make(shots, seed, method);
                }
            }
        }
    }

    /// Each target alone.
    fn singles(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        self.each(|shots, seed, method| {
            for task in &self.targets {
                let mut job = self.job(Kind::Single, method, shots, seed);
                job.train_on.push(task.clone());
                job.evaluate_on.push(task.clone());
                jobs.push(job);
            }
        });
        jobs
    }

    /// One source for all: trained on it, judged on it and on every target.
    fn of_one_source(&self) -> Result<Vec<Job>> {
        let [source] = &self.sources[..] else {
            return Err(BenchError::choice(
                format!("{} tasks to train on, expected one", self.sources.len()),
                "name its folder with --data, or choose another with --source",
            ));
        };
        let mut judged = vec![source.clone()];
        judged.extend(self.targets.iter().filter(|task| *task != source).cloned());
        let mut jobs = self.untuned(&judged);
        self.each(|shots, seed, method| {
            let mut job = self.job(Kind::Train, method, shots, seed);
            job.train_on.push(source.clone());
            job.evaluate_on.clone_from(&judged);
            jobs.push(job);
        });
        Ok(jobs)
    }
}

/// The method alone.
fn plain_label(job: &Job) -> String {
    job.method.clone()
}

/// Every entry of a suite in one role.
fn suite(suite: Suite, role: Role) -> Vec<Wanted> {
    let own = catalogue::entries()
        .iter()
        .filter(|entry| entry.suite == suite);
    own.map(|entry| Wanted { entry, role }).collect()
}

/// The point that a target's training starts from.
fn start(tasks: &[TaskSpec], shots: usize, jobs: Vec<JobId>) -> StartPoint {
    StartPoint {
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        shots,
        jobs,
    }
}
