//! Pixels in memory, decoded, and as features: one result.

use vlpt_clip::{Clip, TowerAdaptation};
use vlpt_methods::{CoOpConfig, MethodConfig, VptConfig};

use super::super::images::{BatchImages, ImageInput};
use super::{Example, Given, small};
use vlpt_adapter::hash_images;

const IMAGES: usize = 12;

fn settings(views: &str) -> String {
    format!(
        "[train]\nepochs = 2\nbatch_size = 5\nlr = 0.01\n[views]\nmode = \"{views}\"\ncount = 3\n\
         [compute]\nmemory_mb = 64\ncheckpoint_seconds = 3600"
    )
}

/// Features that an epoch sees, of images held as a run with or without visual prompts holds them.
fn seen(example: &Example, clip: &Clip, visual: bool, epoch: usize) -> Vec<f32> {
    let extractor = example.extractor(clip);
    let hashes = hash_images(&example.samples, &()).unwrap();
    let train = (example.samples.as_slice(), hashes.as_slice());
    let images =
        ImageInput::prepare(&example.config, &extractor, train, (&[], &[]), visual, &()).unwrap();
    let embed = clip.config.embed_dim;
    let every: Vec<usize> = (0..IMAGES).collect();
    match images.train.batch(epoch, &every, embed).unwrap() {
        BatchImages::Features(features) => features,
        BatchImages::Pixels(pixels) => {
            clip.vision
                .features(&pixels, IMAGES, &TowerAdaptation::NONE)
        }
    }
}

#[test]
fn pixels_are_of_the_views_whose_features_are_kept_without_visual_prompts() {
    let clip = small();
    for views in ["none", "cached", "online"] {
        let example = Example::new(IMAGES, &settings(views));
        for epoch in 0..4 {
            let features = seen(&example, &clip, false, epoch);
            assert!(features == seen(&example, &clip, true, epoch), "{views}");
        }
    }
}

#[test]
fn views_differ_between_epochs_where_there_are_several() {
    let clip = small();
    for (views, same) in [("none", true), ("cached", false), ("online", false)] {
        let example = Example::new(IMAGES, &settings(views));
        let of = |epoch| seen(&example, &clip, true, epoch);
        assert_eq!(of(0) == of(1), same, "{views}");
    }
}

#[test]
fn a_run_has_the_same_bits_whether_pixels_are_kept_or_decoded() {
    let clip = small();
    let example = Example::new(IMAGES, &settings("none"));
    let method = MethodConfig::from((
        CoOpConfig {
            context: Some(2),
            ..CoOpConfig::default()
        },
        VptConfig {
            count: 2,
            dropout: 0.3,
            ..VptConfig::default()
        },
    ));
    let run = |budget| {
        let method = example.method(&clip, &method);
        example.train(&clip, method, Given::Decoded(budget))
    };
    let image = 3 * 24 * 24 * size_of::<f32>();
    let kept = run(usize::MAX);
    assert!(kept == run(5 * image), "five images kept");
    assert!(kept == run(0), "no image kept");
}
