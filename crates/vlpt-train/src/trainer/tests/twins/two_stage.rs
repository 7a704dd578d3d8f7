//! The two stages of 2SFS against PyTorch (`tests/golden/make_two_stage_twins.py`).

use std::collections::BTreeMap;

use vlpt_methods::{MethodConfig, Norms, TwoStageConfig};

use super::{IMAGES, pixels, start};
use crate::trainer::tests::{Example, Given, assert_curve, small};

#[test]
fn two_stages_have_pytorchs_loss_curve() {
    let golden = include_str!("../../../../tests/golden/two_stage.json");
    let golden: BTreeMap<String, Vec<f64>> = serde_json::from_str(golden).unwrap();
    let settings = "[train]\nsteps = 50\nbatch_size = 8\noptimizer = \"adamw\"\nlr = 0.01\n\
                    weight_decay = 1e-2\nschedule_by = \"step\"\nlr_min = 1e-3\nwarmup = \"none\"\n\
                    [compute]\ncheckpoint_seconds = 3600";
    for (name, norms) in [("blocks", Norms::Blocks), ("all", Norms::All)] {
        let clip = small();
        let example = Example::new(IMAGES, settings);
        let method = MethodConfig::from(TwoStageConfig {
            norms,
            ..TwoStageConfig::default()
        });
        let method = example.method(&clip, &method);
        start(method.as_ref());
        let given = Given::Pixels((0..IMAGES).map(pixels).collect());
        let (losses, parameters) = example.train(&clip, method, given);
        assert_curve(name, &losses, &golden[name]);
        // four classes, thirty-two numbers each
        assert_eq!(parameters["class_features"].len(), 4 * 32);
    }
}
