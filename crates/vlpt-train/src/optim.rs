//! The optimiser that a configuration names.

use vlpt_optim::{Adam, AdamW, Optimizer, Sgd};

use crate::{OptimizerName, TrainConfig};

/// The optimiser of a configuration, with fresh state.
pub fn optimizer(config: &TrainConfig) -> Box<dyn Optimizer> {
    match config.optimizer {
        OptimizerName::Sgd => Box::new(Sgd::new(config.momentum, config.weight_decay)),
        OptimizerName::Adam => Box::new(Adam::new(config.betas, config.eps, config.weight_decay)),
        OptimizerName::AdamW => Box::new(AdamW::new(config.betas, config.eps, config.weight_decay)),
    }
}
