//! ProLIP (Fahes et al., "CLIP's visual embedding projector is a few-shot cornucopia", 2024).
//!
//! The last matrix of the image tower is tuned, nothing else: with `x` what it is applied to, `t` the
//! zero-shot text features of length one, and W the projection, which starts as the model's W0,
//!
//! ```text
//! loss = cross entropy of  scale * norm(x W) . t  +  lambda |W - W0|^2
//! ```
//!
//! No tower is in the loop: `x` is computed once for a number of random views of each image, and an
//! epoch is one step of Adam on all images in one of them. What comes out is a projection, so names
//! of other classes go into the same templates.

mod config;
mod fit;
mod objective;
mod steps;

use crate::{Fit, MethodConfig, MethodSpec, Needs, Report};

pub use config::{Lambda, LambdaRule, ProLipConfig};
pub use objective::{ProjectionLoss, ProjectionObjective};

/// What ProLIP says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "prolip",
    summary: "the image tower's last projection, tuned on cached features",
    source: "Fahes et al., \"CLIP's visual embedding projector is a few-shot cornucopia\", 2024",
    good_for: "about 13 points over zero-shot on seven real sets, at a rate that suits the model \
               (mini-clip, 16 shots)",
    tables: &[&ProLipConfig::TABLE],
    report: Report {
        done: "The last projection of the image tower was tuned to class names in templates",
        holds: "another projection of image features beside class names in templates",
    },
    needs: |_| Needs {
        unprojected: true,
        open_classes: true,
        ..Needs::default()
    },
    check: |method| method.options::<ProLipConfig>().check(),
    fit: Fit::Head(fit::fit),
    learns: Some(|_, size| size.width * size.embed),
    ..MethodSpec::BASE
};

impl From<ProLipConfig> for MethodConfig {
    fn from(options: ProLipConfig) -> Self {
        Self::of(&SPEC, options)
    }
}
