//! The operations, by kind.

mod activation;
mod binary;
mod custom;
mod join;
mod operators;
mod product;
mod reduce;
mod reshape;
mod rows;
mod select;
mod unary;
