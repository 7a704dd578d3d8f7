//! The loop against the same computation in PyTorch (`tests/golden/make_coop.py`).

use std::collections::BTreeMap;

use vlpt_clip::Clip;
use vlpt_data::drawn::drawn;
use vlpt_data::image::Limits;
use vlpt_data::{Item, Metric};
use vlpt_methods::{CoOpConfig, Position as ClassPosition};

use super::images::{ImageInput, Source};
use super::{TaskPart, Trainer, Workload};
use crate::checkpoint::Position;
use crate::events::EventLog;
use crate::{FeatureMaker, Mask, Mix, Observer, StepReport, parse, preprocess};

const CLASSES: [&str; 4] = ["apple", "school bus", "polar bear", "cup"];
const IMAGES: usize = 10;

/// Keeps the losses.
#[derive(Default)]
struct Losses(std::sync::Mutex<Vec<f64>>);

impl vlpt_clip::Progress for Losses {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl Observer for Losses {
    fn step(&self, step: &StepReport) {
        self.0.lock().unwrap().push(step.loss);
    }
}

fn losses(clip: &Clip, position: ClassPosition) -> Vec<f64> {
    let mut config = parse(
        "[train]\nepochs = 50\nbatch_size = 10\nlr = 0.02\n[compute]\ncheckpoint_seconds = 3600",
        "test",
    )
    .unwrap();
    config.coop = CoOpConfig {
        init: "a photo of a".to_owned(),
        position,
        ..CoOpConfig::default()
    };
    let drawn = drawn("shapes", 0).unwrap();
    let items: Vec<Item> = drawn.train.items[..IMAGES]
        .iter()
        .enumerate()
        .map(|(i, item)| Item {
            image: item.image.clone(),
            labels: vec![i as u32 % 4],
        })
        .collect();
    let feature = |i: usize, j: usize| {
        let (i, j) = (i as f64, j as f64);
        (0.37 * (i * 128.0 + j)).sin() + (0.11 * j * (i % 4.0 + 1.0)).cos()
    };
    let features = (0..IMAGES * 128)
        .map(|at| feature(at / 128, at % 128) as f32)
        .collect();
    let classes = CLASSES.map(str::to_owned);
    let maker = FeatureMaker {
        clip,
        preprocess: preprocess(clip, &config.image),
        limits: Limits::default(),
        batch: 32,
        cache: None,
        prompts: None,
    };
    let work = Workload {
        config: &config,
        clip,
        classes: &classes,
        tasks: vec![TaskPart {
            name: "formula".to_owned(),
            classes: 0..4,
            metric: Metric::Accuracy,
            multi_label: false,
            train: (0..IMAGES).collect(),
            val: Vec::new(),
        }],
        mask: Mask::Union,
        mix: Mix::Proportional,
        temperature: 1.0,
        train: &items,
        val: &[],
        images: ImageInput {
            train: Source::Features(vec![features]),
            val: Source::Features(vec![Vec::new()]),
        },
        maker,
    };
    let dir = tempfile::tempdir().unwrap();
    let mut log = EventLog::open(&dir.path().join("events.jsonl"), 0).unwrap();
    let method = config.method_config().build(clip, 4, 1).unwrap();
    let watch = Losses::default();
    let start = Position::new("model", "data");
    let mut trainer = Trainer::new(&work, method.into(), start, None).unwrap();
    trainer.run(dir.path(), &mut log, &watch).unwrap();
    watch.0.into_inner().unwrap()
}

#[test]
fn fifty_steps_have_pytorchs_loss_curve_for_every_class_position() {
    let golden: BTreeMap<String, Vec<f64>> =
        serde_json::from_str(include_str!("../../tests/golden/coop.json")).unwrap();
    let clip = Clip::mini();
    for (name, position) in [
        ("end", ClassPosition::End),
        ("middle", ClassPosition::Middle),
        ("front", ClassPosition::Front),
    ] {
        let found = losses(&clip, position);
        assert_eq!(found.len(), 50);
        for (step, (found, expected)) in found.iter().zip(&golden[name]).enumerate() {
            assert!(
                (found - expected).abs() < 1e-4,
                "{name}, step {step}: {found}, PyTorch has {expected}"
            );
        }
    }
}
