//! From what a user asks for to a plan.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vlpt_clip::{Clip, Observer};
use vlpt_data::{ClassSubset, FewShotRule, Task};
use vlpt_study::{CommonSettings, Plan, PlannedTask, TaskSpec, try_out};

use super::Request;
use crate::check::{Checked, State};
use crate::file::{BenchFile, UsedMethod};
use crate::method::BenchMethod;
use crate::protocol::{Bench, Role};
use crate::ways::Ways;
use crate::{BenchError, Result, shared_lists};

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
    /// Which published ways are taken.
    pub ways: Ways,
    /// What will fail for some jobs, and does not keep the others.
    pub warnings: Vec<String>,
}

impl Request {
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
        let (shots, seeds) = (self.shots().to_vec(), self.seeds().to_vec());
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
            ways: self.ways.clone(),
            untuned_recipe: self.untuned_recipe(),
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
            ways: self.ways.clone(),
            warnings,
        })
    }

    /// Groups whose members are all at hand.
    fn known_groups(&self, targets: &[TaskSpec]) -> Result<Vec<Vec<String>>> {
        if self.search.is_some() && !self.groups.is_empty() {
            return Err(BenchError::choice(
                "a search over groups of tasks: hyper-parameters are searched for one task at a time",
                "leave --search or --groups out",
            ));
        }
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

    /// How the model as it is looks at images: as the methods do on ELEVATER's tasks.
    fn untuned_recipe(&self) -> Value {
        if self.protocol.rule != FewShotRule::Elevater {
            return Value::Null;
        }
        match self.ways.resize().split_once('=') {
            Some((_, resize)) => json!({ "image": { "resize": resize } }),
            None => Value::Null,
        }
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
            let seeds = seeds
                .iter()
                .map(|&seed| (seed, self.ways.drawing_seed(seed)));
            let seeds: Vec<(u64, u64)> = seeds.collect();
            shared_lists::write(dir, name, task, protocol.rule, shots, &seeds)?;
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
