//! CoOp against PyTorch (`tests/golden/make_coop.py`).

use std::collections::BTreeMap;

use vlpt_clip::Clip;
use vlpt_methods::{CoOpConfig, MethodConfig, Position};

use super::{Example, Given, assert_curve, formula_features};

const IMAGES: usize = 10;

#[test]
fn fifty_steps_have_pytorchs_loss_curve_for_every_class_position() {
    let golden: BTreeMap<String, Vec<f64>> =
        serde_json::from_str(include_str!("../../../tests/golden/coop.json")).unwrap();
    let clip = Clip::mini();
    let example = Example::new(
        IMAGES,
        "[train]\nepochs = 50\nbatch_size = 10\nlr = 0.02\n[compute]\ncheckpoint_seconds = 3600",
    );
    for (name, position) in [
        ("end", Position::End),
        ("middle", Position::Middle),
        ("front", Position::Front),
    ] {
        let method = MethodConfig::from(CoOpConfig {
            init: "a photo of a".to_owned(),
            position,
            ..CoOpConfig::default()
        });
        let method = example.method(&clip, &method);
        let given = Given::Features(formula_features(IMAGES, 256));
        let (losses, _) = example.train(&clip, method, given);
        assert_curve(name, &losses, &golden[name]);
    }
}
