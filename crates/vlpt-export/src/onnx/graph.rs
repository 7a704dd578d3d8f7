//! The parts of a graph.

use std::collections::BTreeMap;

use crate::value::{Type, Value};

/// A computation: named edges, nodes in an order in which they can be run, and weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Its name.
    pub name: String,
    /// What is done, each node after those whose outputs it reads.
    pub nodes: Vec<Node>,
    /// Constant edges by name, in the order in which they are written.
    pub weights: Vec<(String, Value)>,
    /// Edges that the caller fills.
    pub inputs: Vec<Port>,
    /// Edges that the caller reads.
    pub outputs: Vec<Port>,
    /// What the file says of itself, by name.
    pub metadata: BTreeMap<String, String>,
}

/// One application of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The operator of ONNX's standard set.
    pub op: &'static str,
    /// Its name in the file.
    pub name: String,
    /// Edges that it reads.
    pub inputs: Vec<String>,
    /// Edges that it fills.
    pub outputs: Vec<String>,
    /// What else it is told.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// What a node is told beside its inputs.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the types")]
pub enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The edge.
    pub name: String,
    /// The type of its numbers.
    pub kind: Type,
    /// Its dimensions, outermost first.
    pub shape: Vec<Dim>,
}

/// A dimension of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim {
    /// Always this length.
    Fixed(usize),
    /// Any length, under a name.
    Any(&'static str),
}

impl Node {
    /// An attribute that is a whole number.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.attribute(name)? {
            Attribute::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// An attribute that is a number.
    pub(crate) fn float(&self, name: &str) -> Option<f32> {
        match self.attribute(name)? {
            Attribute::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// An attribute that is a list of whole numbers.
    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attribute(name)? {
            Attribute::Ints(values) => Some(values),
            _ => None,
        }
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        let mut own = self.attributes.iter();
        own.find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}
