//! ONNX as a file: the parts of a graph, how one is built, and how it is written.

mod builder;
mod encode;
mod graph;
mod protobuf;

pub use encode::{LIMIT, Written, write};
pub use graph::{Attribute, Dim, Graph, Node, Port};

pub(crate) use builder::{Builder, Edge};
