//! Counts, names, stages and options.

use vlpt_clip::{Activation, ClipConfig, TextConfig, VisionConfig};

use super::*;
use crate::MethodError;

/// A model with the widths and depths of ViT-B/16, and all else small.
fn as_deep_and_wide_as_b16() -> Clip {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let config = ClipConfig {
        text: TextConfig {
            width: 512,
            layers: 12,
            heads: 8,
            mlp: 8,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 768,
            layers: 12,
            heads: 12,
            mlp: 8,
            image_size: 8,
            patch_size: 8,
            activation,
            layer_norm_eps,
        },
        embed_dim: 512,
    };
    Clip::random(&config, 1)
}

fn names(of: &TwoStage) -> Vec<&str> {
    of.parameters.iter().map(Parameter::name).collect()
}

#[test]
fn parameters_are_counted_as_published() {
    let clip = as_deep_and_wide_as_b16();
    let classes = 1000;
    let of = |norms| {
        let config = TwoStageConfig {
            norms,
            ..TwoStageConfig::default()
        };
        TwoStage::new(&config, &clip, classes).unwrap()
    };
    let features = classes * 512;
    let blocks = of(Norms::Blocks);
    assert_eq!(blocks.parameter_count() - features, 61_440);
    assert_eq!(blocks.class_features().unwrap().shape(), [classes, 512]);
    assert_eq!(names(&blocks).len(), 2 * 2 * 2 * 12 + 1);
    let stem = "text_model.encoder.layers.0";
    assert_eq!(
        names(&blocks)[..3],
        [
            format!("{stem}.layer_norm1.weight"),
            format!("{stem}.layer_norm1.bias"),
            format!("{stem}.layer_norm2.weight"),
        ]
    );
    let all = of(Norms::All);
    assert_eq!(all.parameter_count() - features, 65_536);
    let known = names(&all);
    for name in [
        "text_model.final_layer_norm.bias",
        "vision_model.pre_layrnorm.weight",
        "vision_model.post_layernorm.weight",
    ] {
        assert!(known.contains(&name), "{known:?}");
    }
}

#[test]
fn the_second_stage_trains_the_features_of_the_classes() {
    let clip = Clip::mini();
    let config = TwoStageConfig {
        first_stage: 0.75,
        ..TwoStageConfig::default()
    };
    let method = TwoStage::new(&config, &clip, 3).unwrap();
    let stages: Vec<_> = method
        .stages()
        .iter()
        .map(|s| (s.share, s.trains))
        .collect();
    assert_eq!(
        stages,
        [(0.75, Trains::Adaptation), (0.25, Trains::ClassFeatures)]
    );
    assert_eq!(method.class_features().unwrap().name(), CLASS_FEATURES);
}

#[test]
fn tuning_starts_at_the_model_itself() {
    let clip = Clip::mini();
    let method = TwoStage::new(&TwoStageConfig::default(), &clip, 3).unwrap();
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    for side in [&adaptation.text, &adaptation.visual] {
        for update in &side.updates {
            let crate::Change::ScaleShift { scale, shift } = &update.change else {
                panic!("{update:?}");
            };
            assert!(scale.to_vec().iter().all(|scale| *scale == 1.0));
            assert!(shift.to_vec().iter().all(|shift| *shift == 0.0));
        }
    }
}

#[test]
fn options_out_of_range_are_named() {
    let clip = Clip::mini();
    let refused = |config: TwoStageConfig| {
        assert!(MethodConfig::from(config.clone()).check().is_err());
        TwoStage::new(&config, &clip, 3).unwrap_err().to_string()
    };
    for first_stage in [0.0, 1.0, -0.5, f64::NAN] {
        let error = refused(TwoStageConfig {
            first_stage,
            ..TwoStageConfig::default()
        });
        assert!(error.starts_with("two_stage.first_stage = "), "{error}");
    }
    let template = "a photo".to_owned();
    let error = refused(TwoStageConfig {
        template,
        ..TwoStageConfig::default()
    });
    assert!(error.contains("no place"), "{error}");
}

#[test]
fn options_are_written_as_words() {
    let config = MethodConfig::from(TwoStageConfig {
        norms: Norms::All,
        ..TwoStageConfig::default()
    });
    let text = serde_json::to_string(&config).unwrap();
    assert!(text.contains("\"norms\":\"all\""), "{text}");
    assert_eq!(serde_json::from_str::<MethodConfig>(&text).unwrap(), config);
    let unknown = text.replace("all", "some");
    assert!(serde_json::from_str::<MethodConfig>(&unknown).is_err());
}

#[test]
fn a_model_with_a_gain_of_zero_is_refused_by_name() {
    let clip = Clip::mini();
    let mut weights = clip
        .text
        .norm(1, vlpt_clip::LayerName::Ln2)
        .unwrap()
        .0
        .to_vec();
    weights[2] = 0.0;
    let error = norms::checked("text_model.encoder.layers.1.layer_norm2", &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the layer norm text_model.encoder.layers.1.layer_norm2 of the model has a gain of 0 \
             (number 2 of {}), which cannot be tuned: expected gains other than 0",
            weights.len()
        )
    );
    assert!(error.hint().is_some());
    assert!(matches!(error, MethodError::Incompatible { .. }));
}
