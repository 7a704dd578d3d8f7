//! The linear probe: logistic regression on image features (Radford et al., "Learning transferable
//! visual models from natural language supervision", 2021, section 3.2).

mod fit;

use super::{LinearHead, Searched};
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result};

options! {
    /// Options of the linear probe.
    pub struct LinearProbeConfig = "linear_probe" {
        /// The inverse strength C of the L2 penalty `|W|^2 / (2 C)` beside the sum of the images'
        /// losses: a number, or `"search"` among 97 values from 1e-6 to 1e6.
        strength: Searched = Searched::SEARCH, "a number above 0, or search";
        /// Steps of L-BFGS at most.
        max_iterations: usize = 1000, "at least 1";
        /// Whether features are divided by their length first; published probes leave it.
        normalised: bool = false, "true or false";
    }
}

/// What the linear probe says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "linear-probe",
    summary: "baseline: logistic regression on image features",
    source: "Radford et al., \"Learning transferable visual models from natural language supervision\", 2021",
    good_for: "about 32 points over zero-shot on seven real sets, as many as GDA, whose fit is \
               quicker (mini-clip, 16 shots)",
    tables: &[&LinearProbeConfig::TABLE],
    report: Report {
        done: "A linear classifier was fitted to their features",
        holds: "logistic regression on image features, without any text",
    },
    needs: |_| Needs {
        validation: true,
        ..Needs::default()
    },
    check: |method| method.options::<LinearProbeConfig>().check(),
    fit: Fit::Head(fit::fit),
    weighs_classes: true,
    heads: &[LinearHead::READER],
    learns: Some(|_, size| size.classes * (size.embed + 1)),
    ..MethodSpec::BASE
};

impl From<LinearProbeConfig> for MethodConfig {
    fn from(options: LinearProbeConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl LinearProbeConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        super::searched::positive("linear_probe.strength", self.strength)?;
        if self.max_iterations == 0 {
            return Err(MethodError::Option {
                key: "linear_probe.max_iterations",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        Ok(())
    }
}
