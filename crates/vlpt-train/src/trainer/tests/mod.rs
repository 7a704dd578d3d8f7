//! The loop against the same computations in PyTorch, and against itself.

mod conditional;
mod coop;
mod masks;
mod pixels;
mod promptsrc;
mod replaced;
mod tcp;
mod twins;

use std::collections::BTreeMap;
use std::sync::Mutex;

use vlpt_clip::{Activation, Clip, ClipConfig, Observer, TextConfig, VisionConfig};
use vlpt_data::image::Limits;
use vlpt_data::synthetic;
use vlpt_data::{Metric, Sample};
use vlpt_methods::{Build, Method, MethodConfig};

use super::images::{BatchSource, ImageInput};
use super::{TaskPart, Trainer, Workload};
use crate::checkpoint::Position;
use crate::events::EventLog;
use crate::lock::RunLock;
use crate::pixels::{EpochViews, Pixels};
use crate::{Mask, Mix, RunConfig, StepReport, TrainObserver, parse};
use vlpt_adapter::{FeatureExtractor, View, preprocess};

/// Keeps the losses.
#[derive(Default)]
struct Losses(Mutex<Vec<f64>>);

impl vlpt_clip::Progress for Losses {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl Observer for Losses {}

impl TrainObserver for Losses {
    fn step(&self, step: &StepReport) {
        self.0.lock().unwrap().push(step.loss);
    }
}

/// A small random model: the one that `tests/golden/make_twins.py` draws too.
fn small() -> Clip {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let config = ClipConfig {
        text: TextConfig {
            width: 32,
            layers: 2,
            heads: 2,
            mlp: 64,
            context_length: 77,
            vocab_size: 8706,
            eot_token: 8705,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 48,
            layers: 3,
            heads: 3,
            mlp: 96,
            image_size: 24,
            patch_size: 8,
            activation,
            layer_norm_eps,
        },
        embed_dim: 32,
    };
    Clip {
        tokenizer: Clip::mini().tokenizer,
        ..Clip::random(&config, 5)
    }
}

/// A training set in memory.
struct Example {
    config: RunConfig,
    classes: Vec<String>,
    samples: Vec<Sample>,
    tasks: Vec<TaskPart>,
    mask: Mask,
    mix: Mix,
}

/// The images that a training is given.
enum Given {
    /// Images x embed.
    Features(Vec<f32>),
    /// Of each image 3 x size x size.
    Pixels(Vec<Vec<f32>>),
    /// Decoded, and kept within so many bytes.
    Decoded(usize),
}

impl Example {
    /// One task of four classes; image `i` has class `i` modulo 4.
    fn new(images: usize, settings: &str) -> Self {
        let shapes = synthetic::task("shapes", 0).unwrap();
        let sample = |(i, sample): (usize, &Sample)| Sample {
            image: sample.image.clone(),
            labels: vec![i as u32 % 4],
        };
        Self {
            config: parse(settings, "test").unwrap(),
            classes: names(&["apple", "school bus", "polar bear", "cup"]),
            samples: shapes.train.samples[..images]
                .iter()
                .enumerate()
                .map(sample)
                .collect(),
            tasks: vec![task(0..4, (0..images).collect())],
            mask: Mask::Union,
            mix: Mix::Proportional,
        }
    }

    fn extractor<'a>(&self, clip: &'a Clip) -> FeatureExtractor<'a> {
        FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &self.config.image),
            limits: Limits::default(),
            batch: 32,
            cache: None,
            adaptation: None,
        }
    }

    fn method(&self, clip: &Clip, method: &MethodConfig) -> Box<dyn Method> {
        let build = Build {
            clip,
            classes: self.classes.len(),
            seed: 1,
        };
        method.build(&build).unwrap()
    }

    fn source<'a>(&'a self, extractor: &FeatureExtractor<'a>, given: Given) -> BatchSource<'a> {
        let views = vec![View::Centre];
        match given {
            Given::Features(features) => BatchSource::Features(vec![features]),
            Given::Pixels(pixels) => {
                let kept = pixels.into_iter().map(|image| vec![image]).collect();
                let pixels = Pixels::given(extractor.clone(), &self.samples, views, kept);
                BatchSource::Pixels(Box::new(pixels))
            }
            Given::Decoded(budget) => {
                let views = EpochViews::Fixed(views);
                let pixels =
                    Pixels::new(extractor.clone(), (&self.samples, &[]), views, budget, &());
                BatchSource::Pixels(Box::new(pixels.unwrap()))
            }
        }
    }

    /// Losses of the steps, and the parameters that the run ends with.
    fn train(
        &self,
        clip: &Clip,
        method: Box<dyn Method>,
        given: Given,
    ) -> (Vec<f64>, BTreeMap<String, Vec<f32>>) {
        let extractor = self.extractor(clip);
        let work = Workload {
            config: &self.config,
            clip,
            classes: &self.classes,
            tasks: self.tasks.clone(),
            mask: self.mask,
            mix: self.mix,
            temperature: 1.0,
            order: None,
            class_weights: None,
            train: &self.samples,
            val: &[],
            images: ImageInput {
                train: self.source(&extractor, given),
                val: BatchSource::Features(vec![Vec::new()]),
            },
            extractor,
        };
        let dir = tempfile::tempdir().unwrap();
        let mut log = EventLog::open(&dir.path().join("events.jsonl"), 0).unwrap();
        let watch = Losses::default();
        let start = Position::new("model", "data");
        let mut trainer = Trainer::new(&work, method.into(), start, None).unwrap();
        let folder = RunLock::take(dir.path()).unwrap();
        trainer.run(&folder, &mut log, &watch).unwrap();
        // The average, of a method that ends with one.
        trainer.select().unwrap();
        let parameters = trainer.parameters().unwrap();
        (watch.0.into_inner().unwrap(), parameters)
    }
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|&name| name.to_owned()).collect()
}

fn task(classes: std::ops::Range<usize>, train: Vec<usize>) -> TaskPart {
    TaskPart {
        name: format!("classes {classes:?}"),
        classes,
        metric: Metric::Accuracy,
        multi_label: false,
        train,
        val: Vec::new(),
    }
}

/// Image features by a formula.
fn formula_features(images: usize, embed: usize) -> Vec<f32> {
    let feature = |i: usize, j: usize| {
        let (i, j) = (i as f64, j as f64);
        (0.37 * (i * embed as f64 + j)).sin() + (0.11 * j * (i % 4.0 + 1.0)).cos()
    };
    (0..images * embed)
        .map(|at| feature(at / embed, at % embed) as f32)
        .collect()
}

fn assert_curve(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() < 1e-4,
            "{name}, step {step}: {found}, PyTorch has {expected}"
        );
    }
}
