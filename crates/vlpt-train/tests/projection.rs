//! A projection of the image tower, tuned on cached views: what it finds in the cache, and its folder.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::{Watch, assert_same_tree, synthetic_data, tiny_clip};
use vlpt_adapter::{
    ClassesOf, Classifier, EvalOptions, ImageAdaptation, PromptFolder, evaluate, preprocess,
};
use vlpt_clip::Clip;
use vlpt_methods::baselines::Lambda;
use vlpt_methods::{LinearProbeConfig, MethodConfig, ProLipConfig, TipAdapterConfig};
use vlpt_train::{Run, RunConfig, RunOptions, parse};

/// A run on a few images in three random views.
fn config(method: MethodConfig) -> RunConfig {
    let text = r#"
        model = "tiny"
        [data]
        path = "synthetic:shapes"
        [few_shot]
        shots = 4
        [views]
        mode = "cached"
        count = 3
    "#;
    RunConfig {
        method,
        ..parse(text, "test").unwrap()
    }
}

fn tuned() -> MethodConfig {
    MethodConfig::from(ProLipConfig {
        lambda: Lambda::Value(1e-3),
        epochs: 60,
        lr: 3e-3,
        ..ProLipConfig::default()
    })
}

/// Runs it; whether any image went through the tower.
fn run(clip: &Clip, config: &RunConfig, dir: &Path, cache: Option<&Path>) -> bool {
    let options = RunOptions {
        dir: dir.to_owned(),
        cache: cache.map(Path::to_owned),
    };
    let watch = Watch::default();
    Run::start_with(config, &options, clip, &synthetic_data(config), &watch).unwrap();
    let phases = watch.phases.into_inner().unwrap();
    phases.iter().any(|phase| phase == "image features")
}

#[test]
fn after_another_method_on_the_same_views_no_image_goes_through_the_tower() {
    let clip = tiny_clip();
    let methods = [
        MethodConfig::from(LinearProbeConfig::default()),
        tuned(),
        MethodConfig::from(TipAdapterConfig::default()),
    ];
    for first in 0..methods.len() {
        let home = tempfile::tempdir().unwrap();
        let cache = home.path().join("cache");
        let of = |method: usize| {
            let dir = home.path().join(format!("{method}"));
            let config = config(methods[method].clone());
            run(&clip, &config, &dir, Some(&cache))
        };
        assert!(of(first), "the first computes the views");
        for second in (0..methods.len()).filter(|&second| second != first) {
            assert!(!of(second), "{} after {}", methods[second], methods[first]);
        }
        let mut more = config(tuned());
        more.views.count = 4;
        assert!(run(&clip, &more, &home.path().join("more"), Some(&cache)));
    }
}

#[test]
fn a_run_leaves_the_same_bytes_with_any_number_of_threads_cached_or_not() {
    let clip = tiny_clip();
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let mut prompts = Vec::new();
    for (threads, cache) in [(1, None), (3, Some(&*cache)), (2, Some(&*cache))] {
        let mut config = config(tuned());
        config.compute.threads = threads;
        let dir = home.path().join(format!("{threads}"));
        run(&clip, &config, &dir, cache);
        prompts.push(dir.join("prompt"));
    }
    assert_same_tree(
        &prompts[1],
        &prompts[0],
        "three threads, computed for the cache",
    );
    assert_same_tree(&prompts[2], &prompts[0], "two threads, found in the cache");
}

#[test]
fn its_folder_serves_its_classes_others_and_no_other_model() {
    let clip = Clip::mini();
    let home = tempfile::tempdir().unwrap();
    let config = config(tuned());
    run(&clip, &config, home.path(), None);
    let task = synthetic_data(&config).task;
    let folder = PromptFolder::open(home.path()).unwrap();
    assert!(folder.parameters.is_empty());

    let own = folder.classifier(&clip).unwrap();
    let projection = own
        .visual
        .as_ref()
        .and_then(ImageAdaptation::projection)
        .unwrap();
    assert_eq!(
        projection.len(),
        clip.vision.width() * clip.config.embed_dim
    );
    assert_ne!(projection, clip.vision.projection());
    let zero_shot = |classes: &[String]| {
        let general = vlpt_data::catalogue::template_set("imagenet-80").unwrap();
        Classifier::zero_shot(&clip, classes, &general.templates).unwrap()
    };
    let same_texts = |a: &Classifier, b: &Classifier| a.text_features() == b.text_features();
    assert!(same_texts(&own, &zero_shot(&task.classes)));

    // Names that it never saw have the texts of zero-shot, and its projection.
    let names = ["a dog", "a cat"].map(str::to_owned);
    let other = folder.classifier_for(&clip, &names).unwrap();
    assert!(same_texts(&other, &zero_shot(&names)));
    assert_eq!(other.visual, own.visual);
    let mut turned = task.clone();
    turned.classes.reverse();
    let choices = folder.choices(&turned, Some(ClassesOf::Data)).unwrap();
    let among = folder.classifier_among(&clip, &choices).unwrap();
    assert!(same_texts(&among, &zero_shot(&turned.classes)));
    assert_eq!(among.visual, own.visual);

    let pre = preprocess(&clip, &config.image);
    let test = |classifier: &Classifier| {
        let options = EvalOptions::default();
        let found = evaluate(&clip, classifier, &task, &pre, &options, &());
        found.unwrap().value
    };
    let (before, after) = (test(&zero_shot(&task.classes)), test(&own));
    assert!(after > before + 0.1, "zero-shot {before}, tuned {after}");

    let error = folder.classifier(&tiny_clip()).unwrap_err().to_string();
    assert!(error.contains("features of width"), "{error}");
}
