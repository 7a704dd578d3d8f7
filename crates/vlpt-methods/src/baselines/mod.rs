//! Baselines: what a prompt has to beat.
//!
//! * [`zero_shot`]: class names in hand-written templates, nothing learned;
//! * [`linear_probe`]: logistic regression on image features, no text at all;
//! * [`tip_adapter`]: zero-shot logits and a cache of the training images' features;
//! * [`prolip`]: zero-shot texts, and the image tower's last projection tuned to them.
//!
//! A baseline has no prompt, so none of them is a [`Method`](crate::Method): they are fitted to
//! image features that are computed once, and give a classifier of image features.

mod dense;
pub(crate) mod held_out;
pub mod linear_probe;
mod logistic;
pub mod prolip;
pub mod searched;
pub mod tip_adapter;
pub mod zero_shot;

pub use linear_probe::{LinearHead, LinearProbeConfig};
pub use logistic::{LinearClassifier, Logistic};
pub use prolip::{Lambda, LambdaRule, ProLipConfig, ProjectionLoss, ProjectionObjective};
pub use searched::Searched;
pub use tip_adapter::{Affinities, TipAdapter, TipAdapterConfig, TipStep};
pub use zero_shot::{TemplateChoice, ZeroShotConfig};
