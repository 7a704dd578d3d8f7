//! The descent, over batches of all views.

use rayon::prelude::*;
use serde_json::json;
use vlpt_base::random::Stream;
use vlpt_clip::Observer;

use super::prototypes::{Batch, Prototypes, confidences};
use super::{ClapConfig, Constraint};
use crate::baselines::shots::{Shots, finite};
use crate::head::{FitEpoch, FittedHead, Head, HeadInputs, UnitRows, dot};
use crate::{MethodConfig, Result};

/// Fewer rows than these are not worth a second thread.
const ROWS: usize = 16;

/// Tunes the class vectors. The last epoch's are kept: none is chosen.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    method.check()?;
    let shots = Shots::of(method, inputs)?;
    let config: &ClapConfig = method.options();
    let (templates, mut texts) = inputs.text_means(config.templates)?;
    let (width, scale) = (inputs.embed(), inputs.clip.logit_scale);
    let factor = config.factor(&texts, width);
    for value in &mut texts {
        *value *= factor;
    }
    let units = UnitRows::new(&texts, width)?;
    let held = confidences(inputs.views, &shots.labels, units.rows(), width, scale)?;
    let lambdas = match config.constraint {
        Constraint::L2 => held.clone(),
        Constraint::None => vec![0.0; held.len()],
    };
    let mut prototypes = Prototypes::new(texts, &lambdas, width);
    let shares = shots.shares(inputs.class_weights);
    let set = Set {
        views: inputs.views,
        labels: &shots.labels,
        shares: &shares,
        width,
        scale,
    };
    let mut order = Order::new(set.rows(), inputs.seed);
    let steps = set.steps(config.batch_size) * config.epochs;
    observer.start("tuning the class vectors", steps as u64);
    let epochs = descend(
        &mut prototypes,
        &set,
        config,
        &mut |n| order.draw(n),
        &mut || {
            observer.advance(1);
            inputs.stop(observer)
        },
    );
    observer.finish();
    let epochs = epochs?;

    let mut metrics = json!({
        "templates": templates.len(),
        "rows": set.rows(),
        "steps": steps,
        "text_confidence": held.iter().sum::<f64>() / held.len() as f64,
    });
    if let Some(last) = epochs.last() {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    let vectors = prototypes.units();
    let val = inputs.val_metric(|images| inputs.cosines(&vectors, images), observer)?;
    Ok(FittedHead {
        parameters: vectors.len(),
        head: Head::Text(vectors),
        templates: Some(templates),
        val,
        epochs,
        metrics,
        settled: None,
    })
}

/// All views of the training images.
pub(super) struct Set<'a> {
    /// Images x width each, of any length.
    pub(super) views: &'a [Vec<f32>],
    /// The class of each image.
    pub(super) labels: &'a [u32],
    /// What each image weighs, up to a common factor.
    pub(super) shares: &'a [f64],
    pub(super) width: usize,
    /// Factor of cosines.
    pub(super) scale: f32,
}

impl Set<'_> {
    /// Views times images.
    pub(super) fn rows(&self) -> usize {
        self.views.len() * self.labels.len()
    }

    /// Steps of an epoch: the whole batches among the images, one view of each; one step where there
    /// are fewer images than a batch has.
    pub(super) fn steps(&self, batch: usize) -> usize {
        (self.labels.len() / batch).max(1)
    }

    /// Features of length one times the scale, labels and shares of some rows.
    fn batch(&self, chosen: &[usize]) -> (Vec<f32>, Vec<u32>, Vec<f32>) {
        let (images, width) = (self.labels.len(), self.width);
        let mut features = vec![0.0; chosen.len() * width];
        features
            .par_chunks_exact_mut(width)
            .with_min_len(ROWS)
            .zip(chosen)
            .for_each(|(row, &from)| {
                let start = from % images * width;
                row.copy_from_slice(&self.views[from / images][start..start + width]);
                let length = dot(row, row).sqrt();
                let factor = if length > 0.0 {
                    self.scale / length
                } else {
                    1.0
                };
                for value in row {
                    *value *= factor;
                }
            });
        let of = |row: &usize| row % images;
        let labels = chosen.iter().map(|row| self.labels[of(row)]).collect();
        let total: f64 = chosen.iter().map(|row| self.shares[of(row)]).sum();
        let shares = chosen
            .iter()
            .map(|row| (self.shares[of(row)] / total) as f32);
        (features, labels, shares.collect())
    }
}

/// All epochs; `order` gives so many rows in random order, no one twice, and `each` is called after
/// each step.
pub(super) fn descend(
    prototypes: &mut Prototypes,
    set: &Set,
    config: &ClapConfig,
    order: &mut dyn FnMut(usize) -> Vec<usize>,
    each: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<FitEpoch>> {
    let steps = set.steps(config.batch_size);
    let mut epochs = Vec::with_capacity(config.epochs);
    for epoch in 0..config.epochs {
        let lr = config.rate(epoch);
        let (mut loss, mut right) = (0.0, 0);
        let chosen = order((steps * config.batch_size).min(set.rows()));
        for (step, chosen) in chosen.chunks(config.batch_size).enumerate() {
            let (features, labels, shares) = set.batch(chosen);
            let batch = Batch {
                features: &features,
                labels: &labels,
                shares: &shares,
            };
            let found = prototypes.step(&batch, config.momentum, lr);
            let place = || format!("step {} of epoch {}", step + 1, epoch + 1);
            finite("the loss", found.loss, place, "lower clap.lr")?;
            loss += found.loss * chosen.len() as f64;
            right += found.right;
            each()?;
        }
        epochs.push(FitEpoch {
            epoch: epoch + 1,
            lr,
            loss: loss / chosen.len() as f64,
            train_accuracy: right as f64 / chosen.len() as f64,
        });
    }
    let sum: f64 = prototypes.units().iter().map(|&v| f64::from(v)).sum();
    finite(
        "a class vector",
        sum,
        || "the last step".to_owned(),
        "lower clap.lr",
    )?;
    Ok(epochs)
}

/// Rows in random order, without shuffling all of them for the few that an epoch takes.
pub(super) struct Order {
    rows: Vec<usize>,
    random: Stream,
}

impl Order {
    pub(super) fn new(rows: usize, seed: u64) -> Self {
        Self {
            rows: (0..rows).collect(),
            random: Stream::new(seed, "clap.order"),
        }
    }

    /// So many rows, every choice and order being equally likely (the first steps of Fisher and
    /// Yates' shuffle).
    pub(super) fn draw(&mut self, count: usize) -> Vec<usize> {
        let total = self.rows.len();
        for at in 0..count {
            let left = (total - at) as f64;
            let other = at + (self.random.uniform() * left) as usize;
            self.rows.swap(at, other.min(total - 1));
        }
        self.rows[..count].to_vec()
    }
}
