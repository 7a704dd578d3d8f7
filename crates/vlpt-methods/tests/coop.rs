//! Where the tokens of a CoOp prompt stand, and what it starts from.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::gradients;

use vlpt_autograd::{Tensor, Var};
use vlpt_clip::{Activation, Clip, ClipConfig, PromptToken, TextConfig, Tokenizer, VisionConfig};
use vlpt_methods::{CoOp, CoOpConfig, Features, KgForm, Method, MethodError, Pass, Position};

/// A tiny random model with OpenAI's vocabulary, so that token ids are the published ones.
fn clip() -> &'static Clip {
    static CLIP: LazyLock<Clip> = LazyLock::new(random);
    &CLIP
}

fn random() -> Clip {
    let config = ClipConfig {
        text: TextConfig {
            width: 16,
            layers: 1,
            heads: 2,
            mlp: 32,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: 16,
            layers: 1,
            heads: 2,
            mlp: 32,
            image_size: 8,
            patch_size: 4,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        embed_dim: 8,
    };
    let mut clip = Clip::random(&config, 3);
    clip.tokenizer = Tokenizer::openai();
    clip
}

fn options(context: usize, position: Position) -> CoOpConfig {
    CoOpConfig {
        context: Some(context),
        position,
        ..CoOpConfig::default()
    }
}

/// `@0` is a learned row, a number is a token.
fn spell(slots: &[PromptToken]) -> String {
    let words: Vec<String> = slots
        .iter()
        .map(|slot| match slot {
            PromptToken::Token(49406) => "<".to_owned(),
            PromptToken::Token(49407) => ">".to_owned(),
            PromptToken::Token(id) => id.to_string(),
            PromptToken::Learned(row) => format!("@{row}"),
        })
        .collect();
    words.join(" ")
}

fn texts(config: &CoOpConfig, classes: &[&str]) -> Vec<String> {
    let clip = clip();
    let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let method = CoOp::new(config, clip, classes.len(), 1).unwrap();
    let texts = method.texts(&clip.tokenizer, &classes).unwrap();
    texts.iter().map(|text| spell(text)).collect()
}

#[test]
fn the_class_name_stands_at_the_end_in_the_middle_or_in_front() {
    // "cat" is 2368, "polar bear" 12214 4298, the full stop 269.
    let names = ["cat", "polar_bear"];
    assert_eq!(
        texts(&options(5, Position::End), &names),
        [
            "< @0 @1 @2 @3 @4 2368 269 >",
            "< @0 @1 @2 @3 @4 12214 4298 269 >"
        ]
    );
    assert_eq!(
        texts(&options(5, Position::Middle), &names),
        [
            "< @0 @1 2368 @2 @3 @4 269 >",
            "< @0 @1 12214 4298 @2 @3 @4 269 >"
        ]
    );
    assert_eq!(
        texts(&options(5, Position::Front), &names),
        [
            "< 2368 @0 @1 @2 @3 @4 269 >",
            "< 12214 4298 @0 @1 @2 @3 @4 269 >"
        ]
    );
}

#[test]
fn a_name_that_ends_in_a_full_stop_keeps_the_fused_token() {
    // "side." + "." is the one token ".." (852); nothing but the end follows the context.
    let name = ["a car on the left side."];
    let middle = texts(&options(2, Position::Middle), &name);
    let words: Vec<&str> = middle[0].split(' ').collect();
    assert_eq!(words[words.len() - 3..], ["852", "@1", ">"], "{middle:?}");
    let front = texts(&options(2, Position::Front), &name);
    assert!(front[0].ends_with("852 @0 @1 >"), "{front:?}");
    let end = texts(&options(2, Position::End), &name);
    assert!(end[0].ends_with("852 >"), "{end:?}");
}

#[test]
fn the_end_token_stands_at_the_same_place_in_all_layouts() {
    for name in ["cat", "snoopy (cartoon beagle)", "side.", "x...!"] {
        let lengths: Vec<usize> = [Position::End, Position::Middle, Position::Front]
            .map(|p| texts(&options(3, p), &[name])[0].split(' ').count())
            .to_vec();
        assert!(
            lengths.windows(2).all(|w| w[0] == w[1]),
            "{name}: {lengths:?}"
        );
    }
}

#[test]
fn class_specific_contexts_have_rows_of_their_own() {
    let config = CoOpConfig {
        class_specific: true,
        ..options(2, Position::End)
    };
    assert_eq!(
        texts(&config, &["cat", "cat"]),
        ["< @0 @1 2368 269 >", "< @2 @3 2368 269 >"]
    );
}

#[test]
fn parameters_are_counted_as_published() {
    let clip = Clip::random(
        &ClipConfig {
            text: TextConfig {
                width: 512,
                vocab_size: 8, // no word is looked up
                eot_token: 7,
                ..clip().config.text.clone()
            },
            ..clip().config.clone()
        },
        1,
    );
    let unified = CoOp::new(&CoOpConfig::default(), &clip, 10, 1).unwrap();
    assert_eq!(unified.parameter_count(), 8_192);
    assert_eq!(unified.parameters()[0].shape(), [16, 512]);
    let config = CoOpConfig {
        class_specific: true,
        ..CoOpConfig::default()
    };
    let specific = CoOp::new(&config, &clip, 10, 1).unwrap();
    assert_eq!(specific.parameter_count(), 81_920);
    let prompts = specific.adapt(&Pass::EVAL).unwrap().text.prompts.unwrap();
    assert_eq!(prompts.rows.shape(), [1, 160, 512]);
}

#[test]
fn words_start_the_context_with_their_embeddings() {
    let clip = clip();
    let config = CoOpConfig {
        init: "a photo of a".to_owned(),
        ..CoOpConfig::default()
    };
    let method = CoOp::new(&config, clip, 3, 1).unwrap();
    assert_eq!(method.context(), 4);
    let words = clip.text.token_embeddings(&[320, 1125, 539, 320]);
    assert_eq!(method.parameters()[0].values().unwrap(), words);
    let specific = CoOpConfig {
        class_specific: true,
        ..config.clone()
    };
    let method = CoOp::new(&specific, clip, 3, 1).unwrap();
    assert_eq!(method.parameters()[0].values().unwrap(), words.repeat(3));
    let error = CoOp::new(
        &CoOpConfig {
            context: Some(16),
            ..config
        },
        clip,
        3,
        1,
    )
    .unwrap_err();
    assert!(matches!(
        error,
        MethodError::InitLength {
            context: 16,
            tokens: 4,
            ..
        }
    ));
}

#[test]
fn random_contexts_depend_on_the_seed_alone() {
    let clip = clip();
    let values = |seed| {
        let method = CoOp::new(&options(4, Position::End), clip, 3, seed).unwrap();
        method.parameters()[0].values().unwrap()
    };
    assert_eq!(values(0), values(0));
    assert_ne!(values(0), values(1));
    assert!(values(0).iter().all(|v| v.abs() < 0.2));
}

#[test]
fn the_gradient_of_a_context_is_the_gradient_of_its_prompts() {
    let clip = clip();
    for class_specific in [false, true] {
        let config = CoOpConfig {
            class_specific,
            ..options(2, Position::End)
        };
        let method = CoOp::new(&config, clip, 3, 1).unwrap();
        let d: Vec<f32> = (0..method.parameter_count())
            .map(|i| i as f32 - 7.25)
            .collect();
        let adaptation = method.adapt(&Pass::EVAL).unwrap();
        let found = gradients(&adaptation, method.parameters(), Some(&d), None);
        assert_eq!(found, [d]);
    }
}

#[test]
fn a_prompt_that_does_not_fit_is_named() {
    let clip = clip();
    let long = vec!["bear"; 70].join(" ");
    let method = CoOp::new(&options(16, Position::End), clip, 1, 1).unwrap();
    let error = method.texts(&clip.tokenizer, &[long]).unwrap_err();
    assert!(error.to_string().contains("bear bear"), "{error}");
    // 70 for the name, 16, start, stop and end: 89 of 77.
    assert_eq!(
        error.hint().unwrap(),
        "use a context of at most 4 (coop.context), or shorten the class name"
    );
    assert!(CoOp::new(&options(75, Position::End), clip, 1, 1).is_err());
    assert!(CoOp::new(&options(0, Position::End), clip, 1, 1).is_err());
}

#[test]
fn names_without_a_token_and_wrong_class_counts_are_errors() {
    let clip = clip();
    let method = CoOp::new(&options(2, Position::End), clip, 2, 1).unwrap();
    let names = ["cat".to_owned(), " _ ".to_owned()];
    let error = method.texts(&clip.tokenizer, &names).unwrap_err();
    assert!(matches!(error, MethodError::EmptyName { index: 1, .. }));
    let config = CoOpConfig {
        class_specific: true,
        ..options(2, Position::End)
    };
    let method = CoOp::new(&config, clip, 3, 1).unwrap();
    let error = method.texts(&clip.tokenizer, &names[..1]).unwrap_err();
    assert!(matches!(
        error,
        MethodError::ClassCount {
            expected: 3,
            found: 1,
            ..
        }
    ));
}

fn held(weight: Option<f64>, form: Option<KgForm>, template: Option<&str>) -> CoOpConfig {
    CoOpConfig {
        kg_weight: weight,
        kg_form: form,
        kg_template: template.map(str::to_owned),
        ..options(2, Position::End)
    }
}

#[test]
fn a_context_is_held_near_the_frozen_model_where_a_weight_says_so() {
    let clip = clip();
    // cosines 0.6 and 1, squared distances 0.8 and 0
    let texts = Var::new(vec![1.0, 0.0, 0.0, 1.0], &[2, 2]).unwrap();
    let frozen = Tensor::new(vec![0.6, 0.8, 0.0, 1.0], &[2, 2]).unwrap();
    let features = Features {
        texts: texts.as_tensor(),
        frozen_texts: &frozen,
        images: None,
        scale: 1.0,
    };
    let names = ["cat", "polar_bear"].map(str::to_owned);
    let of = |config: &CoOpConfig| CoOp::new(config, clip, 2, 1).unwrap();
    for (form, expected) in [(None, 1.6), (Some(KgForm::Squared), 3.2)] {
        let method = of(&held(Some(8.0), form, None));
        let term = method.regulariser(&features).unwrap().unwrap();
        assert!((term.item().unwrap() - expected).abs() < 1e-6);
        let teacher = method.teacher(clip, &names).unwrap().unwrap();
        assert_eq!(teacher.len(), 2 * 8);
        let other = of(&held(Some(8.0), form, Some("{}, big.")));
        assert_ne!(other.teacher(clip, &names).unwrap().unwrap(), teacher);
    }
    for config in [held(None, None, None), held(Some(0.0), None, None)] {
        let method = of(&config);
        assert!(method.teacher(clip, &names).unwrap().is_none());
        assert!(method.regulariser(&features).unwrap().is_none());
    }
    // What is left out stays out of files.
    let written = serde_json::to_string(&CoOpConfig::default()).unwrap();
    assert!(!written.contains("kg_"), "{written}");
}

#[test]
fn what_holds_a_context_has_to_make_sense() {
    let squared = Some(KgForm::Squared);
    for (key, config) in [
        ("coop.kg_weight = -1", held(Some(-1.0), None, None)),
        ("coop.kg_weight = NaN", held(Some(f64::NAN), None, None)),
        ("coop.kg_form", held(None, squared, None)),
        ("coop.kg_template", held(None, None, Some("{}"))),
        ("\"it\"", held(Some(8.0), None, Some("it"))),
    ] {
        let error = CoOp::new(&config, clip(), 2, 1).unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
}
