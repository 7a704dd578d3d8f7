//! Recipes of methods by protocol.

use super::*;
use crate::protocol;

fn wished(methods: &[&str], settings: &[&str], of: &str) -> Result<Vec<BenchMethod>> {
    let own = |all: &[&str]| -> Vec<String> { all.iter().map(ToString::to_string).collect() };
    let (methods, settings) = (own(methods), own(settings));
    let wishes = Wishes {
        model: vlpt_train::DEFAULT_MODEL,
        methods: &methods,
        settings: &settings,
        ..Wishes::default()
    };
    wishes.resolve(protocol(of).unwrap())
}

#[test]
fn a_method_follows_the_recipe_of_its_protocol_or_the_one_that_is_named() {
    let first = METHODS[0].name;
    let all = wished(&[first, "mine=quick-csc"], &["mine:train.lr=0.5"], "coop").unwrap();
    assert_eq!(all[0].from, Some(format!("{first}-paper")));
    assert_eq!(
        (all[1].name.as_str(), all[1].from.as_deref()),
        ("mine", Some("quick-csc"))
    );
    assert_eq!(all[1].recipe["train"]["lr"], json!(0.5));
    assert_ne!(all[0].recipe["train"]["lr"], json!(0.5));
    let other = wished(&[first], &[], "base-to-new").unwrap();
    assert_eq!(other[0].from, Some(format!("{first}-base2new")));
}

#[test]
fn imagenet_has_the_recipe_of_its_own_with_the_users_settings_over_it() {
    let first = METHODS[0].name;
    for of in ["coop", "domain"] {
        let all = wished(&[first], &["train.lr=0.5"], of).unwrap();
        let own = all[0].imagenet_recipe.as_ref().unwrap();
        assert_eq!(own["train"]["epochs"], json!(50), "{of}");
        assert_eq!(own["train"]["lr"], json!(0.5));
        assert_ne!(all[0].recipe["train"]["epochs"], json!(50));
    }
    let other = wished(&["mine=quick-csc"], &[], "coop").unwrap();
    assert_eq!(other[0].imagenet_recipe, None);
}

#[test]
fn what_a_protocol_cannot_ask_of_a_method_is_refused_with_its_name() {
    let first = METHODS[0].name;
    let closed = METHODS.iter().find(|spec| {
        let config = vlpt_methods::MethodConfig::new(spec);
        config.is_baseline() && !config.needs().open_classes
    });
    let closed = closed.unwrap().name;
    for (methods, settings, of, what) in [
        (&["mine=quick-csc"][..], &[][..], "base-to-new", "no others"),
        (&[closed], &[], "cross-dataset", "no others"),
        (&[closed], &[], "cross-task", "learns no prompt"),
        (&[untuned().name], &[], "coop", "compared with anyway"),
        (&["no-such"], &[], "coop", "is no method"),
        (&[first, first], &[], "coop", "twice"),
        (
            &[first],
            &["other:train.lr=1"],
            "coop",
            "which is no method here",
        ),
    ] {
        let error = wished(methods, settings, of).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_source_stage_has_the_recipe_of_its_own_data() {
    let method = &wished(&[METHODS[0].name], &[], "cross-task").unwrap()[0];
    assert_eq!(method.recipe["few_shot"]["rule"], json!("elevater"));
    assert_eq!(method.source_recipe["few_shot"]["rule"], json!("coop"));
    let method = &wished(&[METHODS[0].name], &[], "elevater").unwrap()[0];
    assert_eq!(method.source_recipe["train"]["batch_size"], json!(64));
    assert_eq!(method.source_recipe["train"]["shuffle"], json!(false));
}
