//! Adam with the weight decay of the loss.

use crate::state::check_lengths;
use crate::{AdamW, Optimizer, OptimizerState, Result};

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) as PyTorch computes it:
/// `weight_decay * p` is added to the gradient, so that decay goes through the moments; the rest is
/// [`AdamW`] without decay.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    plain: AdamW,
    weight_decay: f64,
}

impl Adam {
    /// Fresh state.
    pub fn new(betas: [f64; 2], eps: f64, weight_decay: f64) -> Self {
        Self {
            plain: AdamW::new(betas, eps, 0.0),
            weight_decay,
        }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, name: &str, values: &mut [f32], gradient: &[f32], lr: f64) -> Result<()> {
        check_lengths(name, values, gradient)?;
        let decay = self.weight_decay as f32;
        let decayed: Vec<f32> = gradient
            .iter()
            .zip(values.iter())
            .map(|(gradient, value)| gradient + decay * value)
            .collect();
        self.plain.step(name, values, &decayed, lr)
    }

    fn state(&self) -> OptimizerState {
        self.plain.state()
    }

    fn restore(&mut self, state: OptimizerState) -> Result<()> {
        state.check("Adam", &["first", "second"], &["steps"])?;
        self.plain.restore(state)
    }
}
