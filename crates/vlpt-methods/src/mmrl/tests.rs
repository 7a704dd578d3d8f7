//! Counts, starts, options and the terms of the loss.

use vlpt_autograd::Var;

use super::*;
use crate::context::b16;
use crate::{FusedClasses, ImageFeatures};

fn mmrl(change: fn(&mut MmrlConfig)) -> Result<Mmrl> {
    let mut config = MmrlConfig::default();
    change(&mut config);
    Mmrl::new(&config, &b16(), 1)
}

#[test]
fn parameters_are_counted_as_published() {
    assert_eq!(mmrl(|_| ()).unwrap().parameter_count(), 4_992_256);
    // those of EuroSAT
    let wide = 5 * 2048 + 7 * (2048 * 768 + 768) + 7 * (2048 * 512 + 512) + 768 * 512;
    assert_eq!(mmrl(|c| c.width = 2048).unwrap().parameter_count(), wide);
    let one = 2 * 512 + (512 * 768 + 768) + (512 * 512 + 512) + 768 * 512;
    let few = mmrl(|c| (c.tokens, c.blocks) = (2, Some(1)));
    assert_eq!(few.unwrap().parameter_count(), one);
}

#[test]
fn layers_of_a_tower_start_as_copies_of_one_and_rows_enter_in_the_middle() {
    let method = mmrl(|_| ()).unwrap();
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    for (tower, width) in [(&adaptation.text, 512), (&adaptation.visual, 768)] {
        let prompts = tower.values().unwrap().prompts.unwrap();
        assert_eq!((prompts.first, prompts.blocks, prompts.rows), (5, 7, 5));
        assert_eq!((prompts.carry, prompts.values.len()), (0.0, 7 * 5 * width));
        let (first, rest) = prompts.values.split_at(5 * width);
        assert!(rest.chunks_exact(5 * width).all(|other| other == first));
        assert!(first.iter().any(|&value| value != 0.0));
    }
    assert!(adaptation.text.row_projection.is_none());
    let projection = adaptation.visual.values().unwrap().row_projection.unwrap();
    let squares: f64 = projection.iter().map(|&v| f64::from(v).powi(2)).sum();
    let deviation = (squares / projection.len() as f64).sqrt();
    assert!(
        (deviation * 768.0_f64.sqrt() - 1.0).abs() < 0.01,
        "{deviation}"
    );
    let plan = method.text_plan();
    assert_eq!((plan.first, plan.blocks, plan.carries), (5, 7, false));
    assert_eq!(
        method.fusion(),
        Some(Fusion {
            share: 0.7,
            classes: FusedClasses::Trained
        })
    );
}

#[test]
fn smaller_towers_get_rows_in_all_blocks_but_the_first() {
    let mut model = b16();
    (model.text.layers, model.vision.layers) = (3, 10);
    let method = Mmrl::new(&MmrlConfig::default(), &model, 1).unwrap();
    assert_eq!(
        (method.shared.text.first, method.shared.text.blocks),
        (1, 2)
    );
    assert_eq!(
        (method.shared.visual.first, method.shared.visual.blocks),
        (3, 7)
    );
    model.text.layers = 1;
    let error = Mmrl::new(&MmrlConfig::default(), &model, 1).unwrap_err();
    assert!(
        error.to_string().contains("towers of 1 and 10 blocks"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn values_that_make_no_sense_are_refused_by_name() {
    let error = |change| mmrl(change).unwrap_err().to_string();
    assert_eq!(
        error(|c| c.tokens = 0),
        "mmrl.tokens = 0: expected 1 to 1024"
    );
    assert_eq!(
        error(|c| c.width = 0),
        "mmrl.width = 0: expected 1 to 16384"
    );
    assert_eq!(
        error(|c| c.blocks = Some(0)),
        "mmrl.blocks = 0: expected at least 1"
    );
    assert_eq!(
        error(|c| c.blocks = Some(12)),
        "mmrl.blocks = 12: expected 1 to 11 with this model"
    );
    assert_eq!(
        error(|c| c.alpha = 1.5),
        "mmrl.alpha = 1.5: expected 0 to 1"
    );
    assert!(error(|c| c.alpha = f64::NAN).contains("mmrl.alpha"));
    assert_eq!(
        error(|c| c.lambda = -1.0),
        "mmrl.lambda = -1: expected 0 or more"
    );
    assert!(error(|c| c.lambda = f64::INFINITY).contains("mmrl.lambda"));
    assert!(error(|c| c.template = "a photo.".to_owned()).contains("a photo."));
}

#[test]
fn a_row_stands_behind_the_start_and_takes_no_position() {
    let clip = Clip::mini();
    let config = MmrlConfig {
        tokens: 2,
        ..MmrlConfig::default()
    };
    let method = Mmrl::new(&config, &clip.config, 1).unwrap();
    let classes = ["cat".to_owned(), "polar_bear".to_owned()];
    let texts = method.texts(&clip.tokenizer, &classes).unwrap();
    for (text, name) in texts.iter().zip(["cat", "polar bear"]) {
        let ids = clip
            .tokenizer
            .encode(&format!("a photo of a {name}."))
            .unwrap();
        let mut expected: Vec<_> = ids.into_iter().map(PromptToken::Token).collect();
        expected.insert(1, PromptToken::Learned(0));
        expected.insert(2, PromptToken::Learned(1));
        assert_eq!(*text, expected);
    }
}

/// Two unit vectors of a plane and their cosines with others.
#[test]
fn the_terms_are_lambda_times_one_less_the_mean_cosine() {
    let method = mmrl(|c| c.lambda = 3.0).unwrap();
    let unit = |angle: f32| [angle.cos(), angle.sin()];
    let rows = |angles: &[f32]| angles.iter().flat_map(|&a| unit(a)).collect::<Vec<f32>>();
    let texts = Var::new(rows(&[0.1, 0.7]), &[2, 2]).unwrap();
    let frozen = Tensor::new(rows(&[0.4, 0.5]), &[2, 2]).unwrap();
    let of_texts = Features {
        texts: texts.as_tensor(),
        frozen_texts: &frozen,
        images: None,
        scale: 10.0,
    };
    let value = |features: &Features| {
        let term = method.regulariser(features).unwrap().unwrap();
        f64::from(term.item().unwrap())
    };
    let expected = 3.0 * (1.0 - f64::midpoint(0.3_f64.cos(), 0.2_f64.cos()));
    assert!((value(&of_texts) - expected).abs() < 1e-6);
    let term = method.regulariser(&of_texts).unwrap().unwrap();
    let d = term.backward().unwrap();
    let found = d.get(&texts).unwrap();
    for (found, frozen) in found.iter().zip(frozen.to_vec()) {
        assert!((found + 1.5 * frozen).abs() < 1e-6, "{found} {frozen}");
    }
    // one of a batch of four images
    let tuned = Tensor::new(rows(&[1.0]), &[1, 2]).unwrap();
    let frozen_image = Tensor::new(rows(&[0.2]), &[1, 2]).unwrap();
    let images = ImageFeatures {
        tuned: &tuned,
        frozen: &frozen_image,
        batch: 4,
    };
    let of_images = Features {
        images: Some(images),
        ..of_texts
    };
    let expected = 3.0 * (1.0 - 0.8_f64.cos()) / 4.0;
    assert!((value(&of_images) - expected).abs() < 1e-6);
}
