//! Stochastic gradient descent with momentum.

use crate::state::check_lengths;
use crate::{Optimizer, OptimizerState, Result};

/// SGD as PyTorch defines it, with dampening 0 and without Nesterov:
/// `g += weight_decay * p; m = momentum * m + g; p -= lr * m`, with `m = g` in the first step.
#[derive(Debug, Clone, PartialEq)]
pub struct Sgd {
    momentum: f32,
    weight_decay: f32,
    state: OptimizerState,
}

impl Sgd {
    /// Fresh state; `momentum` 0 keeps none, `weight_decay` is added to the gradient.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        let (momentum, weight_decay) = (momentum as f32, weight_decay as f32);
        Self {
            momentum,
            weight_decay,
            state: OptimizerState::default(),
        }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, name: &str, values: &mut [f32], gradient: &[f32], lr: f64) -> Result<()> {
        check_lengths(name, values, gradient)?;
        let lr = lr as f32;
        let decayed = |value: f32, gradient: f32| gradient + self.weight_decay * value;
        if self.momentum == 0.0 {
            for (value, &gradient) in values.iter_mut().zip(gradient) {
                *value -= lr * decayed(*value, gradient);
            }
            return Ok(());
        }
        // From zeros, the first step gives m = g.
        let moment = self.state.moment("momentum", name, values.len())?;
        for ((value, &gradient), m) in values.iter_mut().zip(gradient).zip(moment) {
            *m = self.momentum * *m + decayed(*value, gradient);
            *value -= lr * *m;
        }
        Ok(())
    }

    fn state(&self) -> OptimizerState {
        self.state.clone()
    }

    fn restore(&mut self, state: OptimizerState) -> Result<()> {
        state.check("SGD", &["momentum"], &[])?;
        self.state = state;
        Ok(())
    }
}
