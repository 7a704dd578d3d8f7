//! MaPLe: where its prompts stand, what they start from, and their gradients through both towers.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, named, sizes, tiny};
use vlpt_clip::{Clip, PromptToken, Tokenizer, TowerAdaptation, VisualPlace};
use vlpt_methods::{MaPLe, MaPLeConfig, Method, MethodConfig, MethodError, Parameter, Pass};

/// A random model with the published vocabulary, and the tokenizer that belongs to it.
fn clip() -> Clip {
    Clip {
        tokenizer: Tokenizer::openai(),
        ..tiny()
    }
}

fn config(context: usize, depth: usize, init: &str) -> MaPLeConfig {
    MaPLeConfig {
        context,
        depth: Some(depth),
        init: init.to_owned(),
    }
}

/// `@0` is a learned row, a number is a token.
fn spell(config: &MaPLeConfig, names: &[&str]) -> Vec<String> {
    let clip = clip();
    let method = MaPLe::new(config, &clip, 1).unwrap();
    let word = |slot: &PromptToken| match slot {
        PromptToken::Token(49406) => "<".to_owned(),
        PromptToken::Token(49407) => ">".to_owned(),
        PromptToken::Token(id) => id.to_string(),
        PromptToken::Learned(row) => format!("@{row}"),
    };
    let texts = method.texts(&clip.tokenizer, &classes(names)).unwrap();
    texts
        .iter()
        .map(|text| text.iter().map(word).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn words_that_are_not_learned_stay_before_the_class_name() {
    // "a photo of a" is 320 1125 539 320, "cat" 2368, "polar bear" 12214 4298, the full stop 269.
    assert_eq!(
        spell(&MaPLeConfig::default(), &["cat", "polar_bear"]),
        [
            "< @0 @1 539 320 2368 269 >",
            "< @0 @1 539 320 12214 4298 269 >"
        ]
    );
    assert_eq!(
        spell(&config(4, 2, "a photo of a"), &["cat"]),
        ["< @0 @1 @2 @3 2368 269 >"]
    );
    assert_eq!(
        spell(&config(1, 1, "a_photo_of_a"), &["cat"]),
        ["< @0 1125 539 320 2368 269 >"]
    );
    assert_eq!(
        spell(&config(3, 3, ""), &["cat"]),
        ["< @0 @1 @2 2368 269 >"]
    );
}

#[test]
fn the_first_blocks_of_both_towers_get_prompts() {
    let clip = clip();
    let method = MaPLe::new(&config(2, 2, "a photo of a"), &clip, 1).unwrap();
    assert_eq!((method.context(), method.depth()), (2, 2));
    assert_eq!(method.text_plan().blocks, 2);
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    let text = adaptation.text.prompts.as_ref().unwrap();
    let visual = adaptation.visual.prompts.as_ref().unwrap();
    assert_eq!(text.rows.shape(), [2, 2, 16]);
    assert_eq!(visual.rows.shape(), [2, 2, 12]);
    assert_eq!((text.first, visual.first), (0, 0));
    assert_eq!(visual.place, VisualPlace::BeforeLnPre);

    // text prompts are the parameters as they are; visual ones W t + b of those of their block
    let (ctx, deep) = (
        named(&method, "ctx"),
        named(&method, "compound_prompts_text.0"),
    );
    assert_eq!(text.rows.to_vec(), [ctx.clone(), deep.clone()].concat());
    let mut expected = Vec::new();
    for (prompts, layer) in [(ctx, "proj"), (deep, "compound_prompt_projections.0")] {
        let weight = named(&method, &format!("{layer}.weight"));
        let bias = named(&method, &format!("{layer}.bias"));
        for prompt in prompts.chunks(16) {
            expected.extend(weight.chunks(16).zip(&bias).map(|(row, bias)| {
                let product: f32 = row.iter().zip(prompt).map(|(w, t)| w * t).sum();
                product + bias
            }));
        }
    }
    for (found, expected) in visual.rows.to_vec().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn the_context_starts_as_words_and_all_other_layers_as_copies_of_one() {
    let clip = clip();
    let method = MaPLe::new(&config(2, 3, "a photo of a"), &clip, 1).unwrap();
    let names: Vec<&str> = method.parameters().iter().map(Parameter::name).collect();
    assert_eq!(
        names,
        [
            "ctx",
            "proj.weight",
            "proj.bias",
            "compound_prompts_text.0",
            "compound_prompts_text.1",
            "compound_prompt_projections.0.weight",
            "compound_prompt_projections.0.bias",
            "compound_prompt_projections.1.weight",
            "compound_prompt_projections.1.bias",
        ]
    );
    let words = clip.text.token_embeddings(&[320, 1125]);
    assert_eq!(named(&method, "ctx"), words);
    for part in ["weight", "bias"] {
        let of = |layer: &str| named(&method, &format!("{layer}.{part}"));
        let copy = of("compound_prompt_projections.0");
        assert_eq!(copy, of("compound_prompt_projections.1"));
        assert_ne!(copy, of("proj"));
        assert!(copy.iter().all(|v| v.abs() <= 0.25), "1 / sqrt(16)");
    }
    let deep = |i| named(&method, &format!("compound_prompts_text.{i}"));
    assert_ne!(deep(0), deep(1));
    let other = MaPLe::new(&config(2, 3, "a photo of a"), &clip, 2).unwrap();
    assert_eq!(named(&other, "ctx"), words);
    assert_ne!(named(&other, "compound_prompts_text.0"), deep(0));
}

#[test]
fn depth_is_nine_or_what_both_towers_have() {
    let of = |text: usize, vision: usize| {
        let mut sizes = sizes(16, 12, 1, 4);
        (sizes.text.layers, sizes.vision.layers) = (text, vision);
        let clip = Clip::random(&sizes, 1);
        let config = MaPLeConfig {
            init: String::new(),
            ..MaPLeConfig::default()
        };
        MaPLe::new(&config, &clip, 1).unwrap().depth()
    };
    assert_eq!(of(12, 24), 9);
    assert_eq!(of(2, 5), 2);
    assert_eq!(of(5, 3), 3);
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_towers() {
    let clip = clip();
    let objective = Objective::new(&clip);
    for (context, depth, init) in [(2, 3, "a photo of a"), (2, 2, ""), (1, 1, "a photo of a")] {
        let method = MaPLe::new(&config(context, depth, init), &clip, 1).unwrap();
        objective.check(&method, &Pass::EVAL);
    }
}

/// The towers give what they give for the same rows, chosen by hand: nothing else is changed.
#[test]
fn prompts_that_are_the_words_themselves_leave_the_texts_as_they_are() {
    let clip = clip();
    let method = MaPLe::new(&config(2, 1, "a photo of a"), &clip, 1).unwrap();
    let names = classes(&["cat", "polar_bear"]);
    let texts = method.texts(&clip.tokenizer, &names).unwrap();
    let values = method.adapt(&Pass::EVAL).unwrap().text.values().unwrap();
    let tuned = clip.text.features(&texts, &values.for_tower(&[]));
    let plain: Vec<Vec<PromptToken>> = ["a photo of a cat.", "a photo of a polar bear."]
        .map(|text| {
            let ids = clip.tokenizer.encode(text).unwrap();
            ids.into_iter().map(PromptToken::Token).collect()
        })
        .to_vec();
    let plain = clip.text.features(&plain, &TowerAdaptation::NONE);
    for (tuned, plain) in tuned.iter().zip(&plain) {
        assert!((tuned - plain).abs() < 1e-5, "{tuned} {plain}");
    }
}

#[test]
fn options_and_names_that_do_not_fit_are_refused() {
    let clip = clip();
    let error = |config: MaPLeConfig| MaPLe::new(&config, &clip, 1).unwrap_err().to_string();
    assert_eq!(
        error(config(5, 2, "a photo of a")),
        "maple.context = 5: expected 1 to 4, as maple.init has that many tokens \
         (maple.init = \"\": a random start)"
    );
    assert_eq!(
        error(config(75, 2, "")),
        "maple.context = 75: expected 1 to 74, with this text tower"
    );
    assert!(MaPLe::new(&config(0, 2, ""), &clip, 1).is_err());
    assert_eq!(
        error(config(2, 4, "")),
        "maple.depth = 4: expected 1 to 3, the blocks that both towers have"
    );
    assert!(MaPLe::new(&config(2, 0, ""), &clip, 1).is_err());

    let method = MaPLe::new(&config(2, 2, "a photo of a"), &clip, 1).unwrap();
    let long = vec![vec!["bear"; 71].join(" ")];
    let error = method.texts(&clip.tokenizer, &long).unwrap_err();
    // 71 for the name, 4 words, start, stop and end: 78 of 77
    assert_eq!(
        error.hint().unwrap(),
        "use a context of at most 3 (maple.init), or shorten the class name"
    );
    let random = MaPLe::new(&config(5, 2, ""), &clip, 1).unwrap();
    let error = random.texts(&clip.tokenizer, &long).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "use a context of at most 3 (maple.context), or shorten the class name"
    );
    let error = method
        .texts(&clip.tokenizer, &classes(&["cat", " _ "]))
        .unwrap_err();
    assert!(matches!(error, MethodError::EmptyName { index: 1, .. }));
}

#[test]
fn options_are_read_from_json_and_what_is_left_out_is_built_in() {
    let config: MethodConfig = serde_json::from_str(r#"{"maple": {"depth": 3}}"#).unwrap();
    let expected = MaPLeConfig {
        depth: Some(3),
        ..MaPLeConfig::default()
    };
    assert_eq!(config, MethodConfig::from(expected));
    assert!(config.needs().pixels);
    assert!(serde_json::from_str::<MethodConfig>(r#"{"maple": {"layers": 3}}"#).is_err());
}
