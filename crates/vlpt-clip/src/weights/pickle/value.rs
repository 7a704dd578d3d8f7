//! What a pickle holds, as far as tensors need it.

use std::collections::BTreeMap;

use crate::weights::dtype::Dtype;

/// Why a pickle was refused, and where.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::weights) struct Refused {
    pub(in crate::weights) position: u64,
    pub(in crate::weights) what: String,
}

/// What a pickled value is, as far as tensors need it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::weights) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A tuple, list, dict or object: an index into [`Pickle::nodes`].
    Node(usize),
    Global(Global),
    Storage {
        dtype: Dtype,
        key: String,
        count: u64,
    },
    Tensor(usize),
}

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::weights) enum Node {
    Tuple(Vec<Value>),
    List(Vec<Value>),
    /// Pairs in the order of the file.
    Dict(Vec<(Value, Value)>),
    /// A module of a TorchScript archive: its attributes, once built.
    Module(Option<usize>),
    /// An object that a checkpoint holds beside its tensors; its content is not kept.
    Inert,
}

/// The functions and classes that tensors need.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::weights) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// A typed list of TorchScript.
    BuildList,
    Storage(Dtype),
    /// A class of a TorchScript archive's own code, which is never looked at.
    Module,
    /// A class or function of the short list of things that checkpoints hold beside tensors.
    Inert,
}

/// A tensor as the pickle describes it; nothing about it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::weights) struct RawTensor {
    pub(in crate::weights) dtype: Dtype,
    /// Name of the storage entry.
    pub(in crate::weights) key: String,
    /// Numbers the storage is said to hold.
    pub(in crate::weights) count: u64,
    pub(in crate::weights) offset: i64,
    pub(in crate::weights) shape: Vec<i64>,
    pub(in crate::weights) strides: Vec<i64>,
}

/// A pickle that was read to its end.
#[derive(Debug)]
pub(in crate::weights) struct Pickle {
    pub(in crate::weights) nodes: Vec<Node>,
    pub(in crate::weights) tensors: Vec<RawTensor>,
    /// Format and number of values of each storage by its name.
    pub(in crate::weights) storages: BTreeMap<String, (Dtype, u64)>,
    pub(in crate::weights) root: Value,
    /// The byte after its end mark.
    pub(in crate::weights) end: usize,
}
