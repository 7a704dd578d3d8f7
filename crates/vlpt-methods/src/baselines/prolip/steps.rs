//! The steps of ProLIP.

use std::f64::consts::PI;

use vlpt_clip::Observer;
use vlpt_optim::{AdamW, Optimizer};

use super::{ProLipConfig, ProjectionObjective};
use crate::head::{FitEpoch, Unprojected};
use crate::{MethodError, Result};

impl ProjectionObjective<'_> {
    /// The projection (width x embed) after `config.epochs` steps from the one that it is held near,
    /// none of which is chosen, and what each step saw before it: Adam on all images, step `e`
    /// (counted from 0) in view `e + 1`, its rate half a cosine from `config.lr` to 0.
    ///
    /// # Errors
    /// As [`ProjectionObjective::at`]; a loss or a projection that is no number, by its step; a stop
    /// that the observer asked for.
    pub fn tune(
        &self,
        rows: &Unprojected,
        labels: &[Vec<u32>],
        config: &ProLipConfig,
        observer: &dyn Observer,
    ) -> Result<(Vec<f32>, Vec<FitEpoch>)> {
        let mut projection = self.origin.to_vec();
        let width = projection.len() / self.embed.max(1);
        // Without decay it is Adam.
        let mut optimizer = AdamW::new([0.9, 0.999], config.eps, 0.0);
        let mut epochs = Vec::with_capacity(config.epochs);
        for epoch in 0..config.epochs {
            let lr = 0.5 * config.lr * (1.0 + (PI * epoch as f64 / config.epochs as f64).cos());
            let images = rows.view(epoch + 1, labels.len(), width)?;
            let found = self.at(&projection, &images, labels)?;
            let loss = found.total();
            if loss.is_finite() {
                optimizer.step("projection", &mut projection, &found.gradient, lr)?;
            }
            if !loss.is_finite() || projection.iter().any(|value| !value.is_finite()) {
                return Err(MethodError::Incompatible {
                    what: format!(
                        "the loss became {loss}, or the projection no number, in epoch {}",
                        epoch + 1
                    ),
                    hint: Some("lower prolip.lr".to_owned()),
                });
            }
            epochs.push(FitEpoch {
                epoch: epoch + 1,
                lr,
                loss,
                train_accuracy: found.right as f64 / labels.len() as f64,
            });
            observer.advance(1);
            if observer.should_stop() {
                return Err(MethodError::Stopped);
            }
        }
        Ok((projection, epochs))
    }
}
