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
use crate::ways::Ways;
use crate::{BenchError, Result};

/// The name of ImageNet in CoOp's suite.
const IMAGENET: &str = "ImageNet";

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

impl Protocol {
    /// What its tables are of: the score, or that of each half of the classes.
    pub fn measures(&self) -> Vec<&'static str> {
        if self.parts.len() > 1 {
            self.parts.iter().map(|part| part.name()).collect()
        } else {
            vec![vlpt_tables::SCORE]
        }
    }
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
    /// Which published ways are taken.
    pub ways: Ways,
    /// How the model as it is looks at images: the key `image` of a configuration; nothing: its own way.
    pub untuned_recipe: Value,
    /// Settings common to all jobs.
    pub settings: Value,
}

impl Bench {
    fn job(&self, kind: Kind, method: &BenchMethod, shots: usize, seed: u64) -> Job {
        self.job_of(kind, method, &method.recipe, (shots, seed))
    }

    /// A job that trains on one task alone.
    fn job_on(&self, kind: Kind, method: &BenchMethod, task: &TaskSpec, at: (usize, u64)) -> Job {
        let name = task
            .name
            .split_once(' ')
            .map_or(&*task.name, |(name, _)| name);
        let own = method.imagenet_recipe.as_ref();
        let recipe = own.filter(|_| name == IMAGENET).unwrap_or(&method.recipe);
        let mut job = self.job_of(kind, method, recipe, at);
        job.train_on.push(task.clone());
        job
    }

    /// A job of a method by one of its recipes.
    fn job_of(
        &self,
        kind: Kind,
        method: &BenchMethod,
        recipe: &Value,
        (shots, seed): (usize, u64),
    ) -> Job {
        let mut recipe = recipe.clone();
        let drawing = self.ways.drawing_seed(seed);
        // only ELEVATER's draw took seed 0 for none
        let elevaters = recipe["few_shot"]["rule"] == FewShotRule::Elevater.name();
        if elevaters && drawing != seed {
            recipe["few_shot"]["seed"] = drawing.into();
        }
        let settings = self.settings.clone();
        Job::new(kind, &method.name, (shots, seed), recipe, settings)
    }

    /// The model as it is on each target: one job a task, so that one that fails keeps no other.
    fn untuned(&self, targets: &[TaskSpec]) -> Vec<Job> {
        let one = |task: &TaskSpec| {
            let name = untuned().name;
            let (recipe, settings) = (self.untuned_recipe.clone(), self.settings.clone());
            let mut job = Job::new(Kind::ZeroShot, name, (0, 0), recipe, settings);
            job.evaluate_on.push(task.clone());
            job
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
                let mut job = self.job_on(Kind::Single, method, task, (shots, seed));
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
            let mut job = self.job_on(Kind::Train, method, source, (shots, seed));
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
