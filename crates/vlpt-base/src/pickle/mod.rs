//! A pickle reader that runs nothing.
//!
//! A pickle is a program for a small stack machine, and the general machine may call any function.
//! This one ([`machine`]) knows the instructions that make plain values, and treats the few classes
//! and functions that its reader knows ([`Known`]) as inert marks: an object is a record of its
//! attributes, a call is what the reader says it stands for. Everything else is refused, by its name
//! and position. Containers live in one arena and are referred to by number, and texts are shared, so
//! that values used a million times, or inside themselves, cost nothing and are never copied.

mod codes;
mod machine;
mod value;

use std::fmt::Debug;
use std::ops::Range;

pub use value::{Node, Pair, Pickle, Refused, Value};

/// The largest pickle that a reader should hand over, in bytes.
pub const MAX_PICKLE: u64 = 64 << 20;

/// A value as a reader `K` knows it.
pub type ValueOf<K> = Value<<K as Known>::Global, <K as Known>::Extra>;
/// A container as a reader `K` knows it.
pub type NodeOf<K> = Node<<K as Known>::Global, <K as Known>::Extra>;
/// A pickle as a reader `K` knows it.
pub type PickleOf<K> = Pickle<<K as Known>::Global, <K as Known>::Extra>;

/// The classes and functions that one kind of file needs, and what they stand for.
pub trait Known {
    /// A class or function.
    type Global: Clone + Debug + PartialEq;
    /// A value that is none of Python's plain ones.
    type Extra: Clone + Debug + PartialEq;
    /// The newest protocol that such files are written with.
    const PROTOCOL: u8;
    /// What is said of an object whose class is known but has no objects here.
    const NO_OBJECT: &'static str;
    /// Whether [`Known::string`] takes strings by their place.
    const STRINGS: bool = false;
    /// The most instructions of such a file: a value takes more memory than the byte that makes it.
    const MAX_STEPS: usize = usize::MAX;

    /// The class or function of a name; none for one that is refused.
    fn global(&self, module: &str, name: &str) -> Option<Self::Global>;

    /// Whether it stands for something that is dropped unseen, whatever is done with it.
    fn is_inert(&self, global: &Self::Global) -> bool;

    /// Whether it is a class whose objects are read as records of their attributes.
    fn has_objects(&self, global: &Self::Global) -> bool;

    /// What a call stands for; none where there is no such call.
    ///
    /// # Errors
    /// Arguments that the function does not take, in words of its own.
    fn call(
        &mut self,
        global: &Self::Global,
        arguments: &[ValueOf<Self>],
        nodes: &[NodeOf<Self>],
    ) -> Result<Option<Made<ValueOf<Self>>>, String>
    where
        Self: Sized;

    /// The value of a persistent id.
    ///
    /// # Errors
    /// An id that is none, in words of its own.
    fn persistent(
        &mut self,
        id: &ValueOf<Self>,
        nodes: &[NodeOf<Self>],
    ) -> Result<Self::Extra, String>
    where
        Self: Sized;

    /// Takes a string that is no text, or a text that is too long to be copied, by its place in the
    /// file; none where it is read as a text, or refused. Only asked where [`Known::STRINGS`] says so.
    fn string(&mut self, _kind: RawString, _place: Range<usize>) -> Option<Self::Extra> {
        None
    }

    /// Gives a value of the reader's own its state; whether it has one.
    ///
    /// # Errors
    /// A state that it does not take, in words of its own.
    fn build(
        &mut self,
        _value: &Self::Extra,
        _state: &ValueOf<Self>,
        _nodes: &[NodeOf<Self>],
    ) -> Result<bool, String>
    where
        Self: Sized,
    {
        Ok(false)
    }
}

/// A string that a reader may take by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawString {
    /// Bytes: a `str` of Python 2, or `bytes` of Python 3.
    Bytes,
    /// A text in UTF-8 of more than a mebibyte.
    Text,
}

/// What a call makes.
#[derive(Debug)]
pub enum Made<V> {
    /// An empty dict.
    Dict,
    /// A value.
    Value(V),
}

/// Reads the pickle that begins at byte `start`; [`Pickle::end`] says where it ends. Positions are
/// counted from the first byte.
///
/// # Errors
/// Bytes that end too early, an instruction, class or function that is not known, or a program that
/// makes no sense.
pub fn read<K: Known>(bytes: &[u8], start: usize, known: &mut K) -> Result<PickleOf<K>, Refused> {
    machine::Machine::new(bytes, start, known).run()
}

/// The items of a tuple; none where the value is none.
pub fn tuple<'n, G, E>(value: &Value<G, E>, nodes: &'n [Node<G, E>]) -> Option<&'n [Value<G, E>]> {
    match value {
        Value::Node(index) => match nodes.get(*index) {
            Some(Node::Tuple(items)) => Some(items),
            _ => None,
        },
        _ => None,
    }
}
