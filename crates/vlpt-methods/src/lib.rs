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

pub mod baselines;
mod cocoop;
mod context;
mod coop;
mod dropout;
mod error;
mod method;
mod nn;
mod parameter;
mod prompts;
pub mod rng;
mod template;
mod upt;
mod visual;
mod vlpt;
mod vpt;

pub use baselines::{LinearProbeConfig, TipAdapterConfig, ZeroShotConfig, zero_shot as zeroshot};
pub use cocoop::{CoCoOp, CoCoOpConfig};
pub use context::Position;
pub use coop::{CoOp, CoOpConfig};
pub use error::{MethodError, Result};
pub use method::{MethodConfig, PromptMethod, class_text};
pub use parameter::Parameter;
pub use prompts::{Pass, Prompts, Visual, VisualValues};
pub use template::template_texts;
pub use upt::{Attention, Upt, UptConfig, UptShape};
pub use visual::{Depth, Place, initial_bound};
pub use vlpt::Vlpt;
pub use vpt::{Vpt, VptConfig};
