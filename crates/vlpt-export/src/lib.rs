//! Tuned prompts for other programs.
//!
//! * [`Classification`] is a classifier as one ONNX graph, prompts and texts folded into it as numbers;
//!   [`quantise()`] makes its products those of whole numbers.
//! * [`check()`] runs a graph with a plain interpreter and compares it with this program's own towers, before
//!   anything is written.
//! * [`write_classifier`], [`write_towers`], [`write_matrix`], [`write_peft`] and [`write_hugging_face`] write
//!   whole folders, one file of this crate each.
//!
//! Operators are those of opset 18, which every runtime of the last years reads.

mod check;
mod classification;
mod classifier_folder;
mod error;
mod fold;
mod folder;
mod held_out;
mod hub;
mod hugging_face;
mod image_net;
mod interpret;
mod matrix;
mod nets;
mod onnx;
mod peft;
mod quantise;
mod towers;
mod value;

pub use check::{ALLOWED, Agreement, check, check_with_preprocessing, image_value};
pub use classification::{Classification, preprocessing_graph};
pub use classifier_folder::{
    Exported, Forms, MODEL, QUANTISED, Source, WITH_PREPROCESSING, write_classifier,
};
pub use error::{ExportError, Result};
pub use folder::check_new;
pub use held_out::{Cost, cost};
pub use hugging_face::write_hugging_face;
pub use interpret::run;
pub use matrix::write_matrix;
pub use onnx::{Attribute, Dim, Graph, LIMIT, Node, Port, Written, write};
pub use peft::write_peft;
pub use quantise::quantise;
pub use towers::write_towers;
pub use value::{Data, Type, Value};
