//! Prompt methods: from a few learned vectors to the prompts of a frozen CLIP.
//!
//! A method is one file: its parameters, where its prompts stand among the words of a class
//! ([`Method::texts`]), and a function from the parameters to the prompts ([`Method::adapt`])
//! written with [`Tensor`](vlpt_autograd::Tensor)s, so that its gradient comes from autograd. It
//! never sees kernels, data or loops:
//!
//! ```text
//! parameters --adapt()--> adaptation --> towers --> features --> loss
//! parameters <-gradients()- d_adaptation <-- towers' backward <--+
//! ```
//!
//! | method | learns |
//! |---|---|
//! | [`CoOp`] | context around the class names |
//! | [`Vpt`] | tokens in the image tower |
//! | [`Vlpt`] | both, side by side |
//! | [`Upt`] | both, made together by a small Transformer |
//! | [`CoCoOp`] | context that each image shifts |
//! | [`Tcp`] | context that each class's text replaces in the middle of the text tower |
//! | [`ClipLora`] | low-rank updates of the towers' weights |
//! | [`TwoStage`] | gains and biases of layer norms, then features of the classes |
//! | [`MaPLe`] | text prompts in the first blocks, and visual prompts made of them |
//! | [`Ivlp`] | tokens at the first blocks of both towers |
//! | [`PromptSrc`] | the same, held near the frozen model |
//! | [`Mmrl`] | tokens of a shared space in the last blocks of both towers, and a projection of their own |
//! | [`MmrlPlus`] | the same with fewer numbers, rows going on from block to block |
//! | [`baselines`] | nothing, or a classifier of image features |
//!
//! `docs/guides/add-a-method.md` walks through writing another one.

#[cfg(feature = "example-method")]
extern crate self as vlpt_methods; // the example is written as outside of this crate

#[macro_use]
mod options;
mod adaptation;
pub mod baselines;
mod clip_lora;
mod cocoop;
mod config;
mod context;
mod coop;
mod dropout;
mod error;
mod fusion;
pub mod head;
pub mod import;
mod ivlp;
mod maple;
mod method;
mod mmrl;
mod nn;
mod parameter;
mod promptsrc;
mod registry;
#[cfg(feature = "example-method")]
#[allow(dead_code, unused_imports, reason = "it is written as an example")]
#[path = "../examples/shared_prompt.rs"]
mod shared_prompt;
mod spec;
mod tcp;
mod template;
mod tower_values;
mod two_stage;
mod upt;
mod visual;
mod vlpt;
mod vpt;

pub use adaptation::{
    Adaptation, Change, PromptTensor, TextRowsTensor, TowerTensors, UpdateTensor,
};
pub use baselines::{
    LinearProbeConfig, ProLipConfig, TipAdapterConfig, ZeroShotConfig, zero_shot as zeroshot,
};
pub use clip_lora::{AdaptedLayer, Blocks, ClipLora, ClipLoraConfig, Towers};
pub use cocoop::{CoCoOp, CoCoOpConfig};
pub use config::{MethodConfig, MethodSection, ReadSection, ReadTable};
pub use context::Position;
pub use coop::{CoOp, CoOpConfig, KgForm};
pub use error::{MethodError, Result};
pub use fusion::{FusedClasses, Fusion};
pub use head::UnitRows;
pub use ivlp::{Ivlp, IvlpConfig};
pub use maple::{MaPLe, MaPLeConfig};
pub use method::{
    Features, ImageFeatures, Method, Pass, Stage, Trains, class_text, frozen_class_features,
};
pub use mmrl::{Mmrl, MmrlConfig, MmrlPlus, MmrlPlusConfig};
pub use options::{MethodOptions, OptionDoc, OptionTable};
pub use parameter::Parameter;
pub use promptsrc::{PromptSrc, PromptSrcConfig};
pub use registry::{METHODS, first_of, head_reader, method, names, option_tables, untuned};
pub use spec::{Build, Family, Fit, Flags, HeadSize, MethodSpec, Needs, Report};
pub use tcp::{Tcp, TcpConfig};
pub use template::template_texts;
pub use tower_values::{ChangeValues, PromptValues, TextRowsValues, TowerValues, UpdateValues};
pub use two_stage::{Norms, TwoStage, TwoStageConfig};
pub use upt::{Attention, Upt, UptConfig, UptShape};
pub use visual::{Depth, Place, initial_bound};
pub use vlpt::Vlpt;
pub use vpt::{Vpt, VptConfig};
