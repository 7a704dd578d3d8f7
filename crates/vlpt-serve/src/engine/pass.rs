//! One batch: as few passes through the tower as its prompts allow, then each prompt's classifier.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vlpt_adapter::ImageAdaptation;
use vlpt_clip::{Clip, TowerAdaptation};
use vlpt_methods::{PromptValues, TowerValues};

use super::{Answer, Job, Reply};
use crate::error::RequestError;
use crate::metrics::Metrics;
use crate::prompts::{Prompt, TowerKey};

/// An image to go through the tower under a prompt: the job, and the first of its prompts that needs
/// this pass.
type Ask = (usize, Arc<Prompt>);

/// The answers to jobs, in their order.
///
/// Prompts that leave the tower as it is share one pass of an image. Prompts of learned rows of one
/// shape share a pass of many images, each with its own rows as keys. Others have a pass for
/// themselves.
pub(super) fn answer(clip: &Clip, jobs: &[Job], metrics: &Metrics) -> Vec<Reply> {
    let mut passes = BTreeMap::<&TowerKey, Vec<Ask>>::new();
    let mut planned = BTreeSet::new();
    for (number, job) in jobs.iter().enumerate() {
        for prompt in &job.prompts {
            if planned.insert((number, prompt.visual.as_str())) {
                passes
                    .entry(&prompt.tower)
                    .or_default()
                    .push((number, Arc::clone(prompt)));
            }
        }
    }
    let mut features = BTreeMap::<(usize, &str), Result<Vec<f32>, RequestError>>::new();
    for asks in passes.values() {
        metrics.pass(asks.len());
        let rows = pass(clip, jobs, asks);
        for ((number, prompt), row) in asks.iter().zip(rows) {
            features.insert((*number, &prompt.visual), row);
        }
    }
    let of_job = |(number, job): (usize, &Job)| {
        let mut answer = Answer {
            logits: Vec::with_capacity(job.prompts.len()),
            attention: Vec::new(),
        };
        for prompt in &job.prompts {
            let features = features
                .get(&(number, prompt.visual.as_str()))
                .cloned()
                .unwrap_or_else(|| Err(RequestError::Own("an image was left out".to_owned())))?;
            let logits = prompt.classifier.logits(clip, &features);
            answer
                .logits
                .push(logits.map_err(|error| RequestError::Own(error.to_string()))?);
            if job.attention {
                answer.attention.push(attention(clip, job, prompt));
            }
        }
        Ok(answer)
    };
    jobs.iter().enumerate().map(of_job).collect()
}

/// Features of the images of one pass, in their order.
fn pass(clip: &Clip, jobs: &[Job], asks: &[Ask]) -> Vec<Result<Vec<f32>, RequestError>> {
    let pixels: Vec<f32> = asks
        .iter()
        .flat_map(|(number, _)| &jobs[*number].pixels)
        .copied()
        .collect();
    let first = &asks[0].1;
    let one = asks.iter().all(|(_, prompt)| prompt.visual == first.visual);
    let mixed;
    let visual = if one {
        first.classifier.visual.as_ref()
    } else {
        mixed = rows_of_each(asks);
        mixed.as_ref()
    };
    match ImageAdaptation::features(visual, clip, &pixels, asks.len()) {
        Ok(features) => {
            let width = features.len() / asks.len();
            features
                .chunks_exact(width)
                .map(|row| Ok(row.to_vec()))
                .collect()
        }
        Err(error) => vec![Err(RequestError::Own(error.to_string())); asks.len()],
    }
}

/// Learned rows of each image's own, out of prompts of one shape.
fn rows_of_each(asks: &[Ask]) -> Option<ImageAdaptation> {
    let of = |prompt: &Prompt| -> Option<PromptValues> {
        match prompt.classifier.visual.as_ref()? {
            ImageAdaptation::Fixed(values) => values.prompts.clone(),
            ImageAdaptation::PerImage(_) => None,
        }
    };
    let mut all = of(&asks[0].1)?;
    all.per_image = true;
    for (_, prompt) in &asks[1..] {
        all.values.extend(of(prompt)?.values);
    }
    Some(ImageAdaptation::Fixed(TowerValues {
        prompts: Some(all),
        ..TowerValues::default()
    }))
}

/// What the class token of the last block looks at: a share for each patch, the mean over the heads.
fn attention(clip: &Clip, job: &Job, prompt: &Prompt) -> Vec<f32> {
    let values = match &prompt.classifier.visual {
        Some(ImageAdaptation::Fixed(values)) => Some(values),
        _ => None,
    };
    let updates = values.map_or_else(Vec::new, TowerValues::updates);
    let adaptation = values.map_or(TowerAdaptation::NONE, |values| values.for_tower(&updates));
    let columns = clip.vision.attention_columns(&adaptation);
    let all = clip.vision.class_attention(&job.pixels, 1, &adaptation);
    let sizes = &clip.config.vision;
    let patches = (sizes.image_size / sizes.patch_size).pow(2);
    let last = &all[all.len() - sizes.heads * columns..];
    let mut mean = vec![0.0; patches];
    for head in last.chunks_exact(columns) {
        for (mean, share) in mean.iter_mut().zip(&head[1..=patches]) {
            *mean += share / sizes.heads as f32;
        }
    }
    mean
}
