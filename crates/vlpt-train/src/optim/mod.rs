//! Optimisers over plain f32 vectors, with state that can be saved and restored bit for bit.

mod adamw;
mod sgd;
mod state;

pub use adamw::AdamW;
pub use sgd::Sgd;
pub use state::OptimizerState;

use crate::{OptimizerName, Result, TrainConfig};

/// Changes parameters along their gradients.
pub trait Optimizer: Send {
    /// One step of one parameter: `values` change, `gradient` is of the same length, `lr` is the
    /// learning rate of this step. `name` finds the parameter's state again; call once a step for
    /// each parameter.
    ///
    /// # Errors
    /// [`crate::TrainError::Unfit`] when the lengths differ, or differ from earlier steps'.
    fn step(&mut self, name: &str, values: &mut [f32], gradient: &[f32], lr: f64) -> Result<()>;

    /// Everything that the next step depends on, beside the options.
    fn state(&self) -> OptimizerState;

    /// Takes over a saved state; the next step is then the same to the last bit.
    ///
    /// # Errors
    /// [`crate::TrainError::Unfit`] when the state is not this optimiser's.
    fn restore(&mut self, state: OptimizerState) -> Result<()>;
}

/// The optimiser of a configuration, with fresh state.
pub fn optimizer(config: &TrainConfig) -> Box<dyn Optimizer> {
    match config.optimizer {
        OptimizerName::Sgd => Box::new(Sgd::new(config.momentum, config.weight_decay)),
        OptimizerName::AdamW => Box::new(AdamW::new(config.betas, config.eps, config.weight_decay)),
    }
}
