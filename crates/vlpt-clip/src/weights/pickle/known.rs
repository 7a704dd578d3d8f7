//! The classes and functions that files of PyTorch's need: those that make tensors, and a short list
//! of those that training programs save beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use vlpt_base::pickle::{Known, Made, tuple};

use super::{Extra, Global, Node, RawTensor, Value};
use crate::weights::dtype::Dtype;

/// What reading a file of PyTorch's collects.
#[derive(Debug, Default)]
pub(super) struct Torch {
    pub(super) tensors: Vec<RawTensor>,
    /// Format and number of values of each storage by its name.
    pub(super) storages: BTreeMap<String, (Dtype, u64)>,
}

impl Known for Torch {
    type Global = Global;
    type Extra = Extra;
    const PROTOCOL: u8 = 2;
    const NO_OBJECT: &'static str = "an object of a class that is no TorchScript module";

    fn global(&self, module: &str, name: &str) -> Option<Global> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            (
                "torch.jit._pickle",
                "build_intlist" | "build_boollist" | "build_doublelist" | "build_tensorlist",
            ) => Global::BuildList,
            ("torch", storage) if storage_type(storage).is_some() => {
                Global::Storage(storage_type(storage)?)
            }
            (code, _) if code == "__torch__" || code.starts_with("__torch__.") => Global::Module,
            (module, name) if inert(module, name) => Global::Inert,
            _ => return None,
        })
    }

    fn is_inert(&self, global: &Global) -> bool {
        *global == Global::Inert
    }

    fn has_objects(&self, global: &Global) -> bool {
        *global == Global::Module
    }

    fn call(
        &mut self,
        global: &Global,
        arguments: &[Value],
        nodes: &[Node],
    ) -> Result<Option<Made<Value>>, String> {
        Ok(match (global, arguments) {
            (Global::OrderedDict, []) => Some(Made::Dict),
            (Global::BuildList, [list @ Value::Node(_)]) => Some(Made::Value(list.clone())),
            (Global::RebuildParameter, [tensor @ Value::Extra(Extra::Tensor(_)), ..]) => {
                Some(Made::Value(tensor.clone()))
            }
            (
                Global::RebuildTensor,
                [
                    Value::Extra(Extra::Storage { dtype, key, count }),
                    Value::Int(offset),
                    shape,
                    strides,
                    ..,
                ],
            ) => {
                let (Some(shape), Some(strides)) = (ints(shape, nodes), ints(strides, nodes))
                else {
                    return Err("a tensor whose shape or strides are no whole numbers".to_owned());
                };
                self.tensors.push(RawTensor {
                    dtype: *dtype,
                    key: Arc::clone(key),
                    count: *count,
                    offset: *offset,
                    shape,
                    strides,
                });
                let tensor = Extra::Tensor(self.tensors.len() - 1);
                Some(Made::Value(Value::Extra(tensor)))
            }
            _ => None,
        })
    }

    /// The only persistent ids are those of storages: `("storage", type, key, device, count)`, and
    /// in the older file format a sixth value, which is none unless the storage is a part of another.
    fn persistent(&mut self, id: &Value, nodes: &[Node]) -> Result<Extra, String> {
        let storage = tuple(id, nodes).and_then(|items| match items {
            [
                Value::Text(word),
                Value::Global(Global::Storage(dtype)),
                Value::Text(key),
                Value::Text(_),
                Value::Int(count),
                rest @ ..,
            ] if &**word == "storage" && matches!(rest, [] | [Value::None]) => {
                Some((*dtype, key, u64::try_from(*count).ok()?))
            }
            _ => None,
        });
        let Some((dtype, key, count)) = storage else {
            return Err("a persistent id that is no storage".to_owned());
        };
        let first = self.storages.entry(key.to_string());
        if *first.or_insert((dtype, count)) != (dtype, count) {
            return Err(format!("two different storages are called {key:?}"));
        }
        let key = Arc::clone(key);
        Ok(Extra::Storage { dtype, key, count })
    }
}

fn ints(value: &Value, nodes: &[Node]) -> Option<Vec<i64>> {
    let int = |item: &Value| match item {
        Value::Int(n) => Some(*n),
        _ => None,
    };
    tuple(value, nodes)?.iter().map(int).collect()
}

/// PyTorch's storage classes.
fn storage_type(name: &str) -> Option<Dtype> {
    Some(match name {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "DoubleStorage" => Dtype::F64,
        "LongStorage" => Dtype::Other("i64", 8),
        "IntStorage" => Dtype::Other("i32", 4),
        "ShortStorage" => Dtype::Other("i16", 2),
        "CharStorage" => Dtype::Other("i8", 1),
        "ByteStorage" => Dtype::Other("u8", 1),
        "BoolStorage" => Dtype::Other("bool", 1),
        _ => return None,
    })
}

/// Whether a class or function is one that training programs save beside the weights: optimisers
/// and schedules with their dicts, and NumPy numbers. They are never looked up, let alone called:
/// what a pickle makes of them is dropped.
fn inert(module: &str, name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match module {
        "collections" => name == "defaultdict",
        "__builtin__" | "builtins" => matches!(name, "dict" | "list" | "set"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => name == "scalar",
        "numpy" => name == "dtype",
        "_codecs" => name == "encode",
        _ => plain && (module.starts_with("torch.optim.") || module.starts_with("dassl.optim.")),
    }
}
