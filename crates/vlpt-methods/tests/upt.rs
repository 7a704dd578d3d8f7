//! What unified prompts are made of, and what their options mean.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::{classes, gradients, named, text_values, tiny, visual_values};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, PromptToken, VisualPlace};
use vlpt_methods::{
    Attention, Build, CoOp, CoOpConfig, Depth, Method, MethodConfig, Pass, Place, Position, Upt,
    UptConfig, UptShape,
};

const SHAPES: [UptShape; 2] = [UptShape::Mvlpt, UptShape::Release];
/// Half the distance of a central difference: small enough that hardly a hidden unit changes sign.
const STEP: f32 = 2e-3;
const ATTENTIONS: [Attention; 2] = [Attention::Joint, Attention::Tokenwise];

fn config(shape: UptShape, attention: Attention) -> UptConfig {
    UptConfig {
        shape,
        attention,
        text_count: 2,
        visual_count: 2,
        width: (shape == UptShape::Mvlpt).then_some(8),
        heads: 2,
        ..UptConfig::default()
    }
}

/// Made once: its weights take longer than the tests.
static CLIP: LazyLock<Clip> = LazyLock::new(tiny);

fn upt(config: &UptConfig) -> Upt {
    Upt::new(config, &CLIP, 2, 1).unwrap()
}

fn refused(config: &UptConfig) -> String {
    Upt::new(config, &CLIP, 2, 1).unwrap_err().to_string()
}

/// Text and visual values of one pass.
fn values(upt: &Upt, pass: &Pass) -> (Vec<f32>, Vec<f32>) {
    let adaptation = upt.adapt(pass).unwrap();
    (text_values(&adaptation), visual_values(&adaptation).values)
}

/// A pass of training at this step.
fn step(step: u64) -> Pass<'static> {
    Pass {
        step: Some((9, step)),
        ..Pass::EVAL
    }
}

/// Compares every entry of every gradient with a central difference of the prompts' values,
/// weighted at random.
fn check_slopes(upt: &Upt, pass: &Pass) {
    // Larger tokens than a training starts with, and no layer norm or bias at its neutral value.
    for parameter in upt.parameters() {
        let deviation = match parameter.name() {
            "ctx" | "uni_ctx" | "vpt_embeddings" | "vpt_embeddings_deep" => 1.0,
            _ => 0.1,
        };
        let mut noise = Stream::new(3, parameter.name());
        let start = parameter.values().unwrap();
        let moved: Vec<f32> = start
            .iter()
            .zip(noise.normals(start.len(), deviation))
            .map(|(v, n)| v + n)
            .collect();
        parameter.set(&moved).unwrap();
    }
    let (text, visual) = values(upt, pass);
    let mut noise = Stream::new(4, "d");
    let d_text = noise.normals(text.len(), 1.0);
    let d_visual = noise.normals(visual.len(), 1.0);
    let objective = || -> f64 {
        let (text, visual) = values(upt, pass);
        let products = text.iter().zip(&d_text).chain(visual.iter().zip(&d_visual));
        products.map(|(&p, &d)| f64::from(p) * f64::from(d)).sum()
    };
    let adaptation = upt.adapt(pass).unwrap();
    let gradients = gradients(
        &adaptation,
        upt.parameters(),
        Some(&d_text),
        Some(&d_visual),
    );
    for (parameter, gradient) in upt.parameters().iter().zip(&gradients) {
        let start = parameter.values().unwrap();
        let largest = gradient.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
        assert!(largest > 0.0, "{} changes nothing", parameter.name());
        for (index, &expected) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut moved = start.clone();
                moved[index] += step;
                parameter.set(&moved).unwrap();
                objective()
            };
            let slope = ((at(STEP) - at(-STEP)) / f64::from(2.0 * STEP)) as f32;
            assert!(
                (slope - expected).abs() < 0.01 * largest.max(0.1),
                "{} {index}: slope {slope}, gradient {expected}",
                parameter.name()
            );
        }
        parameter.set(&start).unwrap();
    }
}

#[test]
fn gradients_are_slopes_of_the_prompts() {
    for shape in SHAPES {
        for attention in ATTENTIONS {
            check_slopes(&upt(&config(shape, attention)), &Pass::EVAL);
        }
    }
}

#[test]
fn gradients_are_slopes_under_dropout_too() {
    for shape in SHAPES {
        for attention in ATTENTIONS {
            let config = UptConfig {
                dropout: Some(0.3),
                depth: Some(Depth::Layers(2)),
                class_specific: true,
                ..config(shape, attention)
            };
            check_slopes(&upt(&config), &step(4));
        }
    }
}

#[test]
fn joint_attention_lets_the_modalities_see_each_other() {
    for shape in SHAPES {
        for attention in ATTENTIONS {
            let upt = upt(&config(shape, attention));
            let before = values(&upt, &Pass::EVAL);
            // Move the visual tokens alone.
            let name = match shape {
                UptShape::Mvlpt => "vpt_embeddings",
                UptShape::Release => "uni_ctx",
            };
            let tokens = upt.parameters().iter().find(|p| p.name() == name).unwrap();
            let mut moved = tokens.values().unwrap();
            let last = moved.len() - 1;
            moved[last] += 1.0;
            tokens.set(&moved).unwrap();
            let after = values(&upt, &Pass::EVAL);
            assert_ne!(before.1, after.1);
            let seen = before.0 != after.0;
            assert_eq!(
                seen,
                attention == Attention::Joint,
                "{shape:?} {attention:?}"
            );
        }
    }
}

#[test]
fn the_seed_alone_decides_where_prompts_start() {
    let clip = &*CLIP;
    for shape in SHAPES {
        let config = config(shape, Attention::Joint);
        let start = |seed| values(&Upt::new(&config, clip, 2, seed).unwrap(), &Pass::EVAL);
        assert_eq!(start(0), start(0));
        assert_ne!(start(0).0, start(1).0);
        assert_ne!(start(0).1, start(1).1);
    }
}

#[test]
fn both_attentions_start_from_the_same_numbers() {
    let parameters = |attention| -> Vec<Vec<f32>> {
        let upt = upt(&config(UptShape::Mvlpt, attention));
        upt.parameters()
            .iter()
            .map(|p| p.values().unwrap())
            .collect()
    };
    assert_eq!(
        parameters(Attention::Joint),
        parameters(Attention::Tokenwise)
    );
}

#[test]
fn a_step_has_one_dropout_mask_and_evaluation_none() {
    for shape in SHAPES {
        for attention in ATTENTIONS {
            let at = |rate| {
                upt(&UptConfig {
                    dropout: Some(rate),
                    ..config(shape, attention)
                })
            };
            let (dropping, keeping) = (at(0.4), at(0.0));
            assert_eq!(values(&dropping, &step(3)), values(&dropping, &step(3)));
            assert_ne!(values(&dropping, &step(3)), values(&dropping, &step(4)));
            let still = values(&keeping, &Pass::EVAL);
            assert_eq!(values(&dropping, &Pass::EVAL), still);
            assert_eq!(values(&keeping, &step(3)), still);
        }
    }
}

#[test]
fn each_shape_has_the_published_defaults() {
    let of = |shape, depth| {
        let config = UptConfig {
            shape,
            depth,
            ..UptConfig::default()
        };
        let upt = Upt::new(&config, &CLIP, 2, 1).unwrap();
        let visual = upt.adapt(&Pass::EVAL).unwrap().visual.prompts.unwrap();
        let dropping = values(&upt, &step(0)) != values(&upt, &Pass::EVAL);
        (visual.rows.shape().to_vec(), visual.place, dropping)
    };
    let (mvlpt, release) = (UptShape::Mvlpt, UptShape::Release);
    assert_eq!(
        of(mvlpt, None),
        (vec![3, 4, 12], VisualPlace::AfterLnPre, false)
    );
    assert_eq!(
        of(release, None),
        (vec![1, 4, 12], VisualPlace::BeforeLnPre, true)
    );
    assert_eq!(
        of(release, Some(Depth::Deep)),
        (vec![3, 4, 12], VisualPlace::AfterLnPre, true)
    );
    assert_eq!(
        of(mvlpt, Some(Depth::Layers(2))),
        (vec![2, 4, 12], VisualPlace::AfterLnPre, false)
    );
    let before = UptConfig {
        place: Some(Place::BeforeLnPre),
        ..UptConfig::default()
    };
    let adaptation = upt(&before).adapt(&Pass::EVAL).unwrap();
    assert_eq!(
        adaptation.visual.prompts.unwrap().place,
        VisualPlace::BeforeLnPre
    );
}

#[test]
fn texts_are_those_of_coop() {
    let clip = &*CLIP;
    let names = classes(&["cat", "polar_bear"]);
    for class_specific in [false, true] {
        let coop = CoOpConfig {
            context: Some(2),
            class_specific,
            ..CoOpConfig::default()
        };
        let expected = CoOp::new(&coop, clip, 2, 1)
            .unwrap()
            .texts(&clip.tokenizer, &names)
            .unwrap();
        for shape in SHAPES {
            let upt = upt(&UptConfig {
                class_specific,
                ..config(shape, Attention::Joint)
            });
            let texts = upt.texts(&clip.tokenizer, &names).unwrap();
            assert_eq!(texts, expected);
            let rows = upt.adapt(&Pass::EVAL).unwrap().text.prompts.unwrap().rows;
            let largest = texts.iter().flatten().filter_map(|slot| match slot {
                PromptToken::Learned(row) => Some(*row as usize),
                PromptToken::Token(_) => None,
            });
            assert_eq!(rows.shape(), [1, largest.max().unwrap() + 1, 16]);
        }
    }
}

#[test]
fn words_start_the_text_tokens_of_mvlpt() {
    let clip = &*CLIP;
    let words = UptConfig {
        init: "a photo of a".to_owned(),
        class_specific: true,
        ..UptConfig::default()
    };
    let upt = Upt::new(&words, clip, 3, 1).unwrap();
    let tokens = clip.tokenizer.bpe("a photo of a");
    assert_eq!(
        named(&upt, "ctx"),
        clip.text.token_embeddings(&tokens).repeat(3)
    );
    let short = UptConfig {
        init: "a photo".to_owned(),
        ..UptConfig::default()
    };
    assert_eq!(
        refused(&short),
        "upt.text_count = 4, but the initial words \"a photo\" are 2 tokens: expected equal lengths"
    );
    let release = UptConfig {
        shape: UptShape::Release,
        ..words
    };
    assert!(refused(&release).starts_with("upt.init = \"a photo of a\": expected no words"));
}

#[test]
fn options_out_of_range_are_named() {
    let base = UptConfig::default;
    let release = || UptConfig {
        shape: UptShape::Release,
        ..base()
    };
    let cases = [
        (
            UptConfig {
                width: Some(512),
                ..release()
            },
            "upt.width = 512: expected 16, the width of the text tower",
        ),
        (
            UptConfig {
                width: Some(0),
                ..base()
            },
            "upt.width = 0: expected 1 to 8192",
        ),
        (
            UptConfig { heads: 3, ..base() },
            "upt.heads = 3: expected a divisor of 128",
        ),
        (
            UptConfig { heads: 0, ..base() },
            "upt.heads = 0: expected a divisor of 128",
        ),
        (
            UptConfig {
                text_count: 0,
                ..base()
            },
            "upt.text_count = 0: expected at least 1",
        ),
        (
            UptConfig {
                visual_count: 0,
                ..base()
            },
            "upt.visual_count = 0: expected 1 to",
        ),
        (
            UptConfig {
                dropout: Some(1.0),
                ..base()
            },
            "upt.dropout = 1: expected",
        ),
        (
            UptConfig {
                depth: Some(Depth::Layers(4)),
                ..base()
            },
            "upt.depth = 4: expected",
        ),
    ];
    for (config, expected) in cases {
        let found = refused(&config);
        assert!(found.starts_with(expected), "{found}");
    }
    // Joint attention over 4 x 3,000 tokens would need 1 GiB for each of its weights' tensors.
    let many = UptConfig {
        class_specific: true,
        ..base()
    };
    let error = Upt::new(&many, &CLIP, 3000, 1).unwrap_err().to_string();
    assert!(
        error.starts_with("upt.attention = joint over 12012 tokens"),
        "{error}"
    );
}

#[test]
fn options_are_written_as_words() {
    let text = r#"{"shape": "release", "attention": "tokenwise", "depth": "deep",
        "place": "before-ln-pre", "position": "middle"}"#;
    let config: UptConfig = serde_json::from_str(text).unwrap();
    assert_eq!(
        config,
        UptConfig {
            shape: UptShape::Release,
            attention: Attention::Tokenwise,
            depth: Some(Depth::Deep),
            place: Some(Place::BeforeLnPre),
            position: Position::Middle,
            ..UptConfig::default()
        }
    );
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<UptConfig>(&written).unwrap(), config);
    assert!(serde_json::from_str::<UptConfig>(r#"{"counts": 4}"#).is_err());
    let method = MethodConfig::from(UptConfig::default());
    assert!(!method.is_baseline());
    let built = method
        .build(&Build {
            clip: &CLIP,
            classes: 2,
            seed: 1,
        })
        .unwrap();
    assert_eq!((method.name(), built.name()), ("upt", "upt"));
}
