//! Options of Tip-Adapter and Tip-Adapter-F.

use serde::{Deserialize, Serialize};

use super::super::{Searched, TemplateChoice};
use crate::{MethodError, Result};

/// Options of [`TipAdapter`](super::TipAdapter).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TipAdapterConfig {
    /// Train the keys (Tip-Adapter-F).
    pub finetune: bool,
    /// Weight of the cache beside the zero-shot logits: a number, or `"search"`.
    pub alpha: Searched,
    /// Sharpness of the cache: a number, or `"search"`.
    pub beta: Searched,
    /// Alpha while keys are trained, and where nothing can choose one.
    pub init_alpha: f64,
    /// Beta while keys are trained, and where nothing can choose one.
    pub init_beta: f64,
    /// Upper ends of the grids that beta and alpha are searched on; both begin at 0.1.
    pub search_scale: [f64; 2],
    /// Numbers of values of beta and alpha on their grids.
    pub search_step: [usize; 2],
    /// Templates of the zero-shot logits.
    pub templates: TemplateChoice,
    /// Passes over the training images, to train keys.
    pub epochs: usize,
    /// Learning rate of the first step; half a cosine brings it to 0.
    pub lr: f64,
    /// Images in a step.
    pub batch_size: usize,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// Added to the denominator of AdamW.
    pub eps: f64,
}

impl Default for TipAdapterConfig {
    fn default() -> Self {
        Self {
            finetune: false,
            alpha: Searched::SEARCH,
            beta: Searched::SEARCH,
            init_alpha: 1.0,
            init_beta: 5.5,
            search_scale: [7.0, 3.0],
            search_step: [200, 20],
            templates: TemplateChoice::Ensemble,
            epochs: 20,
            lr: 1e-3,
            batch_size: 256,
            weight_decay: 0.01,
            eps: 1e-4,
        }
    }
}

impl TipAdapterConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        super::super::searched::positive("tip_adapter.alpha", self.alpha)?;
        super::super::searched::positive("tip_adapter.beta", self.beta)?;
        let above = |low: f64| move |v: f64| v.is_finite() && v > low;
        for (key, value, fits, expected) in [
            (
                "tip_adapter.init_alpha",
                self.init_alpha,
                above(0.0),
                "a number above 0",
            ),
            (
                "tip_adapter.init_beta",
                self.init_beta,
                above(0.0),
                "a number above 0",
            ),
            (
                "tip_adapter.search_scale",
                self.search_scale[0],
                above(0.1),
                "numbers above 0.1",
            ),
            (
                "tip_adapter.search_scale",
                self.search_scale[1],
                above(0.1),
                "numbers above 0.1",
            ),
            ("tip_adapter.lr", self.lr, above(0.0), "a number above 0"),
            ("tip_adapter.eps", self.eps, above(0.0), "a number above 0"),
        ] {
            need(fits(value), key, value, expected)?;
        }
        let decay = self.weight_decay;
        need(
            decay.is_finite() && decay >= 0.0,
            "tip_adapter.weight_decay",
            decay,
            "0 or more",
        )?;
        for (key, value) in [
            ("tip_adapter.search_step", self.search_step[0]),
            ("tip_adapter.search_step", self.search_step[1]),
            ("tip_adapter.epochs", self.epochs),
            ("tip_adapter.batch_size", self.batch_size),
        ] {
            need(value >= 1, key, value, "at least 1")?;
        }
        Ok(())
    }
}

fn need(
    condition: bool,
    key: &'static str,
    found: impl std::fmt::Display,
    expected: &str,
) -> Result<()> {
    if condition {
        return Ok(());
    }
    Err(MethodError::Option {
        key,
        found: found.to_string(),
        expected: expected.to_owned(),
    })
}
