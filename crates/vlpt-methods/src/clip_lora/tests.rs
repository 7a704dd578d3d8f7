//! Counts, names, options, and what is read of names and shapes.

use vlpt_clip::{ClipConfig, LayerName};

use super::*;
use crate::context::b16;
use crate::import::{ImportHints, Names, Recognised, Unknown, recognise};
use vlpt_clip::CheckpointTensor;

fn lora(config: &ClipLoraConfig) -> ClipLora {
    ClipLora::new(config, &b16(), 1).unwrap()
}

fn refused(config: ClipLoraConfig) -> String {
    let error = ClipLora::new(&config, &b16(), 1).unwrap_err();
    let method = MethodConfig::from(config);
    assert!(method.check().is_err() || error.to_string().contains("model"));
    error.to_string()
}

#[test]
fn parameters_are_counted_as_published() {
    use AdaptedLayer::{Fc1, Fc2, K, Out, Q, V};
    let base = ClipLoraConfig::default;
    assert_eq!(lora(&base()).parameter_count(), 184_320);
    let (encoder, text) = (Towers::Vision, Towers::Text);
    assert_eq!(
        lora(&ClipLoraConfig { encoder, ..base() }).parameter_count(),
        12 * 3 * 2 * 2 * 768
    );
    let one = ClipLoraConfig {
        encoder: text,
        position: Blocks::HalfUp,
        layers: vec![Fc2, Out, Fc1],
        rank: 4,
        ..base()
    };
    assert_eq!(
        lora(&one).parameter_count(),
        6 * 4 * (2 * 512 + 2 * (512 + 2048))
    );
    let all = ClipLoraConfig {
        layers: vec![Q, K, V, Out, Fc1, Fc2],
        ..base()
    };
    let of_width = |width: usize| 12 * 2 * (4 * 2 * width + 2 * 5 * width);
    assert_eq!(lora(&all).parameter_count(), of_width(512) + of_width(768));
}

#[test]
fn the_scale_is_that_of_rank_stabilised_updates() {
    let base = ClipLoraConfig::default;
    assert_eq!(lora(&base()).scale(), 0.5_f32.sqrt());
    let other = ClipLoraConfig {
        rank: 16,
        alpha: 2.0,
        ..base()
    };
    assert_eq!(lora(&other).scale(), 0.5);
}

#[test]
fn names_are_those_of_peft_and_the_text_tower_comes_first() {
    let lora = lora(&ClipLoraConfig::default());
    let names: Vec<(&str, &[usize])> = lora
        .parameters()
        .iter()
        .map(|p| (p.name(), p.shape()))
        .collect();
    let stem = "base_model.model.text_model.encoder.layers.0.self_attn";
    assert_eq!(names.len(), 2 * 2 * 12 * 3);
    assert_eq!(
        names[..3],
        [
            (&*format!("{stem}.q_proj.lora_A.weight"), &[2, 512][..]),
            (&*format!("{stem}.q_proj.lora_B.weight"), &[512, 2][..]),
            (&*format!("{stem}.k_proj.lora_A.weight"), &[2, 512][..]),
        ]
    );
    let last = "base_model.model.vision_model.encoder.layers.11.self_attn.v_proj.lora_B.weight";
    assert_eq!(names[143], (last, &[768, 2][..]));
}

#[test]
fn updates_start_at_nothing_with_inputs_of_kaimings_spread() {
    let lora = lora(&ClipLoraConfig::default());
    for parameter in lora.parameters() {
        let values = parameter.values().unwrap();
        let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        if parameter.name().ends_with("lora_B.weight") {
            assert_eq!(largest, 0.0);
        } else {
            let bound = 1.0 / (parameter.shape()[1] as f32).sqrt();
            assert!(largest <= bound && largest > 0.98 * bound, "{largest}");
        }
    }
}

#[test]
fn positions_are_those_of_the_published_code() {
    for (position, blocks) in [
        (Blocks::All, 0..12),
        (Blocks::Bottom, 0..4),
        (Blocks::Mid, 4..8),
        (Blocks::Up, 8..12),
        (Blocks::HalfBottom, 0..6),
        (Blocks::HalfUp, 6..12),
        (Blocks::Top3, 9..12),
    ] {
        assert_eq!(position.of(12).unwrap(), blocks, "{position:?}");
    }
    assert_eq!(Blocks::Top3.of(2).unwrap(), 0..2);
    let error = Blocks::Bottom.of(2).unwrap_err().to_string();
    assert!(
        error.starts_with("clip_lora.position = \"bottom\""),
        "{error}"
    );
}

#[test]
fn texts_are_constant_only_where_the_text_tower_is_not_updated() {
    let plan = |encoder, position| {
        let config = ClipLoraConfig {
            encoder,
            position,
            ..ClipLoraConfig::default()
        };
        let lora = lora(&config);
        (lora.text_plan().updates, lora.needs())
    };
    let (updates, needs) = plan(Towers::Both, Blocks::All);
    assert_eq!(updates, Some(0));
    assert!(needs.pixels && needs.text_weights && needs.image_weights);
    let (updates, needs) = plan(Towers::Text, Blocks::HalfUp);
    assert_eq!(updates, Some(6));
    assert!(!needs.pixels && needs.text_weights && !needs.image_weights);
    let (updates, needs) = plan(Towers::Vision, Blocks::Up);
    assert_eq!(updates, None);
    assert!(needs.pixels && !needs.text_weights && needs.image_weights);
}

#[test]
fn a_training_step_has_masks_of_its_own_and_evaluation_none() {
    let seeds = |dropout, step: Option<(u64, u64)>| {
        let config = ClipLoraConfig {
            dropout,
            ..ClipLoraConfig::default()
        };
        let adaptation = lora(&config).adapt(&Pass { step, ..Pass::EVAL }).unwrap();
        let seed = |side: &TowerTensors| match side.updates[0].change {
            Change::LowRank { dropout, .. } => dropout.map(|d| (d.rate, d.seed)),
            Change::ScaleShift { .. } => panic!("a low-rank update"),
        };
        (seed(&adaptation.text), seed(&adaptation.visual))
    };
    assert_eq!(seeds(0.25, None), (None, None));
    assert_eq!(seeds(0.0, Some((1, 2))), (None, None));
    let (text, visual) = seeds(0.25, Some((1, 2)));
    assert_eq!((text.unwrap().0, visual.unwrap().0), (0.25, 0.25));
    assert_ne!(text, visual);
    assert_eq!(seeds(0.25, Some((1, 2))), (text, visual));
    assert_ne!(seeds(0.25, Some((1, 3))).0, text);
}

#[test]
fn options_out_of_range_are_named() {
    let base = ClipLoraConfig::default;
    let (rank, alpha, dropout) = (0, -1.0, 1.0);
    assert!(refused(ClipLoraConfig { rank, ..base() }).starts_with("clip_lora.rank = 0"));
    assert!(refused(ClipLoraConfig { alpha, ..base() }).starts_with("clip_lora.alpha = -1"));
    assert!(refused(ClipLoraConfig { dropout, ..base() }).starts_with("clip_lora.dropout = 1"));
    let rank = 513;
    let error = refused(ClipLoraConfig { rank, ..base() });
    assert_eq!(
        error,
        "clip_lora.rank = 513: expected at most 512 with this model"
    );
    for layers in [vec![], vec![AdaptedLayer::Q, AdaptedLayer::Q]] {
        let error = refused(ClipLoraConfig { layers, ..base() });
        assert!(error.starts_with("clip_lora.layers = ["), "{error}");
    }
    let template = "a photo".to_owned();
    assert!(refused(ClipLoraConfig { template, ..base() }).contains("no place"));
}

#[test]
fn options_are_written_as_words() {
    let config = MethodConfig::from(ClipLoraConfig {
        encoder: Towers::Text,
        position: Blocks::HalfUp,
        layers: vec![AdaptedLayer::Out, AdaptedLayer::Fc1],
        ..ClipLoraConfig::default()
    });
    let text = serde_json::to_string(&config).unwrap();
    for part in [
        "\"encoder\":\"text\"",
        "\"position\":\"half-up\"",
        "\"layers\":[\"out\",\"fc1\"]",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(serde_json::from_str::<MethodConfig>(&text).unwrap(), config);
    let top3 = serde_json::to_string(&Blocks::Top3).unwrap();
    assert_eq!(top3, "\"top3\"");
}

/// Tensors as the published code names them, of towers of these numbers of blocks and widths.
fn published(towers: &[(usize, usize)], layers: &[&str]) -> Vec<CheckpointTensor> {
    let mut tensors = Vec::new();
    let widths = towers
        .iter()
        .flat_map(|&(blocks, width)| std::iter::repeat_n(width, blocks));
    for (index, width) in widths.enumerate() {
        for layer in layers {
            for (matrix, shape) in [("A", vec![4, width]), ("B", vec![width, 4])] {
                tensors.push(CheckpointTensor {
                    name: format!("weights.layer_{index}.{layer}.w_lora_{matrix}"),
                    shape,
                    dtype: "f32",
                    float: true,
                });
            }
        }
    }
    tensors
}

fn read(
    tensors: Vec<CheckpointTensor>,
    model: &ClipConfig,
) -> std::result::Result<Recognised, Unknown> {
    let names = Names::of(tensors).unwrap();
    recognise(&names, model, None, &ImportHints::default())
}

fn problem(tensors: Vec<CheckpointTensor>) -> String {
    match read(tensors, &b16()) {
        Err(Unknown::Tensors("clip-lora", problems)) => problems.join("; "),
        other => panic!("{other:?}"),
    }
}

#[test]
fn published_layers_become_those_of_the_text_tower_and_then_of_the_image_tower() {
    let tensors = published(&[(12, 512), (12, 768)], &["q_proj", "v_proj", "proj"]);
    let names = Names::of(tensors.clone()).unwrap();
    let tensor = |name: &str| names.tensors[name].name.as_str();
    assert_eq!(
        tensor("base_model.model.text_model.encoder.layers.11.self_attn.out_proj.lora_A.weight"),
        "weights.layer_11.proj.w_lora_A"
    );
    assert_eq!(
        tensor("base_model.model.vision_model.encoder.layers.0.self_attn.q_proj.lora_B.weight"),
        "weights.layer_12.q_proj.w_lora_B"
    );
    let found = read(tensors, &b16()).unwrap();
    let config: &ClipLoraConfig = found.method.options();
    assert_eq!(
        config.layers,
        [AdaptedLayer::Q, AdaptedLayer::V, AdaptedLayer::Out]
    );
    assert_eq!((config.rank, config.encoder), (4, Towers::Both));
    let lora = ClipLora::new(config, &b16(), 1).unwrap();
    assert_eq!(names.tensors.len(), lora.parameters().len());
    for parameter in lora.parameters() {
        assert_eq!(names.tensors[parameter.name()].shape, parameter.shape());
    }
    assert!(found.assumed.iter().any(|text| text.contains("alpha")));
}

#[test]
fn what_names_and_shapes_do_not_tell_is_refused() {
    let layers = ["q_proj", "k_proj", "v_proj"];
    let error = problem(published(&[(12, 768)], &layers));
    assert!(error.contains("expected those of both"), "{error}");
    let error = problem(published(&[(4, 512), (12, 768)], &layers));
    assert_eq!(
        error,
        "4 blocks of a tower of 12 are updated: expected all, because the tensors do not tell which"
    );
    let mut gap = published(&[(12, 512), (12, 768)], &layers);
    gap.retain(|tensor| !tensor.name.starts_with("weights.layer_3."));
    assert!(problem(gap).contains("counted through"));
}

#[test]
fn tensors_that_peft_named_are_known_too() {
    let config = ClipLoraConfig {
        encoder: Towers::Vision,
        layers: vec![AdaptedLayer::Fc1, AdaptedLayer::Fc2],
        ..ClipLoraConfig::default()
    };
    let expected = MethodConfig::from(config.clone());
    let tensors = lora(&config)
        .parameters()
        .iter()
        .map(|p| CheckpointTensor {
            name: p.name().to_owned(),
            shape: p.shape().to_vec(),
            dtype: "f32",
            float: true,
        })
        .collect();
    assert_eq!(read(tensors, &b16()).unwrap().method, expected);
}

#[test]
fn updates_name_their_layer() {
    let config = ClipLoraConfig {
        position: Blocks::Top3,
        layers: vec![AdaptedLayer::Fc2, AdaptedLayer::K],
        ..ClipLoraConfig::default()
    };
    let adaptation = lora(&config).adapt(&Pass::EVAL).unwrap();
    for side in [adaptation.text, adaptation.visual] {
        let places: Vec<_> = side.updates.iter().map(|u| (u.block, u.layer)).collect();
        let of = |block| [(block, LayerName::K), (block, LayerName::Fc2)];
        assert_eq!(places, [of(9), of(10), of(11)].concat());
    }
}
