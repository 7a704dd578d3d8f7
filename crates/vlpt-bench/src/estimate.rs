//! What a benchmark takes before it is begun, from a few steps made and timed on this machine.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use vlpt_clip::Clip;
use vlpt_study::{Job, Kind, Search};
use vlpt_train::{Epochs, RunConfig, Stopwatch};

use crate::Result;
use crate::method::BenchMethod;
use crate::request::Planned;

/// Class counts at which a step is timed; others lie on the line through both.
const TIMED: [usize; 2] = [8, 32];
/// Bytes that a job takes beside what its configuration allows it.
const SLACK: u64 = 256 << 20;

/// What one method takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// The method.
    pub method: String,
    /// Its jobs.
    pub jobs: usize,
    /// Seconds of training them, one after the other with all threads; none where it could not be timed.
    pub training: Option<f64>,
    /// Seconds of images through the image tower that no cache serves: with prompts in it, each job's test
    /// images.
    pub images: f64,
}

/// What a benchmark takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// What each method takes.
    pub methods: Vec<Cost>,
    /// Seconds of image features that are computed once for all.
    pub features: f64,
    /// Seconds of it all, one job after the other.
    pub seconds: f64,
    /// Bytes of a job that runs, beside the model, at most.
    pub job_memory: u64,
    /// Bytes of the model's parameters in f32; in memory they may be half of that, or stand there twice.
    pub model_memory: u64,
}

/// Times a few steps of each method in `folder`, and counts on.
///
/// # Errors
/// A folder that cannot be written.
pub fn estimate(planned: &Planned, clip: &Clip, folder: &Path) -> Result<Estimate> {
    let image = watch(clip, TIMED[0], folder).image_seconds()?;
    let mut methods = Vec::new();
    let mut job_memory = SLACK;
    for method in &planned.methods {
        let megabytes = method.recipe.pointer("/compute/memory_mb");
        let megabytes = megabytes.and_then(Value::as_u64).unwrap_or(0);
        job_memory = job_memory.max(megabytes.saturating_mul(1 << 20).saturating_add(SLACK));
        // a method that cannot be timed alone is no reason to refuse the others
        let own = folder.join(&method.name);
        let time = |&classes: &usize| watch(clip, classes, &own).step_seconds(&method.config).ok();
        let times: Option<Vec<f64>> = TIMED.iter().map(time).collect();
        let line = times.map(|times| Line::through(times[0], times[1]));
        let own = planned
            .plan
            .jobs()
            .iter()
            .filter(|job| job.method == method.name && job.kind != Kind::ZeroShot);
        let own: Vec<&Job> = own.collect();
        let training = line.map(|line| own.iter().map(|job| line.job(job, method, planned)).sum());
        let pixels = method.config.method.needs().pixels;
        let tested: usize = own
            .iter()
            .flat_map(|job| &job.evaluate_on)
            .filter_map(|task| planned.tasks.get(&task.name))
            .map(|(_, images)| images)
            .sum();
        methods.push(Cost {
            method: method.name.clone(),
            jobs: own.len(),
            training,
            images: if pixels { image * tested as f64 } else { 0.0 },
        });
    }
    let most = planned.file.shots.iter().max().copied().unwrap_or(0);
    let images = planned.tasks.values().map(|(task, tested)| {
        let drawn = most * task.classes.len() * planned.file.seeds.len();
        tested + drawn.min(task.train.len())
    });
    let features = image * images.sum::<usize>() as f64;
    let sum: f64 = methods
        .iter()
        .map(|cost: &Cost| cost.training.unwrap_or(0.0) + cost.images)
        .sum();
    Ok(Estimate {
        methods,
        features,
        seconds: features + sum,
        job_memory,
        model_memory: 4 * clip.config.parameters() as u64,
    })
}

fn watch<'a>(clip: &'a Clip, classes: usize, folder: &'a Path) -> Stopwatch<'a> {
    Stopwatch {
        clip,
        classes,
        shots: 16,
        folder,
    }
}

/// Seconds of a step by the number of classes.
struct Line {
    at: f64,
    of_one: f64,
}

impl Line {
    fn through(few: f64, many: f64) -> Self {
        let of_one = ((many - few) / (TIMED[1] - TIMED[0]) as f64).max(0.0);
        Self {
            at: few - of_one * TIMED[0] as f64,
            of_one,
        }
    }

    fn job(&self, job: &Job, method: &BenchMethod, planned: &Planned) -> f64 {
        let classes: usize = job
            .train_on
            .iter()
            .filter_map(|task| planned.tasks.get(&task.name))
            .map(|(task, _)| task.classes.len())
            .sum();
        let once = (self.at + self.of_one * classes as f64).max(0.0);
        if method.config.method.is_baseline() {
            return once;
        }
        // a task may have another length than the method's other jobs, and trials another one than both
        let with = |epochs: Option<&Value>| {
            let mut config = method.config.clone();
            if let Some(epochs) = epochs.and_then(Value::as_u64) {
                config.train.epochs = Epochs::Count(epochs as usize);
            }
            steps(&config, classes, job.shots)
        };
        let own = job.recipe.pointer("/train/epochs");
        let trials = match job.recipe.get("search") {
            Some(search) => {
                let search: Search = serde_json::from_value(search.clone()).unwrap_or_default();
                search.trials() * with(search.trial.get("train.epochs").or(own))
            }
            None => 0,
        };
        once * (with(own) + trials) as f64
    }
}

/// Steps of a training.
fn steps(config: &RunConfig, classes: usize, shots: usize) -> usize {
    let mut config = config.clone();
    config.few_shot.shots = vlpt_data::Shots::Count(shots);
    if let Some(steps) = config.steps() {
        return steps;
    }
    let batch = config.train.batch_size.max(1);
    (classes * shots / batch).max(1) * config.epochs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_and_beyond_lie_on_the_line() {
        let line = Line::through(1.0, 2.0);
        let at = |classes: usize| line.at + line.of_one * classes as f64;
        assert!((at(20) - 1.5).abs() < 1e-12);
        assert!((at(56) - 3.0).abs() < 1e-12);
        // noise does not make many classes quicker than few
        assert!(Line::through(2.0, 1.0).of_one == 0.0);
    }

    #[test]
    fn steps_follow_images_and_epochs() {
        let mut config = RunConfig::default();
        config.train.epochs = Epochs::Count(3);
        config.train.batch_size = 32;
        assert_eq!(steps(&config, 10, 16), 3 * 5);
        assert_eq!(steps(&config, 2, 1), 3);
    }
}
