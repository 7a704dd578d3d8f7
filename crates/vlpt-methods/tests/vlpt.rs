//! A context and visual prompts side by side are the two methods, and nothing else.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, text_values, tiny, visual_values};
use vlpt_methods::{
    Build, CoOp, CoOpConfig, Depth, Method, MethodConfig, Pass, Position, Vlpt, Vpt, VptConfig,
};

fn parts() -> (CoOpConfig, VptConfig) {
    let coop = CoOpConfig {
        context: Some(3),
        position: Position::Middle,
        ..CoOpConfig::default()
    };
    let vpt = VptConfig {
        count: 2,
        depth: Depth::Layers(2),
        project: 5,
        dropout: 0.2,
        ..VptConfig::default()
    };
    (coop, vpt)
}

#[test]
fn both_sides_start_and_stand_as_they_do_alone() {
    let clip = tiny();
    let (coop, vpt) = parts();
    for class_specific in [false, true] {
        let coop = CoOpConfig {
            class_specific,
            ..coop.clone()
        };
        let both = Vlpt::new(&coop, &vpt, &clip, 2, 9).unwrap();
        let text = CoOp::new(&coop, &clip, 2, 9).unwrap();
        let visual = Vpt::new(&vpt, &clip.config, 9).unwrap();
        let alone: Vec<_> = [text.parameters(), visual.parameters()].concat();
        assert_eq!(both.parameters().len(), alone.len());
        for (found, expected) in both.parameters().iter().zip(&alone) {
            assert_eq!(found.name(), expected.name());
            assert_eq!(found.values().unwrap(), expected.values().unwrap());
        }
        let names = classes(&["cat", "polar_bear"]);
        assert_eq!(
            both.texts(&clip.tokenizer, &names).unwrap(),
            text.texts(&clip.tokenizer, &names).unwrap()
        );
        let pass = Pass {
            step: Some((9, 4)),
            ..Pass::EVAL
        };
        let found = both.adapt(&pass).unwrap();
        assert_eq!(
            text_values(&found),
            text_values(&text.adapt(&pass).unwrap())
        );
        assert_eq!(
            visual_values(&found),
            visual_values(&visual.adapt(&pass).unwrap())
        );
    }
}

#[test]
fn a_changed_parameter_changes_the_prompts() {
    let clip = tiny();
    let (coop, vpt) = parts();
    let both = Vlpt::new(&coop, &vpt, &clip, 2, 9).unwrap();
    let values = || {
        let adaptation = both.adapt(&Pass::EVAL).unwrap();
        (text_values(&adaptation), visual_values(&adaptation))
    };
    let before = values();
    for parameter in both.parameters() {
        parameter.set(&vec![0.5; parameter.len()]).unwrap();
    }
    let after = values();
    assert!(after.0.iter().all(|&v| v == 0.5) && after.0 != before.0);
    assert_ne!(after.1, before.1);
}

#[test]
fn gradients_of_both_sides_are_those_of_a_loss_behind_both_towers() {
    let clip = tiny();
    let (coop, vpt) = parts();
    let both = Vlpt::new(&coop, &vpt, &clip, 2, 9).unwrap();
    let pass = Pass {
        step: Some((9, 4)),
        ..Pass::EVAL
    };
    Objective::new(&clip).check(&both, &pass);
}

#[test]
fn a_configuration_holds_the_options_of_both() {
    let (coop, vpt) = parts();
    let config = MethodConfig::from((coop, vpt));
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<MethodConfig>(&text).unwrap(),
        config,
        "{text}"
    );
    assert!(serde_json::from_str::<MethodConfig>(r#"{"vlpt": {"cop": {}}}"#).is_err());
    let method = config
        .build(&Build {
            clip: &tiny(),
            classes: 2,
            seed: 1,
        })
        .unwrap();
    assert_eq!((config.name(), method.name()), ("vlpt", "vlpt"));
    assert!(!config.is_baseline());
}
