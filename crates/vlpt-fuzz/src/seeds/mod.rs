//! Where mutation starts: small files of each kind, made by code, the same at each call.

mod archives;
mod arrow;
mod flatbuffer;
mod http;
mod images;
mod json_sets;
mod lists;
mod models;
mod parquet;
mod pickles;
mod pixels;
mod prompts;

pub(crate) use archives::{good_tar, tars, zips};
pub(crate) use arrow::{arrows, good_arrow};
pub(crate) use http::http_requests;
pub(crate) use images::{good_png, images, resample};
pub(crate) use json_sets::{cocos, fiftyones, saved_sets, subsets, task};
pub(crate) use lists::{
    configurations, events, index_files, lists_jsonl, lists_pickle, manifests_csv, manifests_jsonl,
    split_files, texts,
};
pub(crate) use models::{model_folders, safetensors, vocabularies};
pub(crate) use parquet::parquets;
pub(crate) use pickles::{checkpoints, pickles};
pub(crate) use pixels::{cifar_batches, idx_files};
pub(crate) use prompts::prompt_folders;
