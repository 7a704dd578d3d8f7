//! CLIP as two frozen towers.
//!
//! * [`ModelName`] and [`Hub`]: from a name as users write it to files.
//! * [`Clip`]: a checked model in memory: configuration, tokenizer, preprocessing, both towers.
//! * [`TextTower`] and [`ImageTower`]: `forward(input, adaptation) -> (features, tape)` and
//!   `backward(tape, d_features) -> gradients`.
//! * [`TowerAdaptation`]: what may be learned inside a tower: rows among its tokens, updates of its
//!   layers, its projection.

mod adaptation;
mod budget;
mod config;
mod error;
mod files;
mod formats;
mod hub;
mod model;
mod names;
mod progress;
mod random;
mod text;
mod tokenizer;
mod transformer;
mod vision;
mod weights;

pub use adaptation::{
    Dropout, LayerName, PromptRows, TextRows, TextRowsAt, TowerAdaptation, TowerGradients, Update,
    UpdateGradient, UpdateKind, VisualPlace,
};
pub use budget::MemoryBudget;
pub use config::{
    Activation, ClipConfig, Interpolation, OPENAI_MEAN, OPENAI_STD, PreprocessConfig, ResizeMode,
    TextConfig, VisionConfig,
};
pub use error::{ClipError, Result};
pub use files::{FileSource, ModelFiles};
pub use formats::LoadReport;
pub use hub::{Hub, HubSettings, HubWaits};
pub use model::Clip;
pub use names::ModelName;
pub use progress::{Observer, Progress};
pub use text::{PrefixTree, PromptToken, TextPlan, TextPlanOptions, TextTape, TextTower};
pub use tokenizer::Tokenizer;
pub use vision::{ImageTape, ImageTower};
pub use vlpt_kernels::{Isa, Precision};
pub use weights::{
    BlockWeights, Checkpoint, CheckpointTensor, ClipWeights, LayerNormWeights, LinearWeights,
    Tensor, TextWeights, VisionWeights,
};
