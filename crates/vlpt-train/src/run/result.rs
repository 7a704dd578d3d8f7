//! The end of a run: its prompt folder and its summary.

use std::path::Path;

use serde_json::json;

use super::{EVENTS, PROMPT, RunSummary};
use crate::events::{Event, read_events};
use crate::prompt::{Adapter, FORMAT, PromptContent, class_names_sha256, write_prompt};
use crate::trainer::{Trainer, Workload};
use crate::{Result, TrainError, TrainingData};

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

/// Writes the prompt folder of the parameters as they are.
pub(super) fn write_result(
    trainer: &Trainer,
    work: &Workload,
    data: &TrainingData,
    dir: &Path,
    (selected_epoch, val): (usize, Option<f64>),
) -> Result<()> {
    let (config, clip) = (work.config, work.clip);
    let adapter = Adapter {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: config.method_config(),
        parameters: trainer.shapes(),
        base_model: config.model.clone(),
        base_model_fingerprint: clip.fingerprint.clone(),
        embed_dim: clip.config.embed_dim,
        task: data.task.name.clone(),
        classes: work.classes.len(),
        class_names_sha256: class_names_sha256(work.classes),
        multi_label: data.task.multi_label,
        metric: data.task.metric,
        preprocess: work.maker.preprocess.clone(),
        seed: config.seed,
        shots: config.few_shot.shots,
        subset_sha256: data.subset.sha256.clone(),
        epochs: trainer.position().epoch,
        selected_epoch,
    };
    let last = read_events(&dir.join(EVENTS))?
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::Epoch(epoch) => Some(epoch),
            _ => None,
        });
    let mut metrics = json!({});
    if let Some(last) = last {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    if let Some(val) = val {
        metrics[format!("val_{}", data.task.metric.name())] = json!(val);
    }
    let classifier = trainer.classifier()?;
    let content = PromptContent {
        adapter: &adapter,
        classes: work.classes,
        parameters: trainer.parameters()?,
        classifier: &classifier,
        templates: None,
        metrics,
    };
    write_prompt(&dir.join(PROMPT), &content)
}
