//! From the configuration in a run folder to the prompt in it.

use vlpt_base::files::write_atomic;
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;
use vlpt_data::Split;
use vlpt_data::image::Limits;

use super::extend::reopen;
use super::folder::same_input;
use super::job::Job;
use super::result::{Ending, whole};
use super::{RunOptions, RunSummary, fit, tune};
use crate::checkpoint::{Checkpoint, Position};
use crate::init::Initial;
use crate::lock::RunLock;
use crate::{Member, Result, RunConfig, TrainError, TrainObserver, TrainingData};
use vlpt_adapter::{FeatureExtractor, preprocess, with_threads};
use vlpt_adapter::{data_fingerprint, hash_images};

/// Does what is left of the run in the folder.
pub(super) fn execute(
    config: &RunConfig,
    options: &RunOptions,
    lock: &RunLock,
    clip: &Clip,
    data: &TrainingData,
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    with_threads(config.compute.threads, || {
        execute_here(config, options, lock, clip, data, observer)
    })?
    // a folder that goes away between the look at it and the writing makes an error of the system's
    .map_err(|error| lock.held().err().unwrap_or(error))
}

fn execute_here(
    config: &RunConfig,
    options: &RunOptions,
    lock: &RunLock,
    clip: &Clip,
    data: &TrainingData,
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    config.compute.bound_decoding();
    let dir = lock.dir();
    let mut checkpoint = Checkpoint::read(dir)?;
    let baseline = config.method.is_baseline();
    // A baseline chooses its hyper-parameters by them, a prompt method its epoch if told to.
    let val = if baseline || config.train.select.judges_epochs() {
        data.val.clone()
    } else {
        Split::default()
    };
    let train_hashes = hash_images(&data.train.samples, observer)?;
    let val_hashes = hash_images(&val.samples, observer)?;
    let images = data.train.samples.iter().zip(&train_hashes);
    let fingerprint = data_fingerprint(
        &data.task.classes,
        images.chain(val.samples.iter().zip(&val_hashes)),
    );
    let fingerprint = with_bounds(fingerprint, data);
    let start = Position::new(&clip.fingerprint, &fingerprint);
    if let Some(checkpoint) = &mut checkpoint {
        let stored = &checkpoint.position;
        same_input(dir, "model", &stored.model, &start.model)?;
        same_input(dir, "data", &stored.data, &start.data)?;
        // Only a run that is as many epochs long can have become longer.
        let done = config.steps().is_some() || stored.epoch >= config.epochs();
        if stored.finished && (baseline || done) {
            match whole(dir)? {
                Ending::Whole(summary) => return Ok(summary),
                // The checkpoint holds all that the result is made of.
                Ending::PromptGone { events } => {
                    observer.note(
                        "the run was finished, but its prompt folder is gone; it is written again",
                    );
                    checkpoint.position.finished = false;
                    checkpoint.position.events = events;
                }
            }
        }
        if checkpoint.position.finished {
            reopen(dir, &mut checkpoint.position)?;
        }
    }
    write_atomic(&lock.held()?.join("subset.json"), subsets(data)?.as_bytes())?;
    if let Some(text) = left_out(data)? {
        write_atomic(&lock.held()?.join(LEFT_OUT), text.as_bytes())?;
    }
    let initial = if config.init_from.is_empty() {
        None
    } else {
        Some(Initial::read(dir)?)
    };
    let job = Job {
        dir,
        lock,
        config,
        clip,
        data,
        train_hashes: &train_hashes,
        val: &val,
        val_hashes: &val_hashes,
        initial: initial.as_ref(),
        extractor: FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &config.image),
            limits: Limits::default(),
            batch: config.compute.image_batch,
            adaptation: None,
            cache: options.cache.clone(),
        },
    };
    if baseline {
        fit::run(&job, start, observer)
    } else {
        tune::run(&job, start, checkpoint, observer)
    }
}

/// The file that lists images which cannot be decoded and were left out; written only where there are any.
const LEFT_OUT: &str = "left-out.json";

/// The text of [`LEFT_OUT`].
fn left_out(data: &TrainingData) -> Result<Option<String>> {
    let images = &data.task.provenance.left_out;
    if images.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string_pretty(images).map_err(|error| TrainError::Incompatible {
        what: format!("the list of images left out cannot be written: {error}"),
        hint: None,
    })?;
    Ok(Some(text + "\n"))
}

/// A fingerprint of the images that also knows where one task ends and the next begins.
fn with_bounds(images: String, data: &TrainingData) -> String {
    if data.members.len() == 1 {
        return images;
    }
    let bounds = data.members.iter().map(|member| {
        let Member {
            name,
            classes,
            train,
            val,
            ..
        } = member;
        format!("{name} {classes:?} {train:?} {val:?}")
    });
    fingerprint([images].into_iter().chain(bounds))
}

/// `subset.json`: the subset of the task, or a list with one for each task.
fn subsets(data: &TrainingData) -> Result<String> {
    let all: Vec<_> = data.members.iter().map(|member| &member.subset).collect();
    if let [subset] = all[..] {
        return Ok(subset.to_json());
    }
    let text = serde_json::to_string_pretty(&all).map_err(std::io::Error::other)?;
    Ok(format!("{text}\n"))
}
