//! What a job trains: its search, its run, and the prompt it starts from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use serde_json::{Map, Value, json};
use vlpt_adapter::{PromptFolder, average_prompts};
use vlpt_base::files::{read_if_there, write_atomic};
use vlpt_base::hash::sha256;
use vlpt_clip::Clip;
use vlpt_data::image::Preprocess;
use vlpt_data::{Sample, Split, Task};
use vlpt_train::{RunConfig, RunOptions, RunSummary, Select, TrainingData};

use super::context::{ExecutorError, JobContext};
use super::experiment::Experiment;
use super::search::{self, Search, Trial};
use super::settings;
use super::tasks::Opened;
use super::watch::stop;
use crate::job::{Job, JobId};

/// The run folder in a job's own folder.
pub(super) const RUN: &str = "run";

/// What a job's training ended with.
pub(super) struct Trained {
    /// Its run.
    pub(super) summary: RunSummary,
    /// What a search tried.
    pub(super) searched: Option<Value>,
    /// Validation images that it did not learn from.
    pub(super) held_out: HeldOut,
}

/// Validation images of a job's tasks that its training did not learn from, by which the temperature of
/// probabilities is found.
#[derive(Default)]
pub(super) struct HeldOut {
    of: BTreeMap<String, (Task, Vec<Sample>)>,
    found: Option<f64>,
}

impl HeldOut {
    fn of(job: &Job, config: &RunConfig, tasks: &[Task]) -> Result<Self, ExecutorError> {
        let data = TrainingData::of_tasks(tasks, config)?;
        let names = job.train_on.iter().map(|task| task.name.clone());
        let all = names.zip(tasks).zip(&data.members);
        let of =
            all.map(|((name, task), member)| (name, (task.clone(), data.held_out(member, config))));
        Ok(Self {
            of: of.collect(),
            found: None,
        })
    }

    /// The temperature for a task that the prompt is judged on: that of the task's own held-out images; where
    /// one other task was trained on, of that one's; none where there are none.
    pub(super) fn temperature(
        &mut self,
        name: &str,
        experiment: &Experiment<'_>,
        folder: &PromptFolder,
        preprocess: &Preprocess,
        cache: PathBuf,
    ) -> Result<Option<f64>, ExecutorError> {
        let one = self.of.len() == 1;
        let own = match self.of.get(name) {
            Some(own) => own,
            None if one && self.found.is_some() => return Ok(self.found),
            None => match self.of.values().next().filter(|_| one) {
                Some(source) => source,
                None => return Ok(None),
            },
        };
        let (task, images) = own;
        if images.is_empty() {
            return Ok(None);
        }
        let classifier = experiment.classifier(folder, task)?;
        // features under what a prompt does to images serve it alone
        let cache = Some(cache).filter(|_| classifier.visual.is_none());
        let found = experiment.temperature(&classifier, task, images.clone(), preprocess, cache)?;
        if one {
            self.found = found;
        }
        Ok(found)
    }
}

/// What a job's training is made of.
pub(super) struct Training<'a> {
    /// The job.
    pub(super) job: &'a Job,
    /// Its tasks, open.
    pub(super) tasks: &'a [(String, Arc<Opened>)],
    /// Where features of training images are kept.
    pub(super) cache: PathBuf,
    /// Whether images that it does not learn from are asked for, see [`HeldOut`].
    pub(super) hold_out: bool,
    /// How it is done.
    pub(super) experiment: &'a Experiment<'a>,
    /// Where it is done.
    pub(super) context: &'a JobContext<'a>,
}

impl Training<'_> {
    /// Trains as the job says, from where a killed worker left it, after what it searches.
    pub(super) fn run(&self) -> Result<Trained, ExecutorError> {
        let (job, context) = (self.job, self.context);
        let start = start_of(job, self.experiment.clip, context)?;
        stop(context)?;
        let start = start.as_deref();
        let own = context.own()?;
        let mut with = job.clone();
        let searched = match Search::of(job)? {
            Some(search) => {
                let record = self.search(&search, start, &own)?;
                let chosen = record["chosen"].as_object().cloned().unwrap_or_default();
                search::set(&mut with.recipe, &search.last)?;
                search::set(&mut with.recipe, &chosen)?;
                Some(record)
            }
            None => None,
        };
        let config = settings::run_config(&with, start, context.threads())?;
        let tasks = self.tasks_for(config.train.select);
        let options = self.options(own.join(RUN));
        let summary = self.experiment.train_or_redo(&config, &options, &tasks)?;
        if own.join(TRIALS).is_dir() {
            fs::remove_dir_all(own.join(TRIALS))?;
        }
        Ok(Trained {
            held_out: if self.hold_out {
                HeldOut::of(job, &config, &tasks)?
            } else {
                HeldOut::default()
            },
            summary,
            searched,
        })
    }

    /// The tasks. Where test images choose, these are the ones that are looked at.
    fn tasks_for(&self, select: Select) -> Vec<Task> {
        let one = |(_, opened): &(String, Arc<Opened>)| {
            let mut task = opened.task.clone();
            if select == Select::BestTest {
                task.test = Split::new(opened.images.items().to_vec());
            }
            task
        };
        self.tasks.iter().map(one).collect()
    }

    fn options(&self, dir: PathBuf) -> RunOptions {
        RunOptions {
            dir,
            cache: Some(self.cache.clone()),
        }
    }

    /// What was tried and what was chosen: of an earlier worker, where it came to the end.
    fn search(
        &self,
        search: &Search,
        start: Option<&Path>,
        own: &Path,
    ) -> Result<Value, ExecutorError> {
        let file = own.join("search.json");
        if let Some(bytes) = read_if_there(&file)? {
            return Ok(serde_json::from_slice(&bytes)?);
        }
        let mut count = 0;
        let mut value = |settings: &Map<String, Value>| {
            count += 1;
            let dir = own.join(TRIALS).join(count.to_string());
            self.attempt(search, settings, start, dir)
        };
        let (tried, best) = search.run(&mut value)?;
        let judged_on = if search.on_test { "test" } else { "val" };
        let record = json!({
            "judged_on": judged_on,
            "chosen": tried[best].settings,
            "last": search.last,
            "trials": tried,
        });
        let text = serde_json::to_string_pretty(&record)?;
        write_atomic(&file, (text + "\n").as_bytes())?;
        Ok(record)
    }

    fn attempt(
        &self,
        search: &Search,
        settings: &Map<String, Value>,
        start: Option<&Path>,
        dir: PathBuf,
    ) -> Result<Trial, ExecutorError> {
        stop(self.context)?;
        let mut with = self.job.clone();
        search::set(&mut with.recipe, &search.trial)?;
        search::set(&mut with.recipe, settings)?;
        let config = settings::run_config(&with, start, self.context.threads())?;
        let tasks = self.tasks_for(config.train.select);
        let test = self.tasks.first().filter(|_| search.on_test);
        let test = test.map(|(_, opened)| &opened.images);
        let options = self.options(dir);
        let judged = self.experiment.validated(&config, &options, &tasks, test);
        let (value, error) = match judged {
            Ok(value) => (Some(value), None),
            Err(error) => {
                stop(self.context)?;
                (None, Some(error.to_string()))
            }
        };
        Ok(Trial {
            settings: settings.clone(),
            value,
            error,
        })
    }
}

/// The folder of a search's runs in a job's own folder.
const TRIALS: &str = "search";

/// The prompt that a job starts from: its source's, or the mean of several.
pub(super) fn start_of(
    job: &Job,
    clip: &Clip,
    context: &JobContext<'_>,
) -> Result<Option<PathBuf>, ExecutorError> {
    let Some(source) = &job.start_from else {
        return Ok(None);
    };
    let runs: Vec<PathBuf> = source
        .jobs
        .iter()
        .map(|id| context.of(id).join(RUN))
        .collect();
    if let [one] = &runs[..] {
        // One spelling, however the study's folder is named next time.
        return Ok(Some(fs::canonicalize(one)?));
    }
    let ids: Vec<&str> = source.jobs.iter().map(JobId::as_str).collect();
    let name = format!("mean-{}", sha256(ids.join("\n").as_bytes()));
    let average = |folder: &Path| -> Result<(), ExecutorError> {
        average_prompts(&runs, clip, &folder.join("prompt"))?;
        Ok(())
    };
    let mean = context.once(&name, average)?.join("prompt");
    Ok(Some(fs::canonicalize(mean)?))
}
