//! ProLIP's steps beside PyTorch's (`golden/make_prolip.py`), and what they ask for.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::sync::Mutex;

use serde_json::Value;

use vlpt_methods::baselines::{Lambda, ProjectionObjective};
use vlpt_methods::head::{FitEpoch, Unprojected, ViewRows};
use vlpt_methods::{MethodError, ProLipConfig, Result};

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().unwrap();
    values.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// A case of the twin.
struct Case {
    views: Vec<Vec<f32>>,
    labels: Vec<Vec<u32>>,
    text: Vec<f32>,
    origin: Vec<f32>,
    embed: usize,
    scale: f32,
    config: ProLipConfig,
    losses: Vec<f64>,
    projection: Vec<f32>,
}

impl Case {
    fn all() -> Vec<Self> {
        let file = include_str!("golden/prolip.json");
        let cases: Vec<Value> = serde_json::from_str(file).unwrap();
        cases.iter().map(Self::new).collect()
    }

    fn new(case: &Value) -> Self {
        let numbers = |name: &str| floats(&case[name]);
        let number = |name: &str| case[name].as_f64().unwrap();
        let labels = case["labels"].as_array().unwrap();
        let losses = case["losses"].as_array().unwrap();
        Self {
            views: case["views"]
                .as_array()
                .unwrap()
                .iter()
                .map(floats)
                .collect(),
            labels: labels
                .iter()
                .map(|v| vec![v.as_u64().unwrap() as u32])
                .collect(),
            text: numbers("text"),
            origin: numbers("origin"),
            embed: case["embed"].as_u64().unwrap() as usize,
            scale: number("scale") as f32,
            config: ProLipConfig {
                lambda: Lambda::Value(number("weight")),
                epochs: losses.len(),
                lr: number("rate"),
                eps: number("eps"),
                ..ProLipConfig::default()
            },
            losses: losses.iter().map(|v| v.as_f64().unwrap()).collect(),
            projection: numbers("projection"),
        }
    }

    fn objective(&self) -> ProjectionObjective<'_> {
        ProjectionObjective {
            text: &self.text,
            origin: &self.origin,
            embed: self.embed,
            scale: self.scale,
            lambda: self.config.lambda.of(self.labels.len(), 1),
        }
    }

    fn tuned(&self, train: &dyn ViewRows) -> Result<(Vec<f32>, Vec<FitEpoch>)> {
        let rows = Unprojected { train, val: &[] };
        self.objective()
            .tune(&rows, &self.labels, &self.config, &())
    }
}

#[test]
fn fifty_steps_are_pytorchs() {
    for case in Case::all() {
        let (projection, epochs) = case.tuned(&case.views).unwrap();
        assert_eq!(epochs.len(), 50);
        for (epoch, expected) in epochs.iter().zip(&case.losses) {
            let apart = (epoch.loss - expected).abs() / expected.max(1.0);
            assert!(
                apart < 1e-4,
                "epoch {}: {} against {expected}",
                epoch.epoch,
                epoch.loss
            );
        }
        let pairs = projection.iter().zip(&case.projection);
        let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "the projections differ by {apart}");
        assert!(case.losses[49] < 0.6 * case.losses[0], "it learns");
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for case in Case::all() {
        let mut objective = case.objective();
        objective.lambda = 0.7;
        let mut labels = case.labels.clone();
        labels[1] = vec![0, 2]; // they share the image's weight
        labels[4] = Vec::new(); // adds nothing
        let at = |projection: &[f32]| objective.at(projection, &case.views[0], &labels).unwrap();
        let found = at(&case.projection);
        assert!(found.penalty > 0.0);
        let largest = found
            .gradient
            .iter()
            .fold(0.0_f32, |top, d| top.max(d.abs()));
        for (i, &slope) in found.gradient.iter().enumerate() {
            let moved = |step: f32| {
                let mut projection = case.projection.clone();
                projection[i] += step;
                (at(&projection).total(), projection[i])
            };
            let ((above, high), (below, low)) = (moved(2e-3), moved(-2e-3));
            let expected = (above - below) / f64::from(high - low);
            let apart = (f64::from(slope) - expected).abs();
            assert!(
                apart < 2e-3 * f64::from(largest),
                "{i}: {slope} against {expected}"
            );
        }
    }
}

#[test]
fn images_are_summed_in_parts_whose_number_does_not_matter() {
    let case = &Case::all()[0];
    // More images than one part has: the same twelve again and again.
    let times = 400;
    let images = case.views[0].repeat(times);
    let labels = vec![case.labels.clone(); times].concat();
    let objective = case.objective();
    let once = objective
        .at(&case.projection, &case.views[0], &case.labels)
        .unwrap();
    let many = objective.at(&case.projection, &images, &labels).unwrap();
    assert!((once.cross_entropy - many.cross_entropy).abs() < 1e-6);
    assert_eq!(
        (once.right * times, once.penalty),
        (many.right, many.penalty)
    );
    for (a, b) in once.gradient.iter().zip(&many.gradient) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

/// Remembers which views were asked for.
struct Asked<'a>(&'a Vec<Vec<f32>>, Mutex<Vec<usize>>);

impl ViewRows for Asked<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn rows(&self, view: usize) -> Result<Cow<'_, [f32]>> {
        self.1.lock().unwrap().push(view);
        self.0.rows(view)
    }
}

#[test]
fn a_step_takes_the_view_after_its_number_and_begins_again_after_the_last() {
    let mut case = Case::all().remove(0);
    case.config.epochs = 5;
    let views = Asked(&case.views, Mutex::default());
    case.tuned(&views).unwrap();
    assert_eq!(*views.1.lock().unwrap(), [1, 2, 0, 1, 2]);
}

#[test]
fn what_is_no_number_stops_the_steps_and_names_the_one() {
    let mut case = Case::all().remove(0);
    case.views[0][3] = f32::NAN;
    let error = case.tuned(&case.views).unwrap_err();
    assert!(error.to_string().contains("in epoch 3"), "{error}");
    assert!(error.hint().unwrap().contains("prolip.lr"));
    let mut case = Case::all().remove(0);
    case.config.lr = 1e38;
    let error = case.tuned(&case.views).unwrap_err();
    assert!(error.to_string().contains("in epoch"), "{error}");
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let case = Case::all().remove(0);
    let objective = case.objective();
    let refused = |images: &[f32], labels: &[Vec<u32>], what: &str| {
        let error = objective.at(&case.origin, images, labels).unwrap_err();
        assert!(matches!(error, MethodError::Incompatible { .. }));
        assert!(error.to_string().contains(what), "{error}");
    };
    refused(
        &case.views[0][1..],
        &case.labels,
        "119 values before the projection",
    );
    refused(&[], &[], "expected 0 images x 10");
    let mut labels = case.labels.clone();
    labels[2] = vec![4];
    refused(
        &case.views[0],
        &labels,
        "class 4: expected a number below 4",
    );
    let views = vec![case.views[0][10..].to_vec(); 3];
    let error = case.tuned(&views).unwrap_err().to_string();
    assert!(error.contains("expected 12 images x 10"), "{error}");
    let mut short = objective;
    short.origin = &case.origin[1..];
    assert!(
        short
            .at(&case.origin, &case.views[0], &case.labels)
            .is_err()
    );
}
