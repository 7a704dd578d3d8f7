//! MMRL and MMRL++: gradients through both towers, where they start, and what of the texts is constant.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, images, tiny};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, MemoryBudget, TextPlanOptions, Tokenizer, TowerAdaptation};
use vlpt_methods::{
    Method, MethodConfig, Mmrl, MmrlConfig, MmrlPlus, MmrlPlusConfig, Parameter, Pass,
};

/// A random model with the published vocabulary, and the tokenizer that belongs to it.
fn clip() -> Clip {
    Clip {
        tokenizer: Tokenizer::openai(),
        ..tiny()
    }
}

fn config() -> MmrlConfig {
    MmrlConfig {
        tokens: 2,
        width: 6,
        ..MmrlConfig::default()
    }
}

fn plus(beta: f64) -> MmrlPlusConfig {
    MmrlPlusConfig {
        beta,
        rank: 2,
        projection_rank: 3,
    }
}

/// Both, and MMRL++ without a share of the rows before.
fn methods(clip: &Clip) -> Vec<Box<dyn Method>> {
    let one_block = MmrlConfig {
        blocks: Some(1),
        ..config()
    };
    vec![
        Box::new(Mmrl::new(&config(), &clip.config, 1).unwrap()),
        Box::new(Mmrl::new(&one_block, &clip.config, 1).unwrap()),
        Box::new(MmrlPlus::new(&config(), &plus(0.6), clip, 1).unwrap()),
        Box::new(MmrlPlus::new(&config(), &plus(1.0), clip, 1).unwrap()),
    ]
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_outputs() {
    let clip = clip();
    let objective = Objective::new(&clip);
    for method in methods(&clip) {
        // away from the zeros that products of low rank start from
        for parameter in method.parameters() {
            let values = Stream::new(8, parameter.name()).normals(parameter.len(), 0.4);
            parameter.set(&values).unwrap();
        }
        objective.check(method.as_ref(), &Pass::EVAL);
    }
}

#[test]
fn parameters_have_names_that_say_where_they_are() {
    let clip = clip();
    let names = |method: &dyn Method| -> Vec<String> {
        let name = |parameter: &Parameter| format!("{} {:?}", parameter.name(), parameter.shape());
        method.parameters().iter().map(name).collect()
    };
    let methods = methods(&clip);
    assert_eq!(
        names(methods[1].as_ref()),
        [
            "tokens [2, 6]",
            "text_projections.0.weight [16, 6]",
            "text_projections.0.bias [16]",
            "visual_projections.0.weight [12, 6]",
            "visual_projections.0.bias [12]",
            "row_projection [12, 8]",
        ]
    );
    let plus = names(methods[2].as_ref());
    assert_eq!(
        plus[..5],
        [
            "tokens [2, 6]",
            "text_projection.weight [16, 6]",
            "text_projection.0.a [16, 2]",
            "text_projection.0.b [2, 6]",
            "text_projection.0.bias [16]",
        ]
    );
    assert_eq!(
        plus[plus.len() - 2..],
        ["row_projection.a [12, 3]", "row_projection.b [3, 8]"]
    );
}

/// The second feature of MMRL++ starts as the mean of what the rows would be as class tokens.
#[test]
fn the_projection_of_mmrlpp_starts_as_the_frozen_one() {
    let clip = clip();
    let method = MmrlPlus::new(&config(), &plus(0.9), &clip, 1).unwrap();
    let values = method.adapt(&Pass::EVAL).unwrap().visual.values().unwrap();
    assert_eq!(values.row_projection.unwrap(), clip.vision.projection());
}

/// The blocks before the rows are computed when texts are planned, once for all steps: what a step goes
/// through is what begins at the first block with rows.
#[test]
fn texts_go_through_the_blocks_with_rows_alone() {
    let clip = clip();
    let names = classes(&["cat", "polar_bear", "school bus"]);
    let budget = MemoryBudget::default();
    let bytes = |blocks: usize| {
        let config = MmrlConfig {
            blocks: Some(blocks),
            ..config()
        };
        let method = Mmrl::new(&config, &clip.config, 1).unwrap();
        let texts = method.texts(&clip.tokenizer, &names).unwrap();
        let values = method.adapt(&Pass::EVAL).unwrap().text.values().unwrap();
        let adaptation = values.for_tower(&[]);
        let options = method.text_plan();
        assert_eq!(options, TextPlanOptions::from(&adaptation));
        assert_eq!(options.first, clip.text.depth() - blocks);
        let plan = clip.text.plan(&texts, options, budget);
        let (features, tape) = clip.text.forward(&plan, &adaptation);
        // exact: the same as through all blocks at once
        assert_eq!(features, clip.text.features(&texts, &adaptation));
        tape.bytes()
    };
    let (one, two) = (bytes(1), bytes(2));
    assert!(0 < one && one < two, "{one} {two}");
}

/// Rows change both outputs, and the class token's by what they lend alone.
#[test]
fn an_image_has_two_features_and_a_text_has_one() {
    let clip = clip();
    let (pixels, embed) = (images(&clip, 2), clip.config.embed_dim);
    let frozen = clip.vision.features(&pixels, 2, &TowerAdaptation::NONE);
    for method in methods(&clip) {
        let values = method.adapt(&Pass::EVAL).unwrap().visual.values().unwrap();
        let features = clip.vision.features(&pixels, 2, &values.for_tower(&[]));
        assert_eq!(features.len(), 2 * 2 * embed);
        for (both, frozen) in features.chunks(2 * embed).zip(frozen.chunks(embed)) {
            let apart = |part: &[f32]| part.iter().zip(frozen).any(|(a, b)| (a - b).abs() > 1e-4);
            assert!(apart(&both[..embed]) && apart(&both[embed..]));
        }
        assert_eq!(method.needs().frozen_features, method.needs().pixels);
    }
}

#[test]
fn the_teacher_is_the_frozen_model_with_the_same_template() {
    let clip = clip();
    let names = classes(&["cat", "polar_bear"]);
    let config = MmrlConfig {
        template: "{}, as art.".to_owned(),
        ..config()
    };
    let method = Mmrl::new(&config, &clip.config, 1).unwrap();
    let found = method.teacher(&clip, &names).unwrap().unwrap();
    let expected =
        vlpt_methods::zeroshot::classifier(&clip, &names, &["{}, as art.".to_owned()]).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn options_are_read_from_json_and_what_is_left_out_is_built_in() {
    let read = |text: &str| serde_json::from_str::<MethodConfig>(text);
    let found = read(r#"{"mmrl": {"blocks": 3, "fused": "split"}}"#).unwrap();
    let expected = MmrlConfig {
        blocks: Some(3),
        fused: vlpt_methods::FusedClasses::Split,
        ..MmrlConfig::default()
    };
    assert_eq!(found, MethodConfig::from(expected));
    let found = read(r#"{"mmrlpp": {"mmrlpp": {"beta": 0.5}}}"#).unwrap();
    let own = MmrlPlusConfig {
        beta: 0.5,
        ..MmrlPlusConfig::default()
    };
    assert_eq!(found, MethodConfig::from((MmrlConfig::default(), own)));
    assert!(read(r#"{"mmrl": {"fused": "new"}}"#).is_err());
    assert!(read(r#"{"mmrl": {"depth": 3}}"#).is_err());
}
