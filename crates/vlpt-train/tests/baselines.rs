//! Baselines fitted to made features: what chooses their hyper-parameters, and what does not.

#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use vlpt_adapter::metrics::{self, Scored};
use vlpt_adapter::with_threads;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, Observer, Progress};
use vlpt_data::{CPython, Metric};
use vlpt_methods::baselines::{
    ClapConfig, Constraint, GdaConfig, LinearHead, LpPlusPlusConfig, Searched, TipAdapter,
    TipAdapterConfig, ZeroShotConfig,
};
use vlpt_methods::head::{FittedHead, Head, HeadInputs, Labelled};
use vlpt_methods::{CoOpConfig, Fit, LinearProbeConfig, MethodConfig, MethodError};

/// Names and labels.
type Images = (Vec<String>, Vec<Vec<u32>>);

/// Images around one centre for each of three classes, which its text is a part of, as in a CLIP.
struct Example {
    clip: Clip,
    classes: Vec<String>,
    train: Images,
    views: Vec<Vec<f32>>,
    val: Images,
    val_features: Vec<f32>,
    class_weights: Option<Vec<f64>>,
}

impl Example {
    fn new(shots: usize, val: usize) -> Self {
        let clip = Clip::mini();
        let embed = clip.config.embed_dim;
        let classes = ["circle", "square", "star"].map(str::to_owned).to_vec();
        let texts = vlpt_adapter::embed_texts(&clip, &classes, false, true).unwrap();
        let mut centres = Stream::new(1, "centres").normals(3 * embed, 1.0);
        for (centre, text) in centres.iter_mut().zip(texts) {
            *centre += 0.5 * (embed as f32).sqrt() * text;
        }
        let images = |per_class: usize, purpose: &str| {
            let mut noise = Stream::new(2, purpose);
            let mut features = Vec::new();
            for _ in 0..per_class {
                let own = centres.iter().map(|c| c + (1.5 * noise.normal()) as f32);
                features.extend(own);
            }
            features
        };
        let items = |from: usize, count: usize| -> Images {
            let one = |i: usize| (format!("image {}", from + i), vec![(i % 3) as u32]);
            (0..count).map(one).unzip()
        };
        Self {
            classes,
            train: items(0, 3 * shots),
            views: vec![images(shots, "first view"), images(shots, "second view")],
            val: items(40, 3 * val),
            val_features: images(val, "validation"),
            class_weights: None,
            clip,
        }
    }

    /// Fits a method, the metric being accuracy or 11-point mAP.
    fn try_fit(
        &self,
        method: &MethodConfig,
        multi_label: bool,
        observer: &dyn Observer,
    ) -> Result<FittedHead, MethodError> {
        let Fit::Head(fit) = method.spec().fit else {
            panic!("{method} is no baseline");
        };
        let metric = if multi_label {
            Metric::ElevenPointMap
        } else {
            Metric::Accuracy
        };
        let classes = self.classes.len();
        let judge = |logits: &[f32], labels: &[Vec<u32>]| {
            let scored = Scored::from_f32(logits, classes, labels.to_vec()).ok()?;
            metrics::evaluate(metric, &scored.softmax()).ok()
        };
        let order = |images: usize, epoch: usize| {
            let mut order: Vec<usize> = (0..images).collect();
            CPython::new(epoch as u64).shuffle(&mut order);
            order
        };
        let general = vlpt_data::catalogue::template_set("imagenet-80").unwrap();
        let labelled = |(ids, labels): &'_ Images| -> (Vec<String>, Vec<Vec<u32>>) {
            (ids.clone(), labels.clone())
        };
        let (train, val) = (labelled(&self.train), labelled(&self.val));
        let inputs = HeadInputs {
            seed: 1,
            clip: &self.clip,
            classes: &self.classes,
            templates: &[],
            general_templates: &general.templates,
            multi_label,
            class_weights: self.class_weights.as_deref(),
            metric_name: metric.name(),
            metric: &judge,
            order: &order,
            train: Labelled {
                ids: &train.0,
                labels: &train.1,
            },
            views: &self.views,
            unprojected: None,
            val: Labelled {
                ids: &val.0,
                labels: &val.1,
            },
            val_features: &self.val_features,
        };
        fit(method, &inputs, observer)
    }

    fn fit(&self, method: &MethodConfig) -> FittedHead {
        self.try_fit(method, false, &()).unwrap()
    }
}

/// The parts of a fitted classifier, to be compared.
fn parts(fitted: &FittedHead) -> vlpt_methods::head::HeadFile {
    match &fitted.head {
        Head::Features(head) => head.stored(),
        Head::Text(text) => {
            let mut file = vlpt_methods::head::HeadFile::default();
            file.put("text", &[text.len()], text);
            file
        }
        Head::Projected { .. } => panic!("no classifier of image features"),
    }
}

fn probe() -> MethodConfig {
    MethodConfig::from(LinearProbeConfig::default())
}

fn gda() -> MethodConfig {
    MethodConfig::from(GdaConfig::default())
}

fn lp_plus_plus() -> MethodConfig {
    MethodConfig::from(LpPlusPlusConfig {
        epochs: 30,
        ..LpPlusPlusConfig::default()
    })
}

fn clap() -> MethodConfig {
    MethodConfig::from(ClapConfig {
        epochs: 60,
        batch_size: 4,
        ..ClapConfig::default()
    })
}

fn tip(finetune: bool) -> MethodConfig {
    MethodConfig::from(TipAdapterConfig {
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
        (gda(), "alpha_from"),
        (lp_plus_plus(), "epoch_from"),
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
        (gda(), "alpha_from"),
    ] {
        let fitted = folds.fit(&method);
        assert_eq!(fitted.metrics[key], "3 folds of the training images");
        let share = fitted.metrics["folds_accuracy"].as_f64().unwrap();
        assert!(share > 0.5, "{method}: {:?}", fitted.metrics);
        let fitted = single.fit(&method);
        assert_eq!(fitted.metrics[key], "nothing held out: the default");
        assert_eq!(fitted.val, None);
    }
    assert_eq!(single.fit(&probe()).metrics["strength"], 0.316);
    assert_eq!(single.fit(&tip(false)).metrics["alpha"], 1.0);
    assert_eq!(single.fit(&tip(true)).metrics["beta"], 5.5);
    assert_eq!(single.fit(&gda()).metrics["alpha"], 0.1);
}

#[test]
fn a_fit_by_what_was_chosen_is_the_fit_that_chose_it() {
    for example in [Example::new(4, 4), Example::new(3, 0)] {
        for method in [probe(), tip(false), tip(true), gda()] {
            let found = example.fit(&method);
            let settled = found.settled.clone().unwrap();
            assert_ne!(settled, method);
            let again = example.fit(&settled);
            assert_eq!(again.settled, None);
            if method == tip(true) {
                // keys are trained by what is given, and before a search by its beginning
                for key in ["alpha", "beta"] {
                    assert_eq!(again.metrics[key], found.metrics[key]);
                }
                continue;
            }
            assert_eq!(parts(&again), parts(&found), "{method}");
        }
        for method in [lp_plus_plus(), clap()] {
            assert_eq!(example.fit(&method).settled, None, "{method}");
        }
    }
}

#[test]
fn lp_plus_plus_keeps_the_last_epoch_where_nothing_can_choose_one() {
    let example = Example::new(3, 0);
    let fitted = example.fit(&lp_plus_plus());
    assert_eq!(fitted.metrics["epoch_from"], "the last");
    assert_eq!((&fitted.metrics["epoch"], fitted.val), (&30.into(), None));
    assert_eq!(fitted.epochs.len(), 30);
    // Of equally good epochs the later one counts.
    let mut sure = Example::new(4, 4);
    sure.val_features = [sure.views[0].clone(), sure.views[0].clone()].concat();
    sure.val_features
        .truncate(sure.val.1.len() * sure.clip.config.embed_dim);
    let fitted = sure.fit(&lp_plus_plus());
    assert_eq!(
        (fitted.val, &fitted.metrics["epoch"]),
        (Some(1.0), &30.into())
    );
}

#[test]
fn clap_chooses_nothing_and_looks_at_no_validation_image() {
    let example = Example::new(3, 4);
    let mut other = Example::new(3, 4);
    other.val_features.reverse();
    let fitted = example.fit(&clap());
    assert_eq!(parts(&fitted), parts(&other.fit(&clap())));
    assert_eq!(fitted.parameters, 3 * example.clip.config.embed_dim);
    assert_eq!(
        (fitted.epochs.len(), &fitted.metrics["rows"]),
        (60, &18.into())
    );
    // What is not held goes farther from the texts.
    let config = ClapConfig {
        constraint: Constraint::None,
        epochs: 60,
        batch_size: 4,
        ..ClapConfig::default()
    };
    let free = example.fit(&MethodConfig::from(config));
    assert!(free.val.unwrap() > 0.8, "{:?}", free.metrics);
    let loss = |fitted: &FittedHead| fitted.metrics["train_loss"].as_f64().unwrap();
    assert!(loss(&free) < loss(&fitted));
    let zero_shot = example.fit(&MethodConfig::from(ZeroShotConfig::default()));
    assert!(fitted.val.unwrap() > zero_shot.val.unwrap());
    let near = |fitted: &FittedHead| -> f32 {
        let (Head::Text(found), Head::Text(texts)) = (&fitted.head, &zero_shot.head) else {
            panic!("no class vectors");
        };
        found.iter().zip(texts).map(|(a, b)| a * b).sum()
    };
    assert!(
        near(&free) < near(&fitted),
        "{} {}",
        near(&free),
        near(&fitted)
    );
}

#[test]
fn without_a_spread_within_classes_gda_is_zero_shot() {
    let mut example = Example::new(1, 3);
    example.views.truncate(1);
    let fitted = example.fit(&gda());
    let Head::Features(head) = &fitted.head else {
        panic!("no linear head");
    };
    let linear: &LinearHead = head.as_any().downcast_ref().unwrap();
    assert!(linear.normalised);
    let zero_shot = example.fit(&MethodConfig::from(ZeroShotConfig::default()));
    let Head::Text(texts) = &zero_shot.head else {
        panic!("no texts");
    };
    for (weight, text) in linear.weight.iter().zip(texts) {
        assert!((weight - example.clip.logit_scale * text).abs() < 1e-5);
    }
    assert_eq!(fitted.val, zero_shot.val);
}

#[test]
fn fits_of_one_class_an_image_refuse_others() {
    let example = Example::new(2, 0);
    for method in [gda(), lp_plus_plus(), clap()] {
        let error = example.try_fit(&method, true, &()).unwrap_err();
        assert!(error.to_string().contains("one class each"), "{error}");
        assert!(error.hint().unwrap().contains("linear probe"));
        let mut unlabelled = Example::new(2, 0);
        unlabelled.train.1[1].clear();
        let error = unlabelled.try_fit(&method, false, &()).unwrap_err();
        assert!(
            error.to_string().contains("image 1 has the classes []"),
            "{error}"
        );
        let mut broken = Example::new(2, 0);
        broken.views[1][0] = f32::NAN;
        let error = broken.try_fit(&method, false, &()).unwrap_err();
        assert!(
            error.to_string().contains("a feature of image 0 is NaN"),
            "{error}"
        );
    }
}

#[test]
fn a_class_without_images_is_refused_where_nothing_else_is_known_of_it() {
    let mut example = Example::new(2, 0);
    example.classes.push("moon".to_owned());
    for method in [gda(), lp_plus_plus()] {
        let error = example.try_fit(&method, false, &()).unwrap_err();
        assert!(
            error.to_string().contains("\"moon\" has no training image"),
            "{error}"
        );
    }
    assert!(example.try_fit(&clap(), false, &()).is_ok());
}

#[test]
fn weights_of_classes_move_what_has_a_loss() {
    let example = Example::new(3, 0);
    let mut weighed = Example::new(3, 0);
    weighed.class_weights = Some(vec![1.0, 20.0, 1.0]);
    let mut alike = Example::new(3, 0);
    alike.class_weights = Some(vec![7.0; 3]);
    for method in [lp_plus_plus(), clap()] {
        assert!(method.spec().weighs_classes);
        let plain = parts(&example.fit(&method));
        assert_eq!(plain, parts(&alike.fit(&method)), "{method}");
        assert_ne!(plain, parts(&weighed.fit(&method)), "{method}");
    }
    assert!(!gda().spec().weighs_classes);
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
    let method = MethodConfig::from(config);
    assert_eq!(parts(&example.fit(&method)), parts(&other.fit(&method)));
    let config = TipAdapterConfig {
        finetune: true,
        alpha: Searched::Value(2.0),
        beta: Searched::Value(3.0),
        epochs: 2,
        ..TipAdapterConfig::default()
    };
    let method = MethodConfig::from(config);
    let fitted = example.fit(&method);
    assert_eq!(parts(&fitted), parts(&other.fit(&method)));
    let Head::Features(head) = &fitted.head else {
        panic!("no cache");
    };
    let adapter: &TipAdapter = head.as_any().downcast_ref().unwrap();
    assert_eq!((adapter.alpha, adapter.beta), (2.0, 3.0));
    assert_eq!(fitted.metrics["alpha_beta_from"], "configuration");
}

#[test]
fn a_fit_has_the_same_bits_with_any_number_of_threads() {
    let example = Example::new(3, 0);
    for method in [probe(), tip(true), gda(), lp_plus_plus(), clap()] {
        let run = |threads| with_threads(threads, || example.fit(&method)).unwrap();
        let (one, three) = (run(1), run(3));
        assert_eq!(parts(&one), parts(&three));
        assert_eq!(one.metrics, three.metrics);
        assert_eq!(one.epochs, three.epochs);
    }
}

#[test]
fn images_of_several_classes_can_be_fitted() {
    let mut example = Example::new(6, 0);
    for labels in example.train.1.iter_mut().step_by(4) {
        *labels = vec![0, 2];
    }
    example.train.1[1].clear();
    for method in [probe(), tip(false), tip(true)] {
        let fitted = example.try_fit(&method, true, &()).unwrap();
        let metric = fitted.metrics["folds_11point_mAP"].as_f64().unwrap();
        assert!(metric > 0.6, "{metric}");
    }
}

#[test]
fn zero_shot_learns_nothing_and_keeps_its_templates() {
    let example = Example::new(2, 2);
    let fitted = example.fit(&MethodConfig::from(ZeroShotConfig::default()));
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
    let fitted = example.fit(&MethodConfig::from(config));
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
    let coop = MethodConfig::from(CoOpConfig::default());
    assert!(matches!(coop.spec().fit, Fit::Tune(_)));
    let nonsense = MethodConfig::from(LinearProbeConfig {
        strength: Searched::Value(-1.0),
        ..LinearProbeConfig::default()
    });
    let error = example.try_fit(&nonsense, false, &()).unwrap_err();
    assert!(error.to_string().contains("linear_probe.strength = -1"));
    example.views[1].pop();
    assert!(example.try_fit(&probe(), false, &()).is_err());
    example.views.clear();
    let error = example.try_fit(&probe(), false, &()).unwrap_err();
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
    let more = [gda(), lp_plus_plus(), clap()];
    for method in [probe(), tip(false), tip(true)].into_iter().chain(more) {
        let observer = Impatient::default();
        let error = example.try_fit(&method, false, &observer).unwrap_err();
        assert!(matches!(error, MethodError::Stopped), "{error}");
        assert_eq!(*observer.0.lock().unwrap(), 0, "a bar was left open");
    }
}
