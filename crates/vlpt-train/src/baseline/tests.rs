use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, Progress};
use vlpt_data::{Item, Metric};
use vlpt_methods::baselines::{Searched, TipAdapter, TipAdapterConfig, ZeroShotConfig};
use vlpt_methods::{CoOpConfig, LinearProbeConfig, MethodConfig};

use super::*;

/// Image `number` of a drawn task, with these labels.
pub(super) fn item(number: usize, labels: &[u32]) -> Item {
    let task = vlpt_data::drawn::drawn("shapes", 1).unwrap();
    Item {
        labels: labels.to_vec(),
        ..task.train.items[number].clone()
    }
}

/// Images around one centre for each of three classes.
struct Example {
    clip: Clip,
    classes: Vec<String>,
    train: Vec<Item>,
    views: Vec<Vec<f32>>,
    val: Vec<Item>,
    val_features: Vec<f32>,
}

impl Example {
    fn new(shots: usize, val: usize) -> Self {
        let clip = Clip::mini();
        let embed = clip.config.embed_dim;
        let centres = Stream::new(1, "centres").normals(3 * embed, 1.0);
        let images = |per_class: usize, purpose: &str| {
            let mut noise = Stream::new(2, purpose);
            let mut features = Vec::new();
            for _ in 0..per_class {
                let own = centres.iter().map(|c| c + (1.5 * noise.normal()) as f32);
                features.extend(own);
            }
            features
        };
        let items = |from: usize, count: usize| -> Vec<Item> {
            let label = |i: usize| [(i % 3) as u32];
            (0..count).map(|i| item(from + i, &label(i))).collect()
        };
        Self {
            classes: ["circle", "square", "star"].map(str::to_owned).to_vec(),
            train: items(0, 3 * shots),
            views: vec![images(shots, "first view"), images(shots, "second view")],
            val: items(40, 3 * val),
            val_features: images(val, "validation"),
            clip,
        }
    }

    fn inputs<'a>(&'a self, method: &'a MethodConfig) -> Inputs<'a> {
        Inputs {
            method,
            seed: 1,
            clip: &self.clip,
            classes: &self.classes,
            templates: &[],
            multi_label: false,
            metric: Metric::Accuracy,
            train: &self.train,
            views: &self.views,
            val: &self.val,
            val_features: &self.val_features,
            dir: Path::new("run"),
        }
    }

    fn fit(&self, method: &MethodConfig) -> Fitted {
        fit(&self.inputs(method), &()).unwrap()
    }
}

fn probe() -> MethodConfig {
    MethodConfig::LinearProbe(LinearProbeConfig::default())
}

fn tip(finetune: bool) -> MethodConfig {
    MethodConfig::TipAdapter(TipAdapterConfig {
        finetune,
        epochs: 3,
        batch_size: 4,
        ..TipAdapterConfig::default()
    })
}

#[test]
fn hyper_parameters_are_chosen_on_validation_images_where_there_are_some() {
    let example = Example::new(4, 4);
    for (method, key) in [
        (probe(), "strength_from"),
        (tip(false), "alpha_beta_from"),
        (tip(true), "alpha_beta_from"),
    ] {
        let fitted = example.fit(&method);
        assert_eq!(fitted.metrics[key], "validation images");
        assert!(fitted.val.unwrap() > 0.8, "{:?}", fitted.metrics);
    }
}

#[test]
fn else_on_folds_of_the_training_images_and_with_one_shot_not_at_all() {
    let folds = Example::new(3, 0);
    let single = Example::new(1, 0);
    for (method, key) in [
        (probe(), "strength_from"),
        (tip(false), "alpha_beta_from"),
        (tip(true), "alpha_beta_from"),
    ] {
        let fitted = folds.fit(&method);
        assert_eq!(fitted.metrics[key], "3 folds of the training images");
        assert!(fitted.metrics["folds_accuracy"].as_f64().unwrap() > 0.5);
        let fitted = single.fit(&method);
        assert_eq!(fitted.metrics[key], "nothing held out: the default");
        assert_eq!(fitted.val, None);
    }
    assert_eq!(single.fit(&probe()).metrics["strength"], 0.316);
    assert_eq!(single.fit(&tip(false)).metrics["alpha"], 1.0);
    assert_eq!(single.fit(&tip(true)).metrics["beta"], 5.5);
}

#[test]
fn validation_images_that_are_trained_on_choose_nothing() {
    let mut example = Example::new(1, 1);
    example.val.clone_from(&example.train);
    for (method, key) in [(probe(), "strength_from"), (tip(false), "alpha_beta_from")] {
        let fitted = example.fit(&method);
        assert_eq!(fitted.metrics[key], "nothing held out: the default");
        assert_eq!(fitted.val, None);
    }
}

/// With the test images out of reach, the validation images are all that could leak.
#[test]
fn nothing_is_fitted_to_validation_images() {
    let example = Example::new(4, 4);
    let mut other = Example::new(4, 4);
    other.val_features.reverse();
    let config = LinearProbeConfig {
        strength: Searched::Value(2.0),
        ..LinearProbeConfig::default()
    };
    let method = MethodConfig::LinearProbe(config);
    assert_eq!(example.fit(&method).head, other.fit(&method).head);
    let config = TipAdapterConfig {
        finetune: true,
        alpha: Searched::Value(2.0),
        beta: Searched::Value(3.0),
        epochs: 2,
        ..TipAdapterConfig::default()
    };
    let method = MethodConfig::TipAdapter(config);
    let fitted = example.fit(&method);
    assert_eq!(fitted.head, other.fit(&method).head);
    let FittedHead::Cached(adapter) = fitted.head else {
        panic!("no cache");
    };
    assert_eq!((adapter.alpha, adapter.beta), (2.0, 3.0));
    assert_eq!(fitted.metrics["alpha_beta_from"], "configuration");
}

#[test]
fn a_fit_has_the_same_bits_with_any_number_of_threads() {
    let example = Example::new(3, 0);
    for method in [probe(), tip(true)] {
        let run = |threads| crate::with_threads(threads, || example.fit(&method)).unwrap();
        let (one, three) = (run(1), run(3));
        assert_eq!(one.head, three.head);
        assert_eq!(one.metrics, three.metrics);
        assert_eq!(one.epochs, three.epochs);
    }
}

#[test]
fn images_of_several_classes_can_be_fitted() {
    let mut example = Example::new(6, 0);
    for item in example.train.iter_mut().step_by(4) {
        item.labels = vec![0, 2];
    }
    example.train[1].labels.clear();
    for method in [probe(), tip(false), tip(true)] {
        let mut inputs = example.inputs(&method);
        inputs.multi_label = true;
        inputs.metric = Metric::ElevenPointMap;
        let fitted = fit(&inputs, &()).unwrap();
        let metric = fitted.metrics["folds_11point_mAP"].as_f64().unwrap();
        assert!(metric > 0.6, "{metric}");
    }
}

#[test]
fn zero_shot_learns_nothing_and_keeps_its_templates() {
    let example = Example::new(2, 2);
    let fitted = example.fit(&MethodConfig::ZeroShot(ZeroShotConfig::default()));
    assert_eq!(fitted.templates.unwrap().len(), 80);
    assert_eq!(fitted.parameters, 0);
    assert!(fitted.val.is_some());
}

#[test]
fn longer_features_ask_for_a_weaker_default_penalty() {
    let example = Example::new(1, 0);
    let config = LinearProbeConfig {
        normalised: true,
        ..LinearProbeConfig::default()
    };
    let fitted = example.fit(&MethodConfig::LinearProbe(config));
    let squares = example
        .views
        .concat()
        .iter()
        .map(|v| f64::from(v * v))
        .sum::<f64>();
    let strength = fitted.metrics["strength"].as_f64().unwrap();
    assert!((strength / (0.316 * squares / 6.0) - 1.0).abs() < 1e-5);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let mut example = Example::new(1, 0);
    let coop = MethodConfig::CoOp(CoOpConfig::default());
    let error = fit(&example.inputs(&coop), &()).unwrap_err();
    assert!(error.to_string().contains("coop is no baseline"));
    let nonsense = MethodConfig::LinearProbe(LinearProbeConfig {
        strength: Searched::Value(-1.0),
        ..LinearProbeConfig::default()
    });
    let error = fit(&example.inputs(&nonsense), &()).unwrap_err();
    assert!(error.to_string().contains("linear_probe.strength = -1"));
    example.views[1].pop();
    assert!(fit(&example.inputs(&probe()), &()).is_err());
    example.views.clear();
    let error = fit(&example.inputs(&probe()), &()).unwrap_err();
    assert!(error.hint().unwrap().contains("views.mode"));
}

/// Counts what was begun and stops at once.
#[derive(Default)]
struct Impatient(Mutex<i32>);

impl Progress for Impatient {
    fn start(&self, _what: &str, _total: u64) {
        *self.0.lock().unwrap() += 1;
    }
    fn advance(&self, _by: u64) {}
    fn finish(&self) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl Observer for Impatient {
    fn should_stop(&self) -> bool {
        true
    }
}

#[test]
fn a_fit_stops_when_asked_to() {
    let example = Example::new(2, 2);
    for method in [probe(), tip(false), tip(true)] {
        let observer = Impatient::default();
        let error = fit(&example.inputs(&method), &observer).unwrap_err();
        assert!(matches!(error, TrainError::Stopped { .. }), "{error}");
        assert_eq!(*observer.0.lock().unwrap(), 0, "a bar was left open");
    }
}

#[test]
fn twenty_steps_of_tip_adapter_f_are_pytorchs() {
    let path = include_str!("../../../vlpt-methods/tests/golden/baselines.json");
    let golden: Value = serde_json::from_str(path).unwrap();
    let case = &golden["tip_adapter"];
    let floats = |value: &Value| -> Vec<f32> { serde_json::from_value(value.clone()).unwrap() };
    let number = |key: &str| case[key].as_f64().unwrap();
    let size = |key: &str| number(key) as usize;
    let views = [floats(&case["views"][0]), floats(&case["views"][1])];
    let labels = floats(&case["labels"]).into_iter().map(|c| vec![c as u32]);
    let labels: Vec<Vec<u32>> = labels.collect();
    let mut adapter = TipAdapter::new(
        &[&views[0], &views[1]],
        labels.clone(),
        floats(&case["text"]),
        size("width"),
        number("scale") as f32,
        (number("alpha"), number("beta")),
    )
    .unwrap();
    let orders: Vec<Vec<usize>> = serde_json::from_value(case["orders"].clone()).unwrap();
    let config = TipAdapterConfig {
        epochs: orders.len(),
        lr: number("rate"),
        batch_size: size("batch"),
        weight_decay: number("weight_decay"),
        eps: number("eps"),
        ..TipAdapterConfig::default()
    };
    let example = Example::new(1, 0);
    let method = tip(true);
    let shots = finetune::Shots {
        views: &views,
        labels: &labels,
    };
    let epochs = finetune::train(
        &mut adapter,
        &shots,
        &config,
        &example.inputs(&method),
        |epoch| orders[epoch].clone(),
        &(),
    )
    .unwrap();
    let losses = floats(&case["losses"]);
    assert_eq!(losses.len(), 20);
    // Batches of 4, 4, 4 and 3 images.
    for (epoch, steps) in epochs.iter().zip(losses.chunks_exact(4)) {
        let weights = [4.0, 4.0, 4.0, 3.0];
        let sum: f64 = steps
            .iter()
            .zip(weights)
            .map(|(&l, w)| f64::from(l) * w)
            .sum();
        assert!((epoch.loss - sum / 15.0).abs() < 1e-4, "{epoch:?}");
    }
    let apart = |found: &[f32], expected: &Value| {
        let expected = floats(expected);
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(&expected);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(apart(&adapter.keys, &case["keys"]) < 1e-5);
    let logits = adapter.logits(&floats(&case["tests"])).unwrap();
    assert!(apart(&logits, &case["after"]) < 1e-4);
}
