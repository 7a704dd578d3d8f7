//! Baselines: what a prompt has to beat.
//!
//! * [`zero_shot`]: class names in hand-written templates, nothing learned;
//! * [`linear_probe`]: logistic regression on image features, no text at all;
//! * [`tip_adapter`]: zero-shot logits and a cache of the training images' features;
//! * [`gda`]: zero-shot logits and Gaussians of the classes' features, in closed form;
//! * [`lp_plus_plus`]: a linear probe beside weighted zero-shot logits;
//! * [`clap`]: class vectors that begin at the texts and are held near them;
//! * [`prolip`]: zero-shot texts, and the image tower's last projection tuned to them.
//!
//! A baseline has no prompt, so none of them is a [`Method`](crate::Method): they are fitted to
//! image features that are computed once, and give a classifier of image features.

pub mod clap;
mod cross_entropy;
mod dense;
pub mod gda;
pub(crate) mod held_out;
mod known_texts;
mod linear_head;
pub mod linear_probe;
mod logistic;
pub mod lp_plus_plus;
pub mod prolip;
pub mod searched;
mod shots;
mod symmetric;
pub mod tip_adapter;
pub mod zero_shot;

pub use clap::{ClapConfig, Constraint};
pub use gda::{Discriminant, GdaConfig};
pub use linear_head::LinearHead;
pub use linear_probe::LinearProbeConfig;
pub use logistic::{LinearClassifier, Logistic};
pub use lp_plus_plus::{AlphaGradient, LpPlusPlusConfig};
pub use prolip::{Lambda, LambdaRule, ProLipConfig, ProjectionLoss, ProjectionObjective};
pub use searched::Searched;
pub use tip_adapter::{Affinities, TipAdapter, TipAdapterConfig, TipStep};
pub use zero_shot::{TemplateChoice, ZeroShotConfig};
