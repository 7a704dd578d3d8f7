//! From what a user asks for to a plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use vlpt_clip::{Clip, Observer};
use vlpt_data::catalogue::{self, Entry};
use vlpt_data::{ClassSubset, Task};
use vlpt_study::{CommonSettings, Keep, Plan, PlannedTask, TaskSpec, try_out};

use crate::check::{Checked, State};
use crate::file::{BenchFile, UsedMethod};
use crate::find::{Found, find};
use crate::method::BenchMethod;
use crate::methods::{SearchKind, Wishes};
use crate::protocol::{Bench, Protocol, Role, Wanted};
use crate::{BenchError, Result, shared_lists};

/// What a user asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// Folders below which the tasks lie.
    pub roots: Vec<PathBuf>,
    /// Places of tasks that are not called after them, by their names.
    pub named: Vec<(String, PathBuf)>,
    /// Only these tasks; empty: all of the protocol.
    pub only: Vec<String>,
    /// Another task to train on where the protocol trains on one for all.
    pub source: Option<String>,
    /// Name of the model, as in a configuration.
    pub model: String,
    /// Methods: `NAME`, or `NAME=RECIPE`.
    pub methods: Vec<String>,
    /// The program's own values for methods that name no recipe, not the published recipes.
    pub own_values: bool,
    /// A configuration file over the recipes.
    pub config: Option<PathBuf>,
    /// Settings of all methods, or `NAME:key=value` of one.
    pub settings: Vec<String>,
    /// What is tried out before each training.
    pub search: Option<SearchKind>,
    /// Images of each class; empty: as the protocol says.
    pub shots: Vec<usize>,
    /// Of a source stage; none: as many as on the target.
    pub source_shots: Option<usize>,
    /// Seeds; empty: as the protocol says.
    pub seeds: Vec<u64>,
    /// Start from the source prompt of the same seed, not from the average.
    pub same_seed: bool,
    /// A source stage over all tasks first, where the protocol has both ways.
    pub multitask: bool,
    /// Groups of targets that share a prompt.
    pub groups: Vec<Vec<String>>,
    /// At most so many test images of each task.
    pub test_images: Option<usize>,
    /// What is kept of each evaluation.
    pub keep: Keep,
    /// The command, as it was given.
    pub command: String,
}

/// A planned benchmark.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What it was planned for.
    pub file: BenchFile,
    /// The jobs.
    pub plan: Plan,
    /// The methods.
    pub methods: Vec<BenchMethod>,
    /// The tasks by their names in the plan, with how many test images are looked at.
    pub tasks: BTreeMap<String, (Task, usize)>,
    /// What will fail for some jobs, and does not keep the others.
    pub warnings: Vec<String>,
}

impl Request {
    /// The tasks of the protocol, in its order, as `source` and `only` change them.
    ///
    /// # Errors
    /// A name that is none of the protocol's tasks.
    fn wanted(&self) -> Result<Vec<Wanted>> {
        let mut all = (self.protocol.tasks)();
        let find = |name: &str, all: &[Wanted]| {
            let own = |task: &Wanted| {
                let entry = task.entry;
                entry.name == name
                    || entry.full_name() == name
                    || catalogue::find_in(entry.suite, name).is_some_and(|e| e.name == entry.name)
            };
            all.iter().position(own).ok_or_else(|| {
                let names: Vec<&str> = all.iter().map(|task| task.entry.name.as_str()).collect();
                BenchError::choice(
                    format!("`{name}` is no task of {}", self.protocol.name),
                    format!("its tasks are {}", names.join(", ")),
                )
            })
        };
        if let Some(source) = &self.source {
            if !self.protocol.one_source {
                return Err(BenchError::choice(
                    format!("{} does not train on one task for all", self.protocol.name),
                    "leave --source out",
                ));
            }
            let chosen = find(source, &all)?;
            for (number, task) in all.iter_mut().enumerate() {
                task.role = if number == chosen {
                    Role::Source
                } else {
                    Role::Target
                };
            }
        }
        let mut kept = Vec::new();
        for name in &self.only {
            kept.push(find(name, &all)?);
        }
        for (name, _) in &self.named {
            find(name, &all)?;
        }
        let mut number = 0;
        all.retain(|task| {
            number += 1;
            let source = self.protocol.one_source && task.role == Role::Source;
            self.only.is_empty() || source || kept.contains(&(number - 1))
        });
        Ok(all)
    }

    /// Which tasks are at hand: looks for them and opens their lists, no image.
    ///
    /// # Errors
    /// A name that is none of the protocol's tasks.
    pub fn survey(&self) -> Result<Vec<Checked>> {
        let wanted = self.wanted()?;
        let entries: Vec<&'static Entry> = wanted.iter().map(|task| task.entry).collect();
        let found = find(&self.roots, &entries);
        let one = |(&entry, found): (&&'static Entry, Found)| {
            let named = self.named.iter().filter(|(name, _)| {
                *name == entry.name
                    || *name == entry.full_name()
                    || catalogue::find_in(entry.suite, name).is_some_and(|e| e.name == entry.name)
            });
            let mut places: Vec<PathBuf> = named.map(|(_, path)| path.clone()).collect();
            if places.is_empty() {
                places = found.places;
            }
            let found = Found {
                name: found.name,
                places,
            };
            Checked::of(entry, &found)
        };
        Ok(entries.iter().zip(found).map(one).collect())
    }

    /// Opens the tasks that are at hand, reads their images once for their hashes, and makes the jobs. A task
    /// that cannot be read is left out, and `survey` says why.
    ///
    /// # Errors
    /// No task at hand, or methods, shots, seeds or groups that make no benchmark.
    pub fn plan(
        &self,
        survey: Vec<Checked>,
        clip: &Clip,
        observer: &dyn Observer,
    ) -> Result<Planned> {
        let mut survey = survey;
        let methods = self.methods()?;
        let shots = or(&self.shots, self.protocol.shots);
        let seeds = or(&self.seeds, self.protocol.seeds);
        check_numbers(&shots, &seeds)?;
        let wanted = self.wanted()?;
        let mut tasks = BTreeMap::new();
        let (mut sources, mut targets): (Vec<TaskSpec>, Vec<TaskSpec>) = (Vec::new(), Vec::new());
        let mut judged = 0;
        for (task, checked) in wanted.iter().zip(&mut survey) {
            let mut parts = Vec::new();
            for &part in self.protocol.parts {
                let Some(data) = checked.data(task.entry, part) else {
                    continue;
                };
                let name = part_name(&task.entry.name, part);
                match PlannedTask::open(Some(&name), &data, self.test_images, observer) {
                    Ok(opened) => parts.push(opened),
                    Err(error) => {
                        checked.state = State::Unusable;
                        let text = error.to_string();
                        checked
                            .notes
                            .push(text.lines().next().unwrap_or_default().to_owned());
                    }
                }
            }
            if checked.state != State::Found || parts.len() < self.protocol.parts.len() {
                continue;
            }
            for opened in parts {
                if task.role != Role::Target {
                    sources.push(opened.spec.clone());
                }
                if task.role != Role::Source {
                    targets.push(opened.spec.clone());
                }
                tasks.insert(opened.spec.name.clone(), (opened.task, opened.test_images));
            }
            judged += usize::from(task.role != Role::Source);
        }
        if targets.is_empty() {
            return Err(BenchError::choice(
                format!("no task of {} to judge on is at hand", self.protocol.name),
                "name the folders that hold them with --data; --list says what is looked for",
            ));
        }
        let groups = self.known_groups(&targets)?;
        let common = CommonSettings {
            model: self.model.clone(),
            model_fingerprint: clip.fingerprint.clone(),
            precision: clip.precision,
            test_images: self.test_images,
            keep: self.keep,
        };
        let bench = Bench {
            methods: methods.clone(),
            sources,
            targets,
            shots: shots.clone(),
            source_shots: self.source_shots,
            seeds: seeds.clone(),
            same_seed: self.same_seed,
            multitask: self.multitask,
            groups,
            settings: json!(common),
        };
        let plan = Plan::from_jobs((self.protocol.jobs)(&bench)?)?;
        let mut warnings = Vec::new();
        for method in &methods {
            for (name, (task, _)) in &tasks {
                let trained = shots_of(&plan, &method.name, name);
                if let Err(error) = try_out(&method.config, task, clip, &trained) {
                    let text = error.to_string();
                    let first = text.lines().next().unwrap_or_default();
                    warnings.push(format!("{} on {name}: {first}", method.name));
                }
            }
        }
        let file = BenchFile {
            protocol: self.protocol.name.to_owned(),
            command: self.command.clone(),
            model: self.model.clone(),
            shots,
            seeds,
            methods: methods
                .iter()
                .map(|method| UsedMethod {
                    name: method.name.clone(),
                    recipe: method.from.clone(),
                })
                .collect(),
            departures: self.departures(&survey, &methods),
            tasks: survey,
            judged,
        };
        Ok(Planned {
            file,
            plan,
            methods,
            tasks,
            warnings,
        })
    }

    /// The methods, checked as far as it goes without tasks and model.
    ///
    /// # Errors
    /// A method or recipe that is not known, settings for none, or what the protocol cannot ask of one.
    pub fn methods(&self) -> Result<Vec<BenchMethod>> {
        let wishes = Wishes {
            methods: &self.methods,
            own_values: self.own_values,
            file: self.config.clone(),
            settings: &self.settings,
            search: self.search,
        };
        wishes.resolve(self.protocol)
    }

    /// Groups whose members are all at hand.
    fn known_groups(&self, targets: &[TaskSpec]) -> Result<Vec<Vec<String>>> {
        let mut groups: Vec<Vec<String>> = Vec::new();
        for group in &self.groups {
            for name in group {
                if targets.iter().all(|task| task.name != *name) {
                    return Err(BenchError::choice(
                        format!(
                            "the group {} names {name}, which is not at hand",
                            group.join(", ")
                        ),
                        "take it out of the group, or name its folder with --data",
                    ));
                }
            }
            groups.push(group.clone());
        }
        Ok(groups)
    }

    /// In what this is not the published protocol.
    fn departures(&self, survey: &[Checked], methods: &[BenchMethod]) -> Vec<String> {
        let mut all = Vec::new();
        let missing: Vec<&str> = survey
            .iter()
            .filter(|task| task.state != State::Found)
            .map(|task| task.name.as_str())
            .collect();
        if !missing.is_empty() {
            all.push(format!("without {}", missing.join(", ")));
        }
        let other = survey.iter().filter(|task| {
            let own = task.counts.unwrap_or_default();
            let differs = |(own, expected): (usize, Option<u64>)| {
                expected.is_some_and(|expected| expected != own as u64)
            };
            task.state == State::Found && own.into_iter().zip(task.expected).any(differs)
        });
        let other: Vec<&str> = other.map(|task| task.name.as_str()).collect();
        if !other.is_empty() {
            all.push(format!(
                "other numbers of classes or images in {}",
                other.join(", ")
            ));
        }
        if !self.only.is_empty() {
            let whole = (self.protocol.tasks)().len();
            all.push(format!(
                "{} of the {whole} tasks were asked for",
                survey.len()
            ));
        }
        if let Some(images) = self.test_images {
            all.push(format!("at most {images} test images of each task"));
        }
        if let Some(source) = &self.source {
            all.push(format!("trained on {source}"));
        }
        let own: Vec<&str> = methods
            .iter()
            .filter(|method| method.from.is_none() && !method.config.method.is_baseline())
            .map(|method| method.name.as_str())
            .collect();
        if !own.is_empty() {
            all.push(format!("the program's own values for {}", own.join(", ")));
        }
        if !self.settings.is_empty() || self.config.is_some() {
            all.push("settings over the recipes".to_owned());
        }
        if self.search.is_some() {
            all.push("hyper-parameters searched on validation images".to_owned());
        }
        all
    }
}

impl Planned {
    /// Writes plan, `bench.json` and the lists of training images into a folder.
    ///
    /// # Errors
    /// The folder cannot be written, or shots that a task cannot give.
    pub fn write(&self, dir: &Path) -> Result<()> {
        self.plan.write(dir)?;
        self.file.write(dir)?;
        let protocol = self.file.protocol()?;
        for (name, (task, _)) in &self.tasks {
            if task.train.is_empty() {
                continue;
            }
            let (shots, seeds) = (&self.file.shots, &self.file.seeds);
            shared_lists::write(dir, name, task, protocol.rule, shots, seeds)?;
        }
        Ok(())
    }
}

/// The name in the plan of a part of a task.
pub(crate) fn part_name(task: &str, part: ClassSubset) -> String {
    if part.is_all() {
        task.to_owned()
    } else {
        format!("{task} {part}")
    }
}

fn or<T: Clone>(given: &[T], usual: &[T]) -> Vec<T> {
    if given.is_empty() { usual } else { given }.to_vec()
}

fn check_numbers(shots: &[usize], seeds: &[u64]) -> Result<()> {
    let repeated =
        |count: usize, distinct: std::collections::BTreeSet<u64>| count != distinct.len();
    let bad_shots = repeated(shots.len(), shots.iter().map(|&k| k as u64).collect());
    if bad_shots || repeated(seeds.len(), seeds.iter().copied().collect()) || shots.contains(&0) {
        return Err(BenchError::choice(
            format!("shots {shots:?}, seeds {seeds:?}"),
            "give each number once, and shots of 1 or more",
        ));
    }
    Ok(())
}

/// Shots that a plan trains a task alone with.
fn shots_of(plan: &Plan, method: &str, task: &str) -> Vec<usize> {
    let jobs = plan.jobs().iter().filter(|job| {
        job.method == method && job.train_on.len() == 1 && job.train_on[0].name == task
    });
    let mut shots: Vec<usize> = jobs.map(|job| job.shots).collect();
    shots.sort_unstable();
    shots.dedup();
    shots
}
