//! The average of prompts over seeds: the arithmetic mean of every parameter.
//!
//! The mean is a prompt that no run has visited; whether it is a good one is for an evaluation to
//! say. MVLPT's code averages the prompts of three seeds on its source tasks before it goes on to
//! the target tasks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;
use vlpt_methods::{Method, Parameter};

use super::import::new_folder;
use super::{PromptContent, PromptFolder, write_prompt};
use crate::{AdapterError, Classifier, Result};

/// What an average was made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Averaged {
    /// The method's name.
    pub method: &'static str,
    /// Number of values.
    pub values: usize,
    /// The prompts, in the order given.
    pub sources: Vec<AveragedSource>,
    /// For each parameter, the largest distance of a source from the mean, divided by the mean's
    /// length (Euclidean, all values of the parameter as one vector): how far apart the prompts are.
    pub spread: BTreeMap<String, f64>,
    /// What is the same in none of the sources and taken from the first.
    pub notes: Vec<String>,
}

/// One prompt that went into an average.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AveragedSource {
    /// The folder, as given.
    pub folder: String,
    /// The task it was tuned on.
    pub task: String,
    /// Its seed.
    pub seed: u64,
    /// The epoch that was kept.
    pub epoch: usize,
    /// SHA-256 over its values.
    pub sha256: String,
}

/// The values of one prompt by the names of its parameters.
type Values = BTreeMap<String, Vec<f32>>;

/// Writes the mean of the prompts in `folders` to `out`, with a classifier made anew by the base
/// model. Sums are taken in f64 in the order given.
///
/// # Errors
/// Fewer than two folders, the same one twice, a baseline, or prompts that differ in method,
/// options, shapes, base model, preprocessing, or (class-specific ones) class names. A folder `out` that
/// exists is not replaced.
pub fn average_prompts(folders: &[PathBuf], clip: &Clip, out: &Path) -> Result<Averaged> {
    new_folder(out)?;
    average_prompts_to(folders, clip, out)
}

/// As [`average_prompts`], over a folder that may exist.
///
/// # Errors
/// As [`average_prompts`], but for a folder that exists.
pub fn average_prompts_to(folders: &[PathBuf], clip: &Clip, out: &Path) -> Result<Averaged> {
    let opened = folders
        .iter()
        .map(|path| PromptFolder::open(path))
        .collect::<Result<Vec<_>>>()?;
    comparable(folders, &opened)?;
    let first = &opened[0];
    first.check_model(clip)?;
    let prompts = opened
        .iter()
        .map(|folder| values(folder, clip))
        .collect::<Result<Vec<_>>>()?;
    let mean = mean(&prompts);
    let method: Arc<dyn Method> = Arc::from(first.method(clip)?);
    for parameter in method.parameters() {
        parameter.set(&mean[parameter.name()])?;
    }
    let averaged = Averaged {
        method: first.adapter.method.name(),
        values: method.parameter_count(),
        sources: sources(folders, &opened, &prompts),
        spread: spread(&mean, &prompts),
        notes: notes(&opened),
    };
    let mut adapter = first.adapter.clone();
    env!("CARGO_PKG_VERSION").clone_into(&mut adapter.version);
    adapter.precision = Some(clip.precision);
    let subsets = opened.iter().map(|folder| &folder.adapter.subset_sha256);
    adapter.subset_sha256 = fingerprint(subsets);
    let epochs = |pick: fn(&PromptFolder) -> usize| opened.iter().map(pick).max().unwrap_or(0);
    adapter.epochs = epochs(|folder| folder.adapter.epochs);
    adapter.selected_epoch = epochs(|folder| folder.adapter.selected_epoch);
    if opened
        .iter()
        .any(|other| other.adapter.init_from != adapter.init_from)
    {
        adapter.init_from = None;
    }
    // Held-out images said it of each of the parts, not of their mean.
    adapter.calibration = None;
    let content = PromptContent {
        adapter: &adapter,
        classes: &first.classes,
        parameters: mean,
        classifier: &Classifier::of_method(clip, method, &first.classes)?,
        templates: None,
        metrics: json!({ "averaged": averaged.sources, "spread": averaged.spread }),
    };
    write_prompt(out, &content)?;
    Ok(averaged)
}

/// Refuses prompts whose mean would mean nothing.
fn comparable(folders: &[PathBuf], opened: &[PromptFolder]) -> Result<()> {
    let refuse = |what: String, hint: &str| {
        Err(AdapterError::Incompatible {
            what,
            hint: Some(hint.to_owned()),
        })
    };
    if opened.len() < 2 {
        let what = format!("{} prompt folder given: expected two or more", opened.len());
        return refuse(what, "name the prompt folders of runs with different seeds");
    }
    for folder in opened {
        if folder.adapter.method.is_baseline() {
            let what = format!(
                "{}: {} is a classifier fitted to image features and holds no prompts",
                folder.path.display(),
                folder.adapter.method.name()
            );
            let hint = "an average of classifiers is not an average of prompts; compare their \
                        results instead";
            return refuse(what, hint);
        }
    }
    for (i, folder) in opened.iter().enumerate() {
        let place = |folder: &PromptFolder| fs_err::canonicalize(&folder.path);
        for earlier in &opened[..i] {
            if place(earlier)? == place(folder)? {
                let what = format!("{}: given twice", folders[i].display());
                return refuse(what, "it would weigh double; name each folder once");
            }
        }
    }
    let first = &opened[0];
    for other in &opened[1..] {
        if let Some((what, hint)) = difference(first, other) {
            let (a, b) = (first.path.display(), other.path.display());
            return refuse(format!("{a} and {b} cannot be averaged: {what}"), hint);
        }
    }
    Ok(())
}

/// The first thing in which two prompts differ that must be the same.
fn difference(first: &PromptFolder, other: &PromptFolder) -> Option<(String, &'static str)> {
    let (a, b) = (&first.adapter, &other.adapter);
    if a.method.name() != b.method.name() {
        let what = format!(
            "the methods are {} and {}",
            a.method.name(),
            b.method.name()
        );
        return Some((what, "average prompts of one method"));
    }
    if a.method != b.method {
        let what = format!(
            "the options of {} differ: {} and {}",
            a.method.name(),
            json!(a.method),
            json!(b.method)
        );
        return Some((what, "average prompts that differ in their seed alone"));
    }
    if a.base_model_fingerprint != b.base_model_fingerprint {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        let what = format!(
            "they were tuned for {} ({}) and {} ({})",
            a.base_model,
            short(&a.base_model_fingerprint),
            b.base_model,
            short(&b.base_model_fingerprint)
        );
        return Some((what, "a prompt means nothing to another model"));
    }
    // in class-specific prompts, the first dimension of `ctx` is the class
    let contexts = a
        .parameters
        .get("ctx")
        .is_some_and(|shape| shape.len() == 3);
    let specific = contexts || a.method.needs().class_features;
    if specific && first.classes != other.classes {
        let at = first
            .classes
            .iter()
            .zip(&other.classes)
            .position(|(a, b)| a != b);
        let what = match at {
            Some(i) => format!(
                "the prompts are class-specific, and class {i} is \"{}\" in one and \"{}\" in the \
                 other",
                first.classes[i], other.classes[i]
            ),
            None => format!(
                "the prompts are class-specific, for {} and {} classes",
                first.classes.len(),
                other.classes.len()
            ),
        };
        return Some((
            what,
            "average prompts of the same classes in the same order",
        ));
    }
    if a.parameters != b.parameters {
        let name = a.parameters.keys().chain(b.parameters.keys());
        let name = name
            .into_iter()
            .find(|n| a.parameters.get(*n) != b.parameters.get(*n))?;
        let shape =
            |shape: Option<&Vec<usize>>| shape.map_or("none".to_owned(), |s| format!("{s:?}"));
        let what = format!(
            "`{name}` has shape {} in one and {} in the other",
            shape(a.parameters.get(name)),
            shape(b.parameters.get(name))
        );
        return Some((what, "average prompts that differ in their seed alone"));
    }
    if a.preprocess != b.preprocess {
        let what = format!(
            "images are made ready in different ways: {} and {}",
            json!(a.preprocess),
            json!(b.preprocess)
        );
        return Some((what, "average prompts with the same [image] settings"));
    }
    None
}

fn values(folder: &PromptFolder, clip: &Clip) -> Result<Values> {
    let method = folder.method(clip)?;
    let named = |p: &Parameter| Ok((p.name().to_owned(), p.values()?));
    method.parameters().iter().map(named).collect()
}

/// The mean of every value, summed in f64 in the order of the prompts.
fn mean(prompts: &[Values]) -> Values {
    let count = prompts.len() as f64;
    prompts[0]
        .iter()
        .map(|(name, first)| {
            let mut sums: Vec<f64> = first.iter().map(|&v| f64::from(v)).collect();
            for prompt in &prompts[1..] {
                for (sum, &value) in sums.iter_mut().zip(&prompt[name]) {
                    *sum += f64::from(value);
                }
            }
            let mean = sums.into_iter().map(|sum| (sum / count) as f32).collect();
            (name.clone(), mean)
        })
        .collect()
}

fn spread(mean: &Values, prompts: &[Values]) -> BTreeMap<String, f64> {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    mean.iter()
        .map(|(name, mean)| {
            let farthest = prompts
                .iter()
                .map(|prompt| {
                    let pairs = prompt[name].iter().zip(mean);
                    length(&mut pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)))
                })
                .fold(0.0, f64::max);
            let own = length(&mut mean.iter().map(|&v| f64::from(v)));
            (name.clone(), if own > 0.0 { farthest / own } else { 0.0 })
        })
        .collect()
}

fn sources(
    folders: &[PathBuf],
    opened: &[PromptFolder],
    prompts: &[Values],
) -> Vec<AveragedSource> {
    let of = |((path, folder), values): ((&PathBuf, &PromptFolder), &Values)| {
        let bytes = values.values().map(|values| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<u8>>()
        });
        AveragedSource {
            folder: path.display().to_string(),
            task: folder.adapter.task.clone(),
            seed: folder.adapter.seed,
            epoch: folder.adapter.selected_epoch,
            sha256: fingerprint(bytes),
        }
    };
    folders.iter().zip(opened).zip(prompts).map(of).collect()
}

/// Differences that do not stand in the way, but are worth knowing.
fn notes(opened: &[PromptFolder]) -> Vec<String> {
    let first = &opened[0];
    let mut notes = Vec::new();
    if opened.iter().any(|other| other.classes != first.classes) {
        notes.push(format!(
            "the class names differ; those of {} are kept",
            first.path.display()
        ));
    }
    if opened
        .iter()
        .any(|other| other.adapter.task != first.adapter.task)
    {
        notes.push("the prompts were tuned on different tasks".to_owned());
    }
    let mut seeds: Vec<u64> = opened.iter().map(|folder| folder.adapter.seed).collect();
    seeds.sort_unstable();
    if seeds.windows(2).any(|pair| pair[0] == pair[1]) {
        notes.push("two of the prompts have the same seed".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(values: &[f32]) -> Values {
        BTreeMap::from([("ctx".to_owned(), values.to_vec())])
    }

    #[test]
    fn sums_do_not_lose_what_f32_would() {
        // in f32, 1e8 + 1 is 1e8
        let prompts = [
            prompt(&[1e8, 0.0]),
            prompt(&[1.0, 3.0]),
            prompt(&[-1e8, 0.0]),
        ];
        assert_eq!(mean(&prompts)["ctx"], [1.0 / 3.0, 1.0]);
    }

    #[test]
    fn the_spread_is_the_distance_of_the_farthest_by_the_length_of_the_mean() {
        let prompts = [prompt(&[3.0, 5.0]), prompt(&[3.0, 3.0])];
        let mean = mean(&prompts);
        assert_eq!(mean["ctx"], [3.0, 4.0]);
        assert_eq!(spread(&mean, &prompts)["ctx"], 0.2);
    }
}
