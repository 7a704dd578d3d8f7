//! What a pickle holds, as far as tensors need it.

use std::collections::BTreeMap;
use std::sync::Arc;

use vlpt_base::pickle;

use crate::weights::dtype::Dtype;

/// A pickled value.
pub(in crate::weights) type Value = pickle::Value<Global, Extra>;
/// A container.
pub(in crate::weights) type Node = pickle::Node<Global, Extra>;

/// The classes and functions that tensors need.
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

/// The values that are none of Python's plain ones.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::weights) enum Extra {
    Storage {
        dtype: Dtype,
        key: Arc<str>,
        count: u64,
    },
    /// An index into [`Pickle::tensors`].
    Tensor(usize),
}

/// A tensor as the pickle describes it; nothing about it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::weights) struct RawTensor {
    pub(in crate::weights) dtype: Dtype,
    /// Name of the storage entry.
    pub(in crate::weights) key: Arc<str>,
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
