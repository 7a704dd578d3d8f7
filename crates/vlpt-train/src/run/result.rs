//! The end of a run: its prompt folder and its summary.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vlpt_base::hash::fingerprint;

use super::execute::Job;
use super::{EVENTS, PROMPT, RunSummary};
use crate::events::{Event, read_events};
use crate::{Member, Result, TrainError, TrainingData};
use vlpt_adapter::Classifier;
use vlpt_adapter::{Adapter, AdapterTask, FORMAT, PromptContent, class_names_sha256, write_prompt};

/// The summary of a run that is finished already.
pub(super) fn finished(dir: &Path) -> Result<RunSummary> {
    let path = dir.join(EVENTS);
    let end = read_events(&path)?
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::End(end) => Some(end),
            _ => None,
        });
    let end = end.ok_or_else(|| TrainError::Damaged {
        path,
        what: "has no end, but the run is finished".to_owned(),
    })?;
    Ok(RunSummary {
        dir: dir.to_owned(),
        prompt: dir.join(PROMPT),
        selected_epoch: end.selected_epoch,
        val: end.val,
        already_finished: true,
    })
}

/// What a run came to.
pub(super) struct Outcome {
    /// Shapes of the parameters by name.
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
    /// Their values.
    pub(super) parameters: BTreeMap<String, Vec<f32>>,
    /// The classifier they make.
    pub(super) classifier: Classifier,
    /// The templates that class names went into, of a baseline that has some.
    pub(super) templates: Option<Vec<String>>,
    /// Epochs trained.
    pub(super) epochs: usize,
    /// The epoch kept, counted from 1.
    pub(super) selected_epoch: usize,
    /// The task's metric on the images that chose, where they did.
    pub(super) val: Option<f64>,
    /// What else was measured.
    pub(super) metrics: Value,
}

/// The tasks of a run over several.
fn adapter_tasks(data: &TrainingData) -> Vec<AdapterTask> {
    if data.members.len() == 1 {
        return Vec::new();
    }
    let entry = |member: &Member| AdapterTask {
        name: member.name.clone(),
        classes: member.classes.clone(),
        multi_label: member.multi_label,
        metric: member.metric,
    };
    data.members.iter().map(entry).collect()
}

/// The hash of the subset, or one over those of all tasks.
fn subset_sha256(data: &TrainingData) -> String {
    match &data.members[..] {
        [member] => member.subset.sha256.clone(),
        members => fingerprint(members.iter().map(|member| &member.subset.sha256)),
    }
}

/// Writes the prompt folder of a run.
pub(super) fn write_result(job: &Job, outcome: &Outcome) -> Result<()> {
    let Job {
        dir,
        config,
        clip,
        data,
        ..
    } = *job;
    let task = &data.task;
    let adapter = Adapter {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: config.method.clone(),
        parameters: outcome.shapes.clone(),
        base_model: config.model.clone(),
        base_model_fingerprint: clip.fingerprint.clone(),
        precision: Some(clip.precision),
        embed_dim: clip.config.embed_dim,
        task: task.name.clone(),
        classes: task.classes.len(),
        class_names_sha256: class_names_sha256(&task.classes),
        multi_label: task.multi_label,
        metric: task.metric,
        preprocess: job.extractor.preprocess.clone(),
        seed: config.seed,
        shots: config.few_shot.shots,
        subset_sha256: subset_sha256(data),
        epochs: outcome.epochs,
        selected_epoch: outcome.selected_epoch,
        tasks: adapter_tasks(data),
        init_from: job.initial.map(|initial| initial.source.clone()),
    };
    let mut metrics = outcome.metrics.clone();
    if let Some(val) = outcome.val {
        let name = match data.members.len() {
            1 => format!("val_{}", task.metric.name()),
            _ => "val_mean".to_owned(),
        };
        metrics[name] = json!(val);
    }
    let shared = data.shared_names();
    if !shared.is_empty() {
        metrics["shared_class_names"] = json!(shared);
    }
    let content = PromptContent {
        adapter: &adapter,
        classes: &task.classes,
        parameters: outcome.parameters.clone(),
        classifier: &outcome.classifier,
        templates: outcome.templates.as_deref(),
        metrics,
    };
    Ok(write_prompt(&dir.join(PROMPT), &content)?)
}
