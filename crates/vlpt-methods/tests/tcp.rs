//! TCP: where its context and its classes' rows stand, how rows are made, and their gradients.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, named, tiny};
use vlpt_autograd::{Tensor, Var};
use vlpt_clip::{Clip, PromptToken, Tokenizer};
use vlpt_methods::{
    Features, Method, MethodConfig, MethodError, Parameter, Pass, Tcp, TcpConfig,
    frozen_class_features,
};

const NAMES: [&str; 2] = ["cat", "polar_bear"];

/// A random model of 3 blocks with the published vocabulary, and its tokenizer.
fn clip() -> Clip {
    Clip {
        tokenizer: Tokenizer::openai(),
        ..tiny()
    }
}

fn tcp(config: &TcpConfig, clip: &Clip) -> Tcp {
    Tcp::new(config, clip, 1).unwrap()
}

fn given(classes: &Tensor) -> Pass<'_> {
    Pass {
        classes: Some(classes),
        ..Pass::EVAL
    }
}

/// `@0` is a learned row, a number is a token.
fn spell(config: &TcpConfig, name: &str) -> String {
    let clip = clip();
    let texts = tcp(config, &clip).texts(&clip.tokenizer, &classes(&[name]));
    let word = |slot: &PromptToken| match slot {
        PromptToken::Token(49406) => "<".to_owned(),
        PromptToken::Token(49407) => ">".to_owned(),
        PromptToken::Token(id) => id.to_string(),
        PromptToken::Learned(row) => format!("@{row}"),
    };
    let words: Vec<String> = texts.unwrap()[0].iter().map(word).collect();
    words.join(" ")
}

#[test]
fn the_context_stands_before_the_name_and_what_belongs_to_the_data_behind_it() {
    // "cat" is 2368, "polar bear" 12214 4298, the full stop 269.
    let plain = TcpConfig::default();
    assert_eq!(spell(&plain, "cat"), "< @0 @1 @2 @3 2368 269 >");
    assert_eq!(
        spell(&plain, "polar_bear"),
        "< @0 @1 @2 @3 12214 4298 269 >"
    );
    // "person doing" is 2533 1960, before the name; ", a pet" 267 320 3703
    let of = |template: &str| TcpConfig {
        context: Some(2),
        template: template.to_owned(),
        ..TcpConfig::default()
    };
    assert_eq!(
        spell(&of("person doing {}."), "cat"),
        "< @0 @1 2533 1960 2368 269 >"
    );
    assert_eq!(
        spell(&of("{}, a pet."), "cat"),
        "< @0 @1 2368 267 320 3703 269 >"
    );
}

#[test]
fn rows_of_a_class_are_two_layers_of_its_text_alone() {
    let clip = clip();
    let config = TcpConfig {
        hidden: Some(3),
        ..TcpConfig::default()
    };
    let method = tcp(&config, &clip);
    assert!(method.needs().frozen_class_features);
    let names = classes(&NAMES);
    let features = frozen_class_features(&method, &clip, &names)
        .unwrap()
        .unwrap();
    let adaptation = method.adapt(&given(&features)).unwrap();
    let (text, own) = (adaptation.text.prompts, adaptation.text.text_rows.unwrap());
    assert_eq!(text.unwrap().rows.to_vec(), named(&method, "ctx"));
    assert_eq!((own.rows.shape(), own.block), (&[2, 4, 16][..], 2));
    assert_eq!(method.text_plan().text_rows.unwrap().block, 2);
    assert!(adaptation.visual.is_empty());

    let layer = |name: &str, x: &[f32]| -> Vec<f32> {
        let weight = named(&method, &format!("meta_net.{name}.weight"));
        let bias = named(&method, &format!("meta_net.{name}.bias"));
        let rows = weight.chunks(x.len()).zip(bias);
        rows.map(|(row, bias)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias)
            .collect()
    };
    let mut expected = Vec::new();
    for feature in features.to_vec().chunks(8) {
        let mut hidden = layer("linear1", feature);
        for h in &mut hidden {
            *h /= 1.0 + (-1.702 * *h).exp();
        }
        expected.extend(layer("linear2", &hidden));
    }
    for (found, expected) in own.rows.to_vec().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    // Another list of classes: the same rows for the same names, made of nothing but their texts.
    let others = classes(&["a dog", "polar_bear", "tree"]);
    let features = frozen_class_features(&method, &clip, &others)
        .unwrap()
        .unwrap();
    let adaptation = method.adapt(&given(&features)).unwrap();
    let found = adaptation.text.text_rows.unwrap().rows.to_vec();
    assert_eq!(found.len(), 3 * 4 * 16);
    for (found, expected) in found[64..128].iter().zip(&expected[64..]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn gradients_are_those_of_a_loss_behind_the_towers_at_every_block() {
    let clip = clip();
    let objective = Objective::new(&clip);
    for (context, block, hidden) in [
        (4, None, None),
        (1, Some(1), Some(5)),
        (3, Some(2), Some(1)),
    ] {
        let config = TcpConfig {
            context: Some(context),
            block,
            hidden,
            ..TcpConfig::default()
        };
        let method = tcp(&config, &clip);
        let names = classes(&NAMES);
        let features = frozen_class_features(&method, &clip, &names)
            .unwrap()
            .unwrap();
        objective.check(&method, &given(&features));
    }
}

#[test]
fn the_term_of_the_loss_is_a_cosine_distance_with_its_gradient() {
    let clip = clip();
    let tensor = |values: &[f32]| Tensor::new(values.to_vec(), &[2, 2]).unwrap();
    // cosines 0.6 and 1
    let texts = Var::new(vec![1.0, 0.0, 0.0, 1.0], &[2, 2]).unwrap();
    let frozen = tensor(&[0.6, 0.8, 0.0, 1.0]);
    let features = Features {
        texts: texts.as_tensor(),
        frozen_texts: &frozen,
        images: None,
        scale: 1.0,
    };
    let of = |weight: f64| {
        let config = TcpConfig {
            weight,
            ..TcpConfig::default()
        };
        tcp(&config, &clip).regulariser(&features).unwrap()
    };
    let term = of(8.0).unwrap();
    assert!((term.item().unwrap() - 1.6).abs() < 1e-6);
    let gradients = term.backward().unwrap();
    for (found, frozen) in gradients.get(&texts).unwrap().iter().zip(frozen.to_vec()) {
        assert!((found + 4.0 * frozen).abs() < 1e-6, "{found} {frozen}");
    }
    assert!(of(0.0).is_none());
}

#[test]
fn the_context_starts_as_words_or_at_random_and_the_network_as_pytorchs() {
    let clip = clip();
    let method = tcp(&TcpConfig::default(), &clip);
    let names: Vec<&str> = method.parameters().iter().map(Parameter::name).collect();
    let layers = [
        "linear1.weight",
        "linear1.bias",
        "linear2.weight",
        "linear2.bias",
    ];
    let expected: Vec<String> = layers.map(|name| format!("meta_net.{name}")).to_vec();
    assert_eq!(names[0], "ctx");
    assert_eq!(names[1..], expected);
    let within = |name: &str, bound: f32| named(&method, name).iter().all(|v| v.abs() <= bound);
    assert!(within("ctx", 0.15), "N(0, 0.02)");
    assert!(within("meta_net.linear1.weight", 1.0 / 8f32.sqrt()));
    assert!(within("meta_net.linear2.bias", 1.0 / 2f32.sqrt()));
    let words = TcpConfig {
        init: "a photo of a".to_owned(),
        ..TcpConfig::default()
    };
    let embeddings = clip.text.token_embeddings(&[320, 1125, 539, 320]);
    assert_eq!(named(&tcp(&words, &clip), "ctx"), embeddings);
    assert_ne!(
        named(&Tcp::new(&TcpConfig::default(), &clip, 2).unwrap(), "ctx"),
        named(&method, "ctx")
    );
}

#[test]
fn what_it_cannot_work_with_is_refused() {
    let clip = clip();
    let method = tcp(&TcpConfig::default(), &clip);
    let error = method.adapt(&Pass::EVAL).unwrap_err().to_string();
    assert_eq!(
        error,
        "tcp makes rows of the classes' texts: expected their features (classes x 8), found none"
    );
    let wide = Tensor::zeros(&[2, 9]).unwrap();
    let error = method.adapt(&given(&wide)).unwrap_err().to_string();
    assert!(error.ends_with("found [2, 9]"), "{error}");
    let names = classes(&["cat", " _ "]);
    let error = method.texts(&clip.tokenizer, &names).unwrap_err();
    assert!(matches!(error, MethodError::EmptyName { index: 1, .. }));
    let long = classes(&[&vec!["bear"; 71].join(" ")]);
    let error = method.texts(&clip.tokenizer, &long).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "use a context of at most 3 (tcp.context), or shorten the class name"
    );
    let mut sizes = common::sizes(16, 12, 1, 4);
    sizes.text.vocab_size = 8;
    sizes.text.eot_token = 7;
    let error = Tcp::new(&TcpConfig::default(), &Clip::random(&sizes, 1), 1).unwrap_err();
    assert!(error.to_string().contains("tcp.block = 1"), "{error}");
    assert!(serde_json::from_str::<MethodConfig>(r#"{"tcp": {"layers": 3}}"#).is_err());
}
