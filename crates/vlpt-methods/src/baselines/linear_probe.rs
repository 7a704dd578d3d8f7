//! The linear probe: logistic regression on image features (Radford et al., "Learning transferable
//! visual models from natural language supervision", 2021, section 3.2).

use serde::{Deserialize, Serialize};

use super::Searched;
use crate::{MethodError, Result};

/// Options of the linear probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearProbeConfig {
    /// The inverse strength C of the L2 penalty `|W|^2 / (2 C)` beside the sum of the images'
    /// losses: a number, or `"search"` among 97 values from 1e-6 to 1e6.
    pub strength: Searched,
    /// Steps of L-BFGS at most.
    pub max_iterations: usize,
    /// Whether features are divided by their length first; published probes leave it.
    pub normalised: bool,
}

impl Default for LinearProbeConfig {
    fn default() -> Self {
        Self {
            strength: Searched::SEARCH,
            max_iterations: 1000,
            normalised: false,
        }
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
