//! Flags that several commands share, and how they become a model, a task or a list of images.

mod cache;
mod data;
mod images;
mod model;
mod pool;
mod view;

pub(crate) use cache::CacheArgs;
pub(crate) use data::{DataArgs, DataFlags};
pub(crate) use images::{ImageArgs, Input};
pub(crate) use model::{
    BaseModelArgs, ModelArgs, PrecisionArgs, TowerArgs, find_model, load_preprocess,
    load_tokenizer, open_model,
};
pub(crate) use pool::{check_kernels, in_pool};
pub(crate) use view::ViewFlags;
