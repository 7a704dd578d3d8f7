//! Tip-Adapter-F: the keys are trained, everything else stays.

use std::f64::consts::PI;

use vlpt_clip::Observer;
use vlpt_optim::{AdamW, Optimizer};

use super::{TipAdapter, TipAdapterConfig};
use crate::head::{FitEpoch, first_largest, rows};
use crate::{MethodError, Result};

/// Training images of one cache.
pub(super) struct Shots<'a> {
    /// One block (images x embed) for each view.
    pub(super) views: &'a [Vec<f32>],
    /// Their classes.
    pub(super) labels: &'a [Vec<u32>],
}

/// Trains the keys with AdamW and half a cosine, step by step. An epoch uses one of the views, in
/// turn, and the images in the order that `order` gives; the last batch may be smaller. The last
/// epoch's keys are kept: none is chosen.
pub(super) fn train(
    adapter: &mut TipAdapter,
    shots: &Shots,
    config: &TipAdapterConfig,
    order: impl Fn(usize) -> Vec<usize>,
    observer: &dyn Observer,
) -> Result<Vec<FitEpoch>> {
    let mut optimizer = AdamW::new([0.9, 0.999], config.eps, config.weight_decay);
    let images = shots.labels.len();
    let steps = images.div_ceil(config.batch_size);
    let total = (config.epochs * steps) as f64;
    let mut epochs = Vec::with_capacity(config.epochs);
    for epoch in 0..config.epochs {
        let view = &shots.views[epoch % shots.views.len()];
        let (mut loss, mut right, mut lr) = (0.0, 0, config.lr);
        for (step, batch) in order(epoch).chunks(config.batch_size).enumerate() {
            let done = (epoch * steps + step) as f64;
            lr = 0.5 * config.lr * (1.0 + (PI * done / total).cos());
            let labels: Vec<&[u32]> = batch.iter().map(|&i| &*shots.labels[i]).collect();
            let found = adapter.step(&rows(view, batch, adapter.embed), &labels)?;
            if !found.loss.is_finite() {
                return Err(MethodError::Incompatible {
                    what: format!("the loss became {} in epoch {}", found.loss, epoch + 1),
                    hint: Some("lower tip_adapter.lr".to_owned()),
                });
            }
            optimizer.step("keys", &mut adapter.keys, &found.d_keys, lr)?;
            loss += found.loss * batch.len() as f64;
            right += found
                .logits
                .chunks_exact(adapter.classes())
                .zip(&labels)
                .filter(|(row, own)| own.contains(&(first_largest(row) as u32)))
                .count();
            observer.advance(1);
            if observer.should_stop() {
                return Err(MethodError::Stopped);
            }
        }
        epochs.push(FitEpoch {
            epoch: epoch + 1,
            lr,
            loss: loss / images as f64,
            train_accuracy: right as f64 / images as f64,
        });
    }
    Ok(epochs)
}
