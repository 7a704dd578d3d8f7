//! Kernels of frozen Transformer towers, forward and backward to the input.
//!
//! Rows of activations are f32 slices, row-major, one token a row, or a [`Matrix`] in the number
//! format of the layers that read it ([`matrix_product`] takes f64 too). Products, attention, norms
//! and activations share their work among the threads of the current rayon pool in fixed blocks, so
//! that a result has the same bits whatever the number of threads. Backward means the gradient of
//! the input: weights are frozen. What is learned inside a tower stands beside them ([`LowRank`],
//! [`ScaleShift`]).

#![allow(
    unsafe_code,
    reason = "vectors, tiles and disjoint parts of matrices; each block says why it is sound"
)]

mod activation;
mod arena;
mod attention;
mod block;
mod description;
mod linear;
mod lines;
mod math;
mod matrix;
mod norm;
mod output;
mod precision;
mod prefetch;
mod processor;
mod product;
mod rows;
mod simd;
mod softmax;
mod threads;
mod tile;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tile_registers;
mod update;
mod vector;

pub use activation::Activation;
pub use arena::{Arena, Buffer};
pub use attention::{Attention, AttentionPlan};
pub use description::{Description, description};
pub use linear::Linear;
pub use matrix::{Matrix, Operand};
pub use norm::{LayerNorm, Standardize};
pub use precision::Precision;
pub use processor::{ISA_VARIABLE, Isa};
pub use product::{Element, matrix_product};
pub use rows::{add, for_blocks, gather_rows, scatter_add_rows};
pub use softmax::softmax;
pub use threads::with_thread_team;
pub use tile::Tiles;
pub use update::{Columns, Dropout, LowRank, LowRankInput, ScaleShift, hash};
