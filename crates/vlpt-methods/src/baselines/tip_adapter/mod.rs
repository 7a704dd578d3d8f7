//! Tip-Adapter and Tip-Adapter-F (Zhang et al., "Tip-Adapter: Training-free adaption of CLIP for
//! few-shot classification", ECCV 2022).
//!
//! The training images are a cache: an image's feature is a key, its class the key's value. A
//! feature `f` of length one has the logits
//!
//! ```text
//! scale * f . t  +  alpha * sum over keys k of  exp(-beta (1 - f . k)) * value(k)
//! ```
//!
//! where `t` are zero-shot text features. Tip-Adapter learns nothing; Tip-Adapter-F trains the
//! keys, which then need not be of length one.

mod config;
mod finetune;
mod fit;
mod head;

use rayon::prelude::*;

use super::dense::{Right, product, transposed};
use super::zero_shot::normalise;
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result};

pub use config::TipAdapterConfig;

const SOURCE: &str = "Zhang et al., \"Tip-Adapter: Training-free adaption of CLIP for few-shot classification\", ECCV 2022";

/// What Tip-Adapter says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "tip-adapter",
    summary: "baseline: zero-shot with a cache of training images",
    source: SOURCE,
    good_for: "no training at all: about 20 points over zero-shot on seven real \
               sets (mini-clip, 16 shots)",
    tables: &[&TipAdapterConfig::TABLE],
    report: Report {
        done: "Class names in templates and the features of training images tell the classes apart",
        holds: "features of training images beside class names in templates",
    },
    needs: |_| Needs {
        validation: true,
        ..Needs::default()
    },
    check: |method| {
        let config: &TipAdapterConfig = method.options();
        if config.finetune {
            return Err(MethodError::Option {
                key: "tip_adapter.finetune",
                found: "true".to_owned(),
                expected: format!("false; method = \"{}\" trains the keys", FINETUNED.name),
            });
        }
        config.check()
    },
    fit: Fit::Head(|method, inputs, observer| fit::fit(method, inputs, false, observer)),
    heads: &[TipAdapter::READER],
    learns: Some(|_, _| 0),
    ..MethodSpec::BASE
};

/// What Tip-Adapter-F says of itself: the same with trained keys.
pub static FINETUNED: MethodSpec = MethodSpec {
    name: "tip-adapter-f",
    summary: "baseline: the same with trained keys",
    source: SOURCE,
    good_for: "about 25 points over zero-shot on seven real sets; where the \
               model knows the names, as on CIFAR-100, ahead of GDA and the \
               linear probe (mini-clip, 16 shots)",
    learns: Some(|_, size| size.images * size.embed),
    tables: &[&TipAdapterConfig::TABLE],
    report: Report {
        done: "Features of training images beside class names in templates were tuned",
        holds: "features of training images, tuned, beside class names in templates",
    },
    needs: |_| Needs {
        validation: true,
        ..Needs::default()
    },
    check: |method| method.options::<TipAdapterConfig>().check(),
    fit: Fit::Head(|method, inputs, observer| fit::fit(method, inputs, true, observer)),
    // Older prompt folders tell it by an option of Tip-Adapter.
    reads: |name, options| name == SPEC.name && options["finetune"] == true,
    ..MethodSpec::BASE
};

impl From<TipAdapterConfig> for MethodConfig {
    /// Tip-Adapter-F where the options are those of an older file of it.
    fn from(options: TipAdapterConfig) -> Self {
        let spec = if options.finetune { &FINETUNED } else { &SPEC };
        Self::of(spec, options)
    }
}

/// Images whose affinities to all keys are held at once; a constant.
const IMAGES_AT_ONCE: usize = 256;

/// A cache of training images beside a zero-shot classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct TipAdapter {
    /// Features of the training images, keys x embed.
    pub keys: Vec<f32>,
    /// The classes of each key's image.
    pub values: Vec<Vec<u32>>,
    /// Normalised text features, classes x embed.
    pub text: Vec<f32>,
    /// Factor of the cosines with text features.
    pub scale: f32,
    /// Weight of the cache.
    pub alpha: f64,
    /// Sharpness of the cache.
    pub beta: f64,
    /// Length of a feature.
    pub embed: usize,
}

/// What a training step needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct TipStep {
    /// Mean cross entropy of the images.
    pub loss: f64,
    /// Its gradient in the keys, keys x embed.
    pub d_keys: Vec<f32>,
    /// Images x classes, from the keys before the step.
    pub logits: Vec<f32>,
}

impl TipAdapter {
    /// A cache whose keys are the means of the images' views, divided by their lengths. Each view
    /// is images x embed; `text` is classes x embed, rows of length one; `values` has the classes
    /// of each image.
    ///
    /// # Errors
    /// No view, sizes that do not fit, or a class beyond the text features.
    pub fn new(
        views: &[&[f32]],
        values: Vec<Vec<u32>>,
        text: Vec<f32>,
        embed: usize,
        scale: f32,
        (alpha, beta): (f64, f64),
    ) -> Result<Self> {
        let size = values.len() * embed;
        let mut keys: Vec<f32> = (0..size)
            .map(|i| {
                let sum: f64 = views
                    .iter()
                    .filter_map(|view| view.get(i))
                    .map(|&v| f64::from(v))
                    .sum();
                (sum / views.len() as f64) as f32
            })
            .collect();
        if views.is_empty() || views.iter().any(|view| view.len() != size) {
            let found: Vec<usize> = views.iter().map(|view| view.len()).collect();
            return Err(MethodError::Incompatible {
                what: format!(
                    "views with {found:?} values: expected {} x {embed}",
                    values.len()
                ),
                hint: None,
            });
        }
        keys.chunks_exact_mut(embed.max(1)).for_each(normalise);
        let cache = Self {
            keys,
            values,
            text,
            scale,
            alpha,
            beta,
            embed,
        };
        cache.check()?;
        Ok(cache)
    }

    /// Checks that the parts fit together, as those read from a file may not.
    ///
    /// # Errors
    /// Sizes that do not fit, a class beyond the text features, or a number that is none.
    pub fn check(&self) -> Result<()> {
        let incompatible = |what: String| Err(MethodError::Incompatible { what, hint: None });
        let (embed, images) = (self.embed, self.values.len());
        if embed == 0 || self.text.is_empty() || !self.text.len().is_multiple_of(embed) {
            return incompatible(format!(
                "{} values of text features: expected rows of {embed}",
                self.text.len()
            ));
        }
        if self.keys.len() != images * embed || images == 0 {
            return incompatible(format!(
                "{} values of keys: expected {images} x {embed}, and one key at least",
                self.keys.len()
            ));
        }
        let classes = self.classes();
        let labels = self.values.iter().flatten();
        if let Some(label) = labels.copied().find(|&label| label as usize >= classes) {
            return incompatible(format!(
                "a key has class {label}: expected a number below {classes}"
            ));
        }
        if !(self.alpha.is_finite() && self.beta.is_finite() && self.scale.is_finite()) {
            return incompatible(format!(
                "alpha {}, beta {} and scale {}: expected finite numbers",
                self.alpha, self.beta, self.scale
            ));
        }
        Ok(())
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.text.len() / self.embed
    }

    /// Logits (images x classes) of image features (images x embed) of any length.
    ///
    /// # Errors
    /// A number of values that is no multiple of the embedding.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        self.fits(images)?;
        let (text, keys) = (doubles(&self.text), doubles(&self.keys));
        let mut logits = Vec::with_capacity(images.len() / self.embed * self.classes());
        for group in images.chunks(IMAGES_AT_ONCE * self.embed) {
            let units = units(group, self.embed);
            let affinities = product(&units, self.embed, Right::Transposed(&keys));
            let mut rows = self.zero_shot(&text, &units);
            self.add_cache(&mut rows, &affinities, (self.alpha, self.beta), |_, _| true);
            logits.extend(rows.iter().map(|&v| v as f32));
        }
        Ok(logits)
    }

    /// Everything that the logits of images need beside alpha and beta.
    ///
    /// # Errors
    /// A number of values that is no multiple of the embedding.
    pub fn affinities(&self, images: &[f32]) -> Result<Affinities> {
        self.fits(images)?;
        let units = units(images, self.embed);
        Ok(Affinities {
            zero_shot: self.zero_shot(&doubles(&self.text), &units),
            keys: product(&units, self.embed, Right::Transposed(&doubles(&self.keys))),
        })
    }

    /// Sums over the keys (images x classes) that alpha is the weight of; `takes(image, key)` says
    /// which keys an image sees.
    pub fn cache(
        &self,
        affinities: &Affinities,
        beta: f64,
        takes: impl Fn(usize, usize) -> bool + Sync,
    ) -> Vec<f64> {
        let mut rows = vec![0.0; affinities.zero_shot.len()];
        self.add_cache(&mut rows, &affinities.keys, (1.0, beta), takes);
        rows
    }

    /// Loss and gradient for a batch: `images` (images x embed, of any length) and their classes.
    /// The classes of an image share its weight; an image of no class adds nothing.
    ///
    /// # Errors
    /// Sizes that do not fit.
    pub fn step(&self, images: &[f32], labels: &[&[u32]]) -> Result<TipStep> {
        self.fits(images)?;
        let (count, classes, keys) = (labels.len(), self.classes(), self.values.len());
        if images.len() != count * self.embed || count == 0 {
            return Err(MethodError::Incompatible {
                what: format!("{} feature values for {count} images", images.len()),
                hint: None,
            });
        }
        let units = units(images, self.embed);
        let affinities = product(&units, self.embed, Right::Transposed(&doubles(&self.keys)));
        let mut rows = self.zero_shot(&doubles(&self.text), &units);
        self.add_cache(&mut rows, &affinities, (self.alpha, self.beta), |_, _| true);
        let logits = rows.iter().map(|&v| v as f32).collect();

        let share = 1.0 / count as f64;
        let mut d_affinities = affinities;
        let losses: Vec<f64> = rows
            .par_chunks_exact_mut(classes)
            .zip(d_affinities.par_chunks_exact_mut(keys))
            .zip(labels)
            .map(|((row, d), own)| {
                let loss = cross_entropy(row, own, share);
                for (a, values) in d.iter_mut().zip(&self.values) {
                    let sum: f64 = values.iter().map(|&class| row[class as usize]).sum();
                    *a = self.alpha * self.beta * sharp(*a, self.beta) * sum;
                }
                loss
            })
            .collect();
        let by_key = transposed(&d_affinities, keys);
        let d_keys = product(&by_key, count, Right::Plain(&units));
        let d_keys = d_keys.iter().map(|&v| v as f32).collect();
        Ok(TipStep {
            loss: losses.iter().sum::<f64>() * share,
            d_keys,
            logits,
        })
    }

    fn fits(&self, images: &[f32]) -> Result<()> {
        self.check()?;
        if images.len().is_multiple_of(self.embed) {
            return Ok(());
        }
        Err(MethodError::Incompatible {
            what: format!(
                "{} feature values are no rows of {}",
                images.len(),
                self.embed
            ),
            hint: None,
        })
    }

    fn zero_shot(&self, text: &[f64], units: &[f64]) -> Vec<f64> {
        let mut rows = product(units, self.embed, Right::Transposed(text));
        let scale = f64::from(self.scale);
        for v in &mut rows {
            *v *= scale;
        }
        rows
    }

    /// Adds the cache's part to `rows` (images x classes), keys in order.
    fn add_cache(
        &self,
        rows: &mut [f64],
        affinities: &[f64],
        (alpha, beta): (f64, f64),
        takes: impl Fn(usize, usize) -> bool + Sync,
    ) {
        rows.par_chunks_exact_mut(self.classes())
            .zip(affinities.par_chunks_exact(self.values.len()))
            .enumerate()
            .for_each(|(image, (row, affinities))| {
                for (key, (&affinity, values)) in affinities.iter().zip(&self.values).enumerate() {
                    if takes(image, key) {
                        let weight = alpha * sharp(affinity, beta);
                        for &class in values {
                            row[class as usize] += weight;
                        }
                    }
                }
            });
    }
}

/// Zero-shot logits and cosines with all keys of some images.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinities {
    /// Images x classes.
    pub zero_shot: Vec<f64>,
    /// Images x keys.
    pub keys: Vec<f64>,
}

fn sharp(affinity: f64, beta: f64) -> f64 {
    (-beta * (1.0 - affinity)).exp()
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Rows divided by their lengths; a row of zeros stays.
fn units(rows: &[f32], embed: usize) -> Vec<f64> {
    let mut units = doubles(rows);
    for row in units.chunks_exact_mut(embed) {
        let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length > 0.0 {
            for v in &mut *row {
                *v /= length;
            }
        }
    }
    units
}

/// The loss of one row of logits, which become its gradient times `share`.
fn cross_entropy(row: &mut [f64], labels: &[u32], share: f64) -> f64 {
    if labels.is_empty() {
        row.fill(0.0);
        return 0.0;
    }
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let part = 1.0 / labels.len() as f64;
    let own: f64 = labels.iter().map(|&label| row[label as usize] - top).sum();
    let mut sum = 0.0;
    for logit in row.iter_mut() {
        *logit = (*logit - top).exp();
        sum += *logit;
    }
    for power in &mut *row {
        *power *= share / sum;
    }
    for &label in labels {
        row[label as usize] -= share * part;
    }
    sum.ln() - own * part
}

#[cfg(test)]
mod tests;
