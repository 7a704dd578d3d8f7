//! Conditional prompts: equal to PyTorch's (`golden/make_cocoop.py` writes the numbers), one set
//! for each image.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{classes, gradients, named, sizes, text_values, tiny};
use serde::Deserialize;
use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, ClipConfig};
use vlpt_methods::{CoCoOp, CoCoOpConfig, CoOp, CoOpConfig, Method, MethodError, Pass};

#[derive(Deserialize)]
struct Golden {
    text_width: usize,
    embed: usize,
    hidden: usize,
    context: usize,
    images: Vec<f32>,
    text: Vec<f32>,
    d_text: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    gradients: BTreeMap<String, Vec<f32>>,
}

fn config(context: usize, hidden: usize) -> CoCoOpConfig {
    CoCoOpConfig {
        context: Some(context),
        init: String::new(),
        hidden: Some(hidden),
    }
}

fn tensor(values: &[f32], width: usize) -> Tensor {
    Tensor::new(values.to_vec(), &[values.len() / width, width]).unwrap()
}

fn given(images: &Tensor) -> Pass<'_> {
    Pass {
        images: Some(images),
        ..Pass::EVAL
    }
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 2e-6 * (1.0 + expected.abs()),
            "{what}: {found}, PyTorch has {expected}"
        );
    }
}

#[test]
fn prompts_and_gradients_are_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("golden/cocoop.json")).unwrap();
    let model = ClipConfig {
        embed_dim: golden.embed,
        ..sizes(golden.text_width, 4, 1, 4)
    };
    let clip = Clip::random(&model, 3);
    let method = CoCoOp::new(&config(golden.context, golden.hidden), &clip, 1).unwrap();
    assert_eq!(method.parameters().len(), golden.parameters.len());
    for parameter in method.parameters() {
        parameter.set(&golden.parameters[parameter.name()]).unwrap();
    }
    let images = tensor(&golden.images, golden.embed);
    let adaptation = method.adapt(&given(&images)).unwrap();
    assert_close(&text_values(&adaptation), &golden.text, "prompts");
    let d_text = Some(&*golden.d_text);
    let gradients = gradients(&adaptation, method.parameters(), d_text, None);
    for (parameter, gradient) in method.parameters().iter().zip(gradients) {
        let name = parameter.name();
        assert_close(&gradient, &golden.gradients[name], name);
    }
}

#[test]
fn gradients_are_slopes_of_the_prompts() {
    let clip = tiny();
    let method = CoCoOp::new(&config(2, 4), &clip, 1).unwrap();
    let images = tensor(&Stream::new(1, "images").normals(3 * 8, 0.35), 8);
    let d = Stream::new(2, "d").normals(3 * 2 * 16, 1.0);
    // The sum of the prompts' values weighted by d.
    let objective = || -> f64 {
        let text = text_values(&method.adapt(&given(&images)).unwrap());
        let products = text.into_iter().zip(&d);
        products.map(|(p, &d)| f64::from(p) * f64::from(d)).sum()
    };
    let adaptation = method.adapt(&given(&images)).unwrap();
    let gradients = gradients(&adaptation, method.parameters(), Some(&d), None);
    for (parameter, gradient) in method.parameters().iter().zip(&gradients) {
        let start = parameter.values().unwrap();
        for index in 0..start.len() {
            let at = |step: f32| {
                let mut moved = start.clone();
                moved[index] += step;
                parameter.set(&moved).unwrap();
                objective()
            };
            // Small enough that no hidden unit changes its sign.
            let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
            let expected = f64::from(gradient[index]);
            assert!(
                (slope - expected).abs() < 5e-3,
                "{} {index}: slope {slope}, gradient {expected}",
                parameter.name()
            );
        }
        parameter.set(&start).unwrap();
    }
}

#[test]
fn each_image_has_the_prompts_it_would_have_alone() {
    let method = CoCoOp::new(&config(2, 4), &tiny(), 1).unwrap();
    assert!(method.needs().texts_per_image);
    let values = Stream::new(1, "images").normals(3 * 8, 0.35);
    let rows = |values: &[f32]| -> Vec<f32> {
        let images = tensor(values, 8);
        text_values(&method.adapt(&given(&images)).unwrap())
    };
    let together = rows(&values);
    assert_eq!(together.len(), 3 * 2 * 16);
    for (index, image) in values.chunks_exact(8).enumerate() {
        let alone = rows(image);
        assert_close(&together[index * 32..][..32], &alone, "image");
    }
    assert_ne!(together[..32], together[32..64]);
}

#[test]
fn the_context_starts_from_words_and_stands_before_the_name() {
    let clip = tiny();
    let method = CoCoOp::new(&CoCoOpConfig::default(), &clip, 1).unwrap();
    assert_eq!(method.context(), 4);
    let words = clip.tokenizer.bpe("a photo of a");
    assert_eq!(named(&method, "ctx"), clip.text.token_embeddings(&words));
    let coop = CoOpConfig {
        context: Some(4),
        ..CoOpConfig::default()
    };
    let coop = CoOp::new(&coop, &clip, 2, 1).unwrap();
    let names = classes(&["cat", "polar_bear"]);
    assert_eq!(
        method.texts(&clip.tokenizer, &names).unwrap(),
        coop.texts(&clip.tokenizer, &names).unwrap()
    );
}

#[test]
fn the_seed_alone_decides_where_the_network_starts() {
    let clip = tiny();
    let start = |seed| -> Vec<Vec<f32>> {
        let method = CoCoOp::new(&config(2, 4), &clip, seed).unwrap();
        method
            .parameters()
            .iter()
            .map(|p| p.values().unwrap())
            .collect()
    };
    assert_eq!(start(0), start(0));
    for (a, b) in start(0).iter().zip(&start(1)) {
        assert_ne!(a, b);
    }
}

#[test]
fn a_pass_without_the_images_is_an_error() {
    let method = CoCoOp::new(&config(2, 4), &tiny(), 1).unwrap();
    let error = method.adapt(&Pass::EVAL).unwrap_err();
    assert!(matches!(error, MethodError::Images { embed: 8, .. }));
    assert_eq!(
        error.to_string(),
        "cocoop makes text prompts from images: expected their features (images x 8), found none"
    );
    let wide = tensor(&[0.0; 18], 9);
    let error = method.adapt(&given(&wide)).unwrap_err();
    assert!(error.to_string().ends_with("found [2, 9]"), "{error}");
    for config in [config(0, 4), config(2, 0)] {
        assert!(CoCoOp::new(&config, &tiny(), 1).is_err());
    }
}
