//! A plan: every job of a study, one self-contained line each.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use vlpt_base::files::{read_if_there, write_atomic};
use vlpt_methods::untuned;

use crate::canonical::canonical;
use crate::config::{StudyConfig, StudyMethod};
use crate::folder::Folder;
use crate::job::{Job, JobId, Kind, StartPoint, TaskSpec};
use crate::{Result, StudyError};

/// The jobs of a study, each after those it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    jobs: Vec<Job>,
    ids: Vec<JobId>,
    places: BTreeMap<JobId, usize>,
}

impl Plan {
    /// The plan of a study.
    ///
    /// Work that transfers share is one job: the source prompts of adapted transfer are those of
    /// zero-shot transfer where shots and seed agree, and a source's own score in its training is
    /// the single-task baseline of the same shots and seed. Seeds come before methods and tasks,
    /// so that an unfinished study holds whole matrices of its first seeds.
    ///
    /// # Errors
    /// Settings that contradict each other or ask for nothing, and transfer of class-specific
    /// prompts.
    pub fn of(config: &StudyConfig) -> Result<Self> {
        crate::check::check(config)?;
        let mut builder = PlanBuilder {
            config,
            jobs: BTreeMap::new(),
        };
        builder.zero_shot_clip();
        builder.trainings();
        builder.co_training();
        builder.adapted();
        builder.joint();
        let jobs = Kind::ALL
            .iter()
            .flat_map(|kind| builder.jobs.remove(kind).unwrap_or_default());
        Self::from_jobs(jobs.collect())
    }

    /// A plan of these jobs, in this order.
    ///
    /// # Errors
    /// Two equal jobs, or a job that needs one that does not come before it.
    pub fn from_jobs(jobs: Vec<Job>) -> Result<Self> {
        let ids: Vec<_> = jobs.iter().map(Job::id).collect();
        let mut places = BTreeMap::new();
        for (place, (job, id)) in jobs.iter().zip(&ids).enumerate() {
            if let Some(need) = job.needs().iter().find(|need| !places.contains_key(*need)) {
                return Err(StudyError::Setting {
                    key: "plan",
                    found: format!("\"{}\" before {}", job.title(), need.short()),
                    expected: "a job after all that it needs".to_owned(),
                });
            }
            if places.insert(id.clone(), place).is_some() {
                return Err(StudyError::Setting {
                    key: "plan",
                    found: format!("\"{}\" twice", job.title()),
                    expected: "each job once".to_owned(),
                });
            }
        }
        Ok(Self { jobs, ids, places })
    }

    /// The jobs, each after those it needs.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The ids, in the order of the jobs.
    pub fn ids(&self) -> &[JobId] {
        &self.ids
    }

    /// The place of a job in the plan.
    pub fn place(&self, id: &JobId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The plan's file: a line of canonical JSON for each job, with its id.
    pub fn to_jsonl(&self) -> String {
        let mut text = String::new();
        for (job, id) in self.jobs.iter().zip(&self.ids) {
            let mut value = job.to_value();
            value["id"] = Value::String(id.to_string());
            text.push_str(&canonical(&value));
            text.push('\n');
        }
        text
    }

    /// Writes the plan into a study folder, which is made if it is not there. Another plan there
    /// is replaced; results of jobs that both plans have stay good, because they are filed under
    /// the hash of the job's content.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let folder = Folder::new(dir);
        folder.make()?;
        Ok(write_atomic(&folder.plan(), self.to_jsonl().as_bytes())?)
    }

    /// Reads the plan of a study folder.
    ///
    /// # Errors
    /// No plan there, or a line that is not a job or whose id is not the hash of its content.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = Folder::new(dir).plan();
        let bytes = read_if_there(&path)?.ok_or_else(|| StudyError::NoPlan {
            dir: dir.to_owned(),
        })?;
        let damaged = |what: String| StudyError::Damaged {
            path: path.clone(),
            what,
        };
        let text = String::from_utf8(bytes).map_err(|_| damaged("not UTF-8 text".to_owned()))?;
        let mut jobs = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let at = |what: String| damaged(format!("line {}: {what}", number + 1));
            jobs.push(read_line(line).map_err(at)?);
        }
        Self::from_jobs(jobs).map_err(|error| damaged(error.to_string()))
    }
}

fn read_line(line: &str) -> std::result::Result<Job, String> {
    let mut value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let object = value.as_object_mut().ok_or("expected a JSON object")?;
    let id = object.shift_remove("id").ok_or("no id")?;
    let job: Job = serde_json::from_value(value).map_err(|e| e.to_string())?;
    let found = job.id();
    if id.as_str() == Some(found.as_str()) {
        Ok(job)
    } else {
        Err(format!("id {id}, but its content hashes to {found}"))
    }
}

struct PlanBuilder<'a> {
    config: &'a StudyConfig,
    jobs: BTreeMap<Kind, Vec<Job>>,
}

impl PlanBuilder<'_> {
    fn job(&self, kind: Kind, method: &StudyMethod, shots: usize, seed: u64) -> Job {
        let (recipe, settings) = (method.recipe.clone(), self.config.settings.clone());
        Job::new(kind, &method.name, (shots, seed), recipe, settings)
    }

    fn add(&mut self, job: Job) {
        self.jobs.entry(job.kind).or_default().push(job);
    }

    fn zero_shot_clip(&mut self) {
        let Some(clip) = &self.config.zero_shot_clip else {
            return;
        };
        let method = StudyMethod {
            name: untuned().name.to_owned(),
            recipe: clip.recipe.clone(),
            class_specific: false,
        };
        let mut job = self.job(Kind::ZeroShot, &method, 0, 0);
        job.evaluate_on.clone_from(&self.config.targets);
        self.add(job);
    }

    /// StartPoint prompts, and the single-task baselines that no source prompt is.
    fn trainings(&mut self) {
        let config = self.config;
        let mut sources = Vec::new(); // (seed, shots)
        let mut singles = Vec::new();
        let want = |list: &mut Vec<_>, seeds: &[u64], shots: &[usize]| {
            list.extend(
                seeds
                    .iter()
                    .flat_map(|&s| shots.iter().map(move |&k| (s, k))),
            );
        };
        if let Some(transfer) = &config.zero_shot {
            want(&mut sources, &transfer.seeds, &transfer.shots);
            want(&mut singles, &transfer.seeds, &transfer.shots);
        }
        if let Some(adapted) = &config.adapted {
            let seeds = source_seeds(&adapted.average_over, &adapted.seeds);
            want(&mut sources, seeds, &[adapted.source_shots]);
            want(&mut singles, &adapted.seeds, &adapted.shots);
        }
        if let Some(transfer) = &config.co_training {
            want(&mut singles, &transfer.seeds, &transfer.shots);
        }
        if let Some(joint) = &config.joint {
            want(&mut singles, &joint.seeds, &joint.shots);
        }
        sort_unique(&mut sources);
        sort_unique(&mut singles);
        for &(seed, shots) in &sources {
            for method in &config.methods {
                for task in &config.sources {
                    let job = self.train(method, task, shots, seed);
                    self.add(job);
                }
            }
        }
        for &(seed, shots) in &singles {
            let trained = sources.contains(&(seed, shots));
            for method in &config.methods {
                for task in &config.targets {
                    if trained && config.sources.contains(task) {
                        continue;
                    }
                    let mut job = self.job(Kind::Single, method, shots, seed);
                    job.train_on.push(task.clone());
                    job.evaluate_on.push(task.clone());
                    self.add(job);
                }
            }
        }
    }

    fn train(&self, method: &StudyMethod, task: &TaskSpec, shots: usize, seed: u64) -> Job {
        let mut job = self.job(Kind::Train, method, shots, seed);
        job.train_on.push(task.clone());
        job.evaluate_on.clone_from(&self.config.targets);
        job
    }

    fn co_training(&mut self) {
        let config = self.config;
        let Some(transfer) = &config.co_training else {
            return;
        };
        for (&seed, &shots) in product(&transfer.seeds, &transfer.shots) {
            for method in &config.methods {
                let mut seen: Vec<(&str, &str)> = Vec::new();
                for (i, j) in product(&config.sources, &config.targets) {
                    let (a, b) = (i.name.as_str(), j.name.as_str());
                    if a == b || seen.contains(&(b, a)) {
                        continue;
                    }
                    seen.push((a, b));
                    let mut job = self.job(Kind::CoTrain, method, shots, seed);
                    job.train_on = vec![i.clone(), j.clone()];
                    job.evaluate_on.clone_from(&job.train_on);
                    job.evaluate_on.retain(|t| config.targets.contains(t));
                    self.add(job);
                }
            }
        }
    }

    fn adapted(&mut self) {
        let config = self.config;
        let Some(adapted) = &config.adapted else {
            return;
        };
        for (&seed, &shots) in product(&adapted.seeds, &adapted.shots) {
            for method in &config.methods {
                for (i, j) in product(&config.sources, &config.targets) {
                    let same = [seed];
                    let seeds = source_seeds(&adapted.average_over, &same);
                    let jobs = seeds
                        .iter()
                        .map(|&s| self.train(method, i, adapted.source_shots, s).id());
                    let mut job = self.job(Kind::Adapt, method, shots, seed);
                    job.start_from = Some(StartPoint {
                        tasks: vec![i.name.clone()],
                        shots: adapted.source_shots,
                        jobs: jobs.collect(),
                    });
                    job.train_on.push(j.clone());
                    job.evaluate_on.push(j.clone());
                    self.add(job);
                }
            }
        }
    }

    fn joint(&mut self) {
        let config = self.config;
        let Some(joint) = &config.joint else {
            return;
        };
        for (&seed, &shots) in product(&joint.seeds, &joint.shots) {
            for method in &config.methods {
                for group in &joint.groups {
                    let mut job = self.job(Kind::Joint, method, shots, seed);
                    let members = config.targets.iter().filter(|t| group.contains(&t.name));
                    job.train_on.extend(members.cloned());
                    job.evaluate_on.clone_from(&job.train_on);
                    self.add(job);
                }
            }
        }
    }
}

fn source_seeds<'a>(average_over: &'a [u64], same: &'a [u64]) -> &'a [u64] {
    if average_over.is_empty() {
        same
    } else {
        average_over
    }
}

fn sort_unique(list: &mut Vec<(u64, usize)>) {
    list.sort_unstable();
    list.dedup();
}

fn product<'a, A, B>(left: &'a [A], right: &'a [B]) -> impl Iterator<Item = (&'a A, &'a B)> {
    left.iter()
        .flat_map(move |a| right.iter().map(move |b| (a, b)))
}
