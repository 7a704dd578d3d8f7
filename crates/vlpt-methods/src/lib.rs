//! Prompt methods: from a few learned vectors to the prompts of a frozen CLIP.
//!
//! A method is one file: its parameters, where its prompts stand among the words of a class
//! ([`PromptMethod::texts`]), and a function from the parameters to the prompts
//! ([`PromptMethod::prompts`]) written with `candle-core` tensors, so that its gradient comes from
//! autograd. It never sees kernels, data or loops:
//!
//! ```text
//! parameters --prompts()--> prompts --text tower--> features --> loss
//! parameters <-gradients()- d_prompts <-- text tower's backward <--+
//! ```
//!
//! [`CoOp`] is the one method so far; [`zeroshot`] is the baseline without any parameter.

mod coop;
mod error;
mod method;
mod parameter;
mod prompts;
pub mod rng;
pub mod zeroshot;

pub use coop::{CoOp, CoOpConfig, Position};
pub use error::{MethodError, Result};
pub use method::{MethodConfig, PromptMethod, class_text};
pub use parameter::Parameter;
pub use prompts::{Pass, Prompts, Visual, VisualValues};
