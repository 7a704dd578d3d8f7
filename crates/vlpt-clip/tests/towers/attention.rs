//! Attention of the class token against transformers and a plain loop (`golden/make_attention.py`).

use std::path::Path;

use safetensors::SafeTensors;
use vlpt_clip::{PromptRows, TowerAdaptation};

use crate::golden::{Golden, MODELS, floats};
use crate::vision::prompts;
use crate::{assert_threads_do_not_matter, bits, random};

/// The largest difference of two lists of the same length.
#[track_caller]
fn difference(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len(), "length");
    let pairs = got.iter().zip(want);
    pairs.fold(0.0, |e: f32, (a, b)| e.max((a - b).abs()))
}

#[test]
fn attention_of_the_class_token_equals_that_of_transformers_with_and_without_prompts() {
    for model in MODELS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/attention")
            .join(format!("{model}.safetensors"));
        let bytes = fs_err::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let golden = Golden::load(model);
        assert_eq!(file.len(), 1 + golden.image_cases().len());
        for (case, want) in file.iter() {
            let given = if case == "image.none" {
                TowerAdaptation::NONE
            } else {
                prompts(&golden, case).into()
            };
            let got = golden
                .vision
                .class_attention(golden.get("pixels"), 3, &given);
            let columns = golden.vision.attention_columns(&given);
            assert_eq!(want.shape()[3], columns, "{model} {case}");
            let off = difference(&got, &floats(&want));
            assert!(off < 1e-5, "{model} {case}: {off} off");
        }
    }
}

#[test]
fn every_row_sums_to_one() {
    let golden = Golden::load("quick-gelu");
    for case in golden.image_cases() {
        let prompts = TowerAdaptation::from(prompts(&golden, &case));
        let tower = &golden.vision;
        let rows = tower.class_attention(golden.get("pixels"), 3, &prompts);
        for row in rows.chunks_exact(tower.attention_columns(&prompts)) {
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6 && row.iter().all(|&p| p >= 0.0));
        }
    }
}

#[test]
fn prompts_that_are_none_change_nothing() {
    let golden = Golden::load("gelu");
    let without = golden
        .vision
        .class_attention(golden.get("pixels"), 3, &TowerAdaptation::NONE);
    let none = PromptRows {
        rows: 5,
        ..PromptRows::NONE
    };
    let with = golden
        .vision
        .class_attention(golden.get("pixels"), 3, &none.into());
    assert_eq!(bits(&without), bits(&with));
}

#[test]
fn neither_threads_nor_other_images_matter() {
    let golden = Golden::load("quick-gelu");
    let one = golden.get("pixels").len() / 3;
    let images = random(1, 150 * one);
    let case = TowerAdaptation::from(prompts(&golden, "image.1.after"));
    assert_threads_do_not_matter(|| golden.vision.class_attention(&images, 150, &case));
    let all = golden.vision.class_attention(&images, 150, &case);
    let last = golden
        .vision
        .class_attention(&images[149 * one..], 1, &case);
    assert!(difference(&all[149 * last.len()..], &last) < 1e-6);
}
