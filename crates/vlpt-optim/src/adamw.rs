//! Adam with decoupled weight decay.

use crate::state::check_lengths;
use crate::{Optimizer, OptimizerState, Result};

/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019) as PyTorch
/// computes it: `p *= 1 - lr * weight_decay`, moments `m` and `v` with decays `betas`, then
/// `p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)` in step `t`.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    state: OptimizerState,
}

impl AdamW {
    /// Fresh state.
    pub fn new(betas: [f64; 2], eps: f64, weight_decay: f64) -> Self {
        Self {
            betas,
            eps,
            weight_decay,
            state: OptimizerState::default(),
        }
    }
}

impl Optimizer for AdamW {
    fn step(&mut self, name: &str, values: &mut [f32], gradient: &[f32], lr: f64) -> Result<()> {
        check_lengths(name, values, gradient)?;
        let [beta1, beta2] = self.betas;
        let steps = self
            .state
            .counters
            .entry(format!("steps/{name}"))
            .or_default();
        *steps += 1;
        let t = *steps as f64;
        // Corrections in f64, vectors in f32, as PyTorch.
        let step = (lr / (1.0 - beta1.powf(t))) as f32;
        let root = (1.0 - beta2.powf(t)).sqrt() as f32;
        let keep = (1.0 - lr * self.weight_decay) as f32;
        let (toward, second, fresh) = ((1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32);
        let eps = self.eps as f32;

        let first = self.state.moment("first", name, values.len())?;
        for (m, &g) in first.iter_mut().zip(gradient) {
            *m += toward * (g - *m);
        }
        let variance = self.state.moment("second", name, values.len())?;
        for (v, &g) in variance.iter_mut().zip(gradient) {
            *v = second * *v + fresh * g * g;
        }
        let first = &self.state.floats[&format!("first/{name}")];
        let variance = &self.state.floats[&format!("second/{name}")];
        for ((value, &m), &v) in values.iter_mut().zip(first).zip(variance) {
            *value = *value * keep - step * (m / (v.sqrt() / root + eps));
        }
        Ok(())
    }

    fn state(&self) -> OptimizerState {
        self.state.clone()
    }

    fn restore(&mut self, state: OptimizerState) -> Result<()> {
        state.check("AdamW", &["first", "second"], &["steps"])?;
        self.state = state;
        Ok(())
    }
}
