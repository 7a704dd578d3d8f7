//! Optimisers over plain vectors.
//!
//! [`Sgd`], [`Adam`] and [`AdamW`] take steps along gradients; their state can be saved and restored
//! bit for bit. [`minimise`] finds the minimum of a smooth function by L-BFGS.

mod adam;
mod adamw;
mod error;
mod lbfgs;
mod sgd;
mod state;

pub use adam::Adam;
pub use adamw::AdamW;
pub use error::{OptimError, Result};
pub use lbfgs::{Minimum, dot, minimise};
pub use sgd::Sgd;
pub use state::OptimizerState;

/// Changes parameters along their gradients.
pub trait Optimizer: Send {
    /// One step of one parameter: `values` change, `gradient` is of the same length, `lr` is the
    /// learning rate of this step. `name` finds the parameter's state again; call once a step for
    /// each parameter.
    ///
    /// # Errors
    /// When the lengths differ, or differ from earlier steps'.
    fn step(&mut self, name: &str, values: &mut [f32], gradient: &[f32], lr: f64) -> Result<()>;

    /// Everything that the next step depends on, beside the options.
    fn state(&self) -> OptimizerState;

    /// Takes over a saved state; the next step is then the same to the last bit.
    ///
    /// # Errors
    /// When the state is not this optimiser's.
    fn restore(&mut self, state: OptimizerState) -> Result<()>;
}
