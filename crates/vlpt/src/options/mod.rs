//! Flags that several commands share, and how they become a model, a task or a list of images.

mod address_space;
mod cache;
mod data;
mod given;
mod images;
mod input;
mod inside;
mod model;
mod pool;
mod rows;
mod run_data;
mod standard_input;
mod view;
mod walk;

pub(crate) use address_space::check_address_space;
pub(crate) use cache::CacheArgs;
pub(crate) use data::{BrokenArg, DataArgs, DataFlags, before_work};
pub(crate) use given::{from_environment, from_line, remember, switch, without_empty_variables};
pub(crate) use images::{ImageArgs, Images};
pub(crate) use input::{Input, inputs_hash};
pub(crate) use inside::{refuse_inside, refuse_rows_inside};
pub(crate) use model::{
    BaseModelArgs, ModelArgs, PrecisionArgs, TowerArgs, find_model, load_preprocess,
    load_tokenizer, open_model,
};
#[cfg(feature = "serve")]
pub(crate) use pool::start_pool;
pub(crate) use pool::{check_kernels, check_threads, in_pool};
pub(crate) use rows::{PredictionsArgs, RowArgs, row_format};
pub(crate) use run_data::{RunDataArgs, same_place};
pub(crate) use view::ViewFlags;
