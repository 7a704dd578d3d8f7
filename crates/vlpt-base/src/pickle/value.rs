//! What a pickle holds.

use std::sync::Arc;

/// Why a pickle was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Byte position of the instruction that was refused, counted from the first byte.
    pub position: u64,
    /// What it asked for.
    pub what: String,
}

/// A pickled value. `G` are the classes and functions that the reader knows, `E` its own values,
/// such as tensors. Cheap to clone, whatever it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<G, E> {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number of at most 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A tuple, list, dict or object: an index into [`Pickle::nodes`].
    Node(usize),
    /// A class or function.
    Global(G),
    /// A value of the reader's own.
    Extra(E),
}

/// A key and its value.
pub type Pair<G, E> = (Value<G, E>, Value<G, E>);

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<G, E> {
    /// A tuple.
    Tuple(Vec<Value<G, E>>),
    /// A list.
    List(Vec<Value<G, E>>),
    /// A dict, as pairs in the order of the file.
    Dict(Vec<Pair<G, E>>),
    /// An object of a known class and, once built, the dict of its attributes (an index into
    /// [`Pickle::nodes`]). It is a record: nothing of its class is looked at or called.
    Object(G, Option<usize>),
    /// Something whose content is not kept.
    Inert,
}

/// A pickle that was read to its end.
#[derive(Debug)]
pub struct Pickle<G, E> {
    /// All containers.
    pub nodes: Vec<Node<G, E>>,
    /// The value that was pickled.
    pub root: Value<G, E>,
    /// The byte after its end mark.
    pub end: usize,
}

impl<G, E> Pickle<G, E> {
    /// The container that a value is; none where it is a plain value.
    pub fn node(&self, value: &Value<G, E>) -> Option<&Node<G, E>> {
        match value {
            Value::Node(index) => self.nodes.get(*index),
            _ => None,
        }
    }

    /// The pairs of a dict; none where the value is none.
    pub fn dict(&self, value: &Value<G, E>) -> Option<&[Pair<G, E>]> {
        match self.node(value) {
            Some(Node::Dict(pairs)) => Some(pairs),
            _ => None,
        }
    }

    /// The items of a list; none where the value is none.
    pub fn list(&self, value: &Value<G, E>) -> Option<&[Value<G, E>]> {
        match self.node(value) {
            Some(Node::List(items)) => Some(items),
            _ => None,
        }
    }
}
