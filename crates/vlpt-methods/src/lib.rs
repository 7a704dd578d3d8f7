//! Prompt methods: from a few learned vectors to the prompts of a frozen CLIP.
//!
//! A method is one file: its parameters, where its prompts stand among the words of a class
//! ([`PromptMethod::texts`]), and a function from the parameters to the prompts
//! ([`PromptMethod::prompts`]) written with `candle-core` tensors, so that its gradient comes from
//! autograd. It never sees kernels, data or loops:
//!
//! ```text
//! parameters --prompts()--> prompts --> towers --> features --> loss
//! parameters <-gradients()- d_prompts <-- towers' backward <--+
//! ```
//!
//! | method | learns |
//! |---|---|
//! | [`CoOp`] | context around the class names |
//! | [`Vpt`] | tokens in the image tower |
//! | [`Vlpt`] | both, side by side |
//! | [`Upt`] | both, made together by a small Transformer |
//! | [`CoCoOp`] | context that each image shifts |
//! | [`baselines`] | nothing, or a classifier of image features |
//!
//! `docs/guides/add-a-method.md` walks through writing another one.

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
