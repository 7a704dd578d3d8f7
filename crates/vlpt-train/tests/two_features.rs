//! A method whose images have two features: trained, stored, read back, and used with other classes.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;
use std::sync::Arc;

use support::{options, short_config, synthetic_data, tiny_clip};
use vlpt_adapter::{
    Classifier, EvalOptions, ImageAdaptation, PredictOptions, Predictor, PromptFolder, evaluate,
    preprocess,
};
use vlpt_clip::Clip;
use vlpt_methods::{
    FusedClasses, Method, MethodConfig, MmrlConfig, MmrlPlusConfig, Pass, UnitRows,
};
use vlpt_train::{Epochs, Run, RunConfig};

struct Made {
    _home: tempfile::TempDir,
    run: PathBuf,
    clip: Clip,
    config: RunConfig,
}

fn config(fused: FusedClasses) -> MmrlConfig {
    MmrlConfig {
        tokens: 2,
        width: 6,
        fused,
        ..MmrlConfig::default()
    }
}

fn plus() -> MmrlPlusConfig {
    MmrlPlusConfig {
        beta: 0.6,
        rank: 2,
        projection_rank: 3,
    }
}

fn made(method: MethodConfig) -> Made {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.epochs = Epochs::Count(2);
    config.method = method;
    let clip = tiny_clip();
    let run = home.path().join("run");
    let data = synthetic_data(&config);
    Run::start_with(&config, &options(&run), &clip, &data, &()).unwrap();
    Made {
        _home: home,
        run,
        clip,
        config,
    }
}

/// Logits by the formula, each class with a share of the class token's feature.
fn expected(
    clip: &Clip,
    method: &dyn Method,
    classes: &[String],
    pixels: &[f32],
    shares: &[f32],
) -> Vec<f32> {
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    let texts = method.texts(&clip.tokenizer, classes).unwrap();
    let values = adaptation.text.values().unwrap();
    let texts = clip.text.features(&texts, &values.for_tower(&[]));
    let values = adaptation.visual.values().unwrap();
    let side = clip.config.vision.image_size;
    let n = pixels.len() / (3 * side * side);
    let features = clip.vision.features(pixels, n, &values.for_tower(&[]));
    let embed = clip.config.embed_dim;
    let texts = UnitRows::new(&texts, embed).unwrap();
    let features = UnitRows::new(&features, embed).unwrap();
    let logits = features.logits(&texts, clip.logit_scale).unwrap();
    logits
        .chunks(2 * classes.len())
        .flat_map(|both| {
            let (own, rows) = both.split_at(classes.len());
            let mixed = |c: usize| shares[c] * own[c] + (1.0 - shares[c]) * rows[c];
            (0..classes.len()).map(mixed).collect::<Vec<f32>>()
        })
        .collect()
}

fn assert_near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 2e-3,
            "{what}: {found} {expected}"
        );
    }
}

/// Logits of a classifier of some pixels, embedded as it asks.
fn logits(clip: &Clip, classifier: &Classifier, pixels: &[f32]) -> Vec<f32> {
    let side = clip.config.vision.image_size;
    let n = pixels.len() / (3 * side * side);
    let visual = classifier.visual.as_ref();
    let features = ImageAdaptation::features(visual, clip, pixels, n).unwrap();
    assert_eq!(
        features.len(),
        n * ImageAdaptation::width(visual, clip.config.embed_dim)
    );
    classifier.logits(clip, &features).unwrap()
}

#[test]
fn what_is_stored_is_what_was_trained_and_other_names_are_told_by_the_class_token() {
    for method in [
        MethodConfig::from(config(FusedClasses::Trained)),
        MethodConfig::from((config(FusedClasses::Trained), plus())),
    ] {
        let name = method.name();
        let made = made(method);
        let clip = &made.clip;
        let side = clip.config.vision.image_size;
        let pixels = vlpt_base::random::Stream::new(3, "pixels").normals(4 * 3 * side * side, 1.0);
        let folder = PromptFolder::open(&made.run).unwrap();
        let method: Arc<dyn Method> = Arc::from(folder.method(clip).unwrap());
        let own = folder.classes.clone();
        let want = |classes: &[String], shares: &[f32]| {
            expected(clip, method.as_ref(), classes, &pixels, shares)
        };

        let stored = folder.classifier(clip).unwrap();
        assert_eq!(stored.visual.as_ref().unwrap().outputs(), 2);
        let fused = want(&own, &vec![0.7; own.len()]);
        assert_near(name, &logits(clip, &stored, &pixels), &fused);
        let again = Classifier::of_method(clip, Arc::clone(&method), &own).unwrap();
        assert_near(name, &logits(clip, &again, &pixels), &fused);

        let other = vec!["cat".to_owned(), "dog".to_owned()];
        let classifier = folder.classifier_for(clip, &other).unwrap();
        assert_eq!(classifier.visual.as_ref().unwrap().outputs(), 1);
        assert_near(
            name,
            &logits(clip, &classifier, &pixels),
            &want(&other, &[1.0, 1.0]),
        );

        let both = vec!["cat".to_owned(), own[1].clone(), "dog".to_owned()];
        let classifier = folder.classifier_for(clip, &both).unwrap();
        assert_near(
            name,
            &logits(clip, &classifier, &pixels),
            &want(&both, &[1.0, 0.7, 1.0]),
        );
        let part = classifier.part(&[1, 2]);
        assert_near(
            name,
            &logits(clip, &part, &pixels),
            &want(&both[1..], &[0.7, 1.0]),
        );
    }
}

#[test]
fn evaluation_and_prediction_say_the_same() {
    let made = made(config(FusedClasses::Trained).into());
    let folder = PromptFolder::open(&made.run).unwrap();
    let data = synthetic_data(&made.config);
    let mut task = data.task.clone();
    task.test.samples.truncate(20);
    let classifier = folder.classifier(&made.clip).unwrap();
    let prepared = preprocess(&made.clip, &made.config.image);
    let cache = tempfile::tempdir().unwrap();
    let options = EvalOptions {
        cache: Some(cache.path().to_owned()),
        ..EvalOptions::default()
    };
    let evaluation = || evaluate(&made.clip, &classifier, &task, &prepared, &options, &()).unwrap();
    let first = evaluation();
    assert_eq!(
        first.probabilities,
        evaluation().probabilities,
        "from the cache"
    );
    let images: Vec<_> = task
        .test
        .samples
        .iter()
        .map(|item| (item.image.id(), item.image.read().unwrap()))
        .collect();
    let predictor =
        Predictor::of(&folder, Arc::new(tiny_clip()), &PredictOptions::default()).unwrap();
    let rows = predictor.predict(&images).unwrap();
    let expected = first.probabilities.chunks(first.classes.len());
    for (row, expected) in rows.iter().zip(expected) {
        for (found, expected) in row.as_ref().unwrap().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
}

#[test]
fn no_class_is_fused_where_nobody_asks_for_it() {
    let made = made(config(FusedClasses::None).into());
    let folder = PromptFolder::open(&made.run).unwrap();
    let classifier = folder.classifier(&made.clip).unwrap();
    assert_eq!(classifier.visual.unwrap().outputs(), 1);
}

#[test]
fn a_classifier_of_two_features_refuses_one() {
    let made = made(config(FusedClasses::All).into());
    let folder = PromptFolder::open(&made.run).unwrap();
    let classifier = folder.classifier(&made.clip).unwrap();
    let one = vec![1.0; made.clip.config.embed_dim];
    let error = classifier.logits(&made.clip, &one).unwrap_err();
    assert!(error.to_string().contains("two of each image"), "{error}");
    assert!(error.hint().is_some());
}
