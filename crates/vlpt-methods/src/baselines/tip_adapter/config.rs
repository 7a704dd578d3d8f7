//! Options of Tip-Adapter and Tip-Adapter-F.

use super::super::{Searched, TemplateChoice};
use crate::{MethodError, Result};

/// Values of alpha and of beta that are tried at most.
const MOST_STEPS: usize = 1000;

options! {
    /// Options of [`TipAdapter`](super::TipAdapter).
    pub struct TipAdapterConfig = "tip_adapter" {
        /// Read from older files, which told Tip-Adapter-F by it; never written.
        #[serde(skip_serializing)]
        finetune: bool = false, "false; true in older files of the other of the two";
        /// Weight of the cache beside the zero-shot logits: a number, or `"search"`.
        alpha: Searched = Searched::SEARCH, "a number above 0, or search";
        /// Sharpness of the cache: a number, or `"search"`.
        beta: Searched = Searched::SEARCH, "a number above 0, or search";
        /// Alpha while keys are trained, and where nothing can choose one.
        init_alpha: f64 = 1.0, "above 0";
        /// Beta while keys are trained, and where nothing can choose one.
        init_beta: f64 = 5.5, "above 0";
        /// Upper ends of the grids that beta and alpha are searched on; both begin at 0.1.
        search_scale: [f64; 2] = [7.0, 3.0], "above 0.1";
        /// Numbers of values of beta and alpha on their grids.
        search_step: [usize; 2] = [200, 20], "at least 1";
        /// Templates of the zero-shot logits.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
        /// Passes over the training images, to train keys.
        epochs: usize = 20, "at least 1";
        /// Learning rate of the first step; half a cosine brings it to 0.
        lr: f64 = 1e-3, "above 0";
        /// Images in a step.
        batch_size: usize = 256, "at least 1";
        /// Weight decay of AdamW.
        weight_decay: f64 = 0.01, "0 or more";
        /// Added to the denominator of AdamW.
        eps: f64 = 1e-4, "above 0";
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
        for steps in self.search_step {
            need(
                steps <= MOST_STEPS,
                "tip_adapter.search_step",
                steps,
                "at most 1000 values of each",
            )?;
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
