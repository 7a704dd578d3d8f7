//! The end of a run: its prompt folder and its summary.

use std::path::Path;

use serde_json::json;
use vlpt_base::hash::fingerprint;
use vlpt_base::shell::resume_run;

use super::job::Job;
use super::outcome::Outcome;
use super::{EVENTS, PROMPT, RunSummary};
use crate::events::{End, Event, EventLog, read_events};
use crate::{Member, Result, TrainError, TrainObserver, TrainingData};
use vlpt_adapter::{
    Adapter, AdapterTask, FORMAT, PromptContent, PromptFolder, class_names_sha256, write_prompt,
};

/// How the folder of a run that is finished looks.
pub(super) enum Ending {
    /// Its prompt is there.
    Whole(RunSummary),
    /// Its prompt folder is gone; the events before the end of the run have this length.
    PromptGone {
        /// Bytes of `events.jsonl`.
        events: u64,
    },
}

/// Looks at the end of a run that its checkpoint calls finished.
///
/// # Errors
/// A prompt folder that is there and damaged, or events without an end.
pub(super) fn whole(dir: &Path) -> Result<Ending> {
    let path = dir.join(EVENTS);
    let end = read_events(&path)?.pop();
    let Some(Event::End(end)) = end else {
        return Err(TrainError::Damaged {
            path,
            what: "has no end, but the run is finished".to_owned(),
        });
    };
    let prompt = dir.join(PROMPT);
    if !prompt.join("adapter_config.json").exists() {
        let text = fs_err::read(&path)?;
        let before = text.strip_suffix(b"\n").unwrap_or(&text);
        let last = before.iter().rposition(|&byte| byte == b'\n');
        let events = last.map_or(0, |place| place as u64 + 1);
        return Ok(Ending::PromptGone { events });
    }
    PromptFolder::open(&prompt).map_err(|error| TrainError::Incompatible {
        what: format!("the run is finished, but its prompt is damaged: {error}"),
        hint: Some(format!(
            "remove {} and run `{}`: the prompt is written again",
            prompt.display(),
            resume_run(dir)
        )),
    })?;
    Ok(Ending::Whole(RunSummary {
        dir: dir.to_owned(),
        prompt,
        selected_epoch: end.selected_epoch,
        val: end.val,
        already_finished: true,
    }))
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
        calibration: None,
    };
    let mut metrics = outcome.metrics.clone();
    if let Some(val) = outcome.val {
        let name = match data.members.len() {
            1 => format!("val_{}", task.metric.name()),
            _ => "val_mean".to_owned(),
        };
        metrics[name] = json!(val);
    }
    if !task.provenance.left_out.is_empty() {
        metrics["images_left_out"] = json!(task.provenance.left_out.len());
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

impl Job<'_> {
    /// Writes the prompt folder and the event at the end of the run.
    pub(super) fn end(
        &self,
        outcome: &Outcome,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<RunSummary> {
        self.lock.held()?;
        write_result(self, outcome)?;
        let (selected_epoch, val) = (outcome.selected_epoch, outcome.val);
        let event = Event::End(End {
            selected_epoch,
            val,
        });
        log.push(&event)?;
        observer.event(&event);
        Ok(RunSummary {
            dir: self.dir.to_owned(),
            prompt: self.dir.join(PROMPT),
            selected_epoch,
            val,
            already_finished: false,
        })
    }
}
