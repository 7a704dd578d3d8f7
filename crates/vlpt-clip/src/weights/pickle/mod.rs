//! A pickle reader that runs nothing.
//!
//! A pickle is a program for a small stack machine, and the general machine may call any function.
//! This one knows the instructions that PyTorch writes for tensors, and treats the few functions
//! and classes they name as inert marks. Training programs save optimisers and schedules beside
//! the tensors; the classes and functions of a short list that these need ([`inert`]) stand for
//! values that are dropped unseen. Everything else is refused, by its name and position.
//! Containers live in one arena and are referred to by number, so that shared and cyclic values
//! cost nothing and are never copied.

mod codes;
mod value;

use std::collections::BTreeMap;

use codes::{inert, instruction, storage_type};

use crate::weights::dtype::Dtype;
pub(super) use value::{Global, Node, Pickle, RawTensor, Refused, Value};

/// The largest pickle read: the tensors' bytes lie outside of it.
pub(super) const MAX_PICKLE: u64 = 64 << 20;
/// The longest name or text inside.
const MAX_TEXT: usize = 1 << 20;

/// Reads the pickle that begins at byte `start`; [`Pickle::end`] says where it ends. Positions
/// are counted from the first byte.
pub(super) fn read(bytes: &[u8], start: usize) -> Result<Pickle, Refused> {
    let mut machine = Machine {
        bytes,
        at: start,
        start,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        nodes: Vec::new(),
        tensors: Vec::new(),
        storages: BTreeMap::new(),
    };
    loop {
        if let Some(root) = machine.step()? {
            return Ok(Pickle {
                nodes: machine.nodes,
                tensors: machine.tensors,
                storages: machine.storages,
                root,
                end: machine.at,
            });
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the instruction being run begins.
    start: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value>,
    nodes: Vec<Node>,
    tensors: Vec<RawTensor>,
    storages: BTreeMap<String, (Dtype, u64)>,
}

impl<'a> Machine<'a> {
    fn step(&mut self) -> Result<Option<Value>, Refused> {
        self.start = self.at;
        match self.byte()? {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let version = self.byte()?;
                if version > 2 {
                    return self.refuse(format!("protocol {version}, only 2 and older are read"));
                }
            }
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(i64::from(number)));
            }
            b'K' => {
                let number = self.byte()?;
                self.push(Value::Int(i64::from(number)));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(i64::from(number)));
            }
            0x8a => self.long()?,
            b'G' => {
                let number = f64::from_be_bytes(self.array()?);
                self.push(Value::Float(number));
            }
            b'X' | b'T' => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                self.text(length)?;
            }
            b'U' => {
                let length = self.byte()? as usize;
                self.text(length)?;
            }
            b')' => self.node(Node::Tuple(Vec::new())),
            b']' => self.node(Node::List(Vec::new())),
            b'}' => self.node(Node::Dict(Vec::new())),
            b't' => {
                let items = self.since_mark()?;
                self.node(Node::Tuple(items));
            }
            count @ 0x85..=0x87 => {
                let mut items: Vec<Value> = (0x84..count)
                    .map(|_| self.pop())
                    .collect::<Result<_, _>>()?;
                items.reverse();
                self.node(Node::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(vec![key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.set_items(items)?;
            }
            b'q' => {
                let index = u32::from(self.byte()?);
                self.remember(index)?;
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)?;
            }
            b'h' => {
                let index = u32::from(self.byte()?);
                self.recall(index)?;
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)?;
            }
            b'c' => self.global()?,
            b'Q' => self.storage()?,
            b'R' => self.reduce()?,
            0x81 => self.new_object()?,
            b'b' => self.build()?,
            other => return self.refuse(format!("instruction {}", instruction(other))),
        }
        Ok(None)
    }

    fn refuse<T>(&self, what: impl Into<String>) -> Result<T, Refused> {
        Err(Refused {
            position: self.start as u64,
            what: what.into(),
        })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Refused> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => self.refuse(format!("cut off at byte {}", self.bytes.len())),
        }
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        Ok(self
            .take(N)?
            .try_into()
            .expect("take gives as many bytes as asked for"))
    }

    fn long(&mut self) -> Result<(), Refused> {
        let length = self.byte()? as usize;
        if length > 8 {
            return self.refuse(format!(
                "a whole number of {length} bytes, at most 8 are read"
            ));
        }
        let bytes = self.take(length)?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) {
            0xff
        } else {
            0
        };
        let mut wide = [sign; 8];
        wide[..length].copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<(), Refused> {
        if length > MAX_TEXT {
            return self.refuse(format!(
                "a text of {length} bytes, at most {MAX_TEXT} are read"
            ));
        }
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, Refused> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().take(MAX_TEXT).position(|byte| *byte == b'\n') else {
            return self.refuse("a name without an end");
        };
        let line = self.take(length + 1)?;
        match std::str::from_utf8(&line[..length]) {
            Ok(line) => Ok(line),
            Err(_) => self.refuse("a name that is not UTF-8"),
        }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn node(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(Value::Node(self.nodes.len() - 1));
    }

    /// The top of the stack, not below the last mark.
    fn pop(&mut self) -> Result<Value, Refused> {
        if self.stack.len() > self.marks.last().copied().unwrap_or(0) {
            return Ok(self.stack.pop().expect("longer than something"));
        }
        self.refuse("a value is taken from an empty stack")
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, Refused> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => self.refuse("no mark on the stack"),
        }
    }

    fn top_node(&mut self) -> Result<&mut Node, Refused> {
        match self.stack.last() {
            Some(Value::Node(index)) => Ok(&mut self.nodes[*index]),
            _ => self.refuse("a container is needed here"),
        }
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), Refused> {
        match self.top_node()? {
            Node::List(list) => list.extend(items),
            Node::Inert => {}
            _ => return self.refuse("items for something that is no list"),
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<(), Refused> {
        if !items.len().is_multiple_of(2) {
            return self.refuse("a key without a value");
        }
        let mut items = items.into_iter();
        match self.top_node()? {
            Node::Dict(pairs) => {
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
            }
            Node::Inert => {}
            _ => return self.refuse("entries for something that is no dict"),
        }
        Ok(())
    }

    fn remember(&mut self, index: u32) -> Result<(), Refused> {
        match self.stack.last() {
            Some(value) => {
                self.memo.insert(index, value.clone());
                Ok(())
            }
            None => self.refuse("nothing to remember"),
        }
    }

    fn recall(&mut self, index: u32) -> Result<(), Refused> {
        match self.memo.get(&index) {
            Some(value) => {
                self.stack.push(value.clone());
                Ok(())
            }
            None => self.refuse(format!("nothing was remembered as {index}")),
        }
    }

    fn global(&mut self) -> Result<(), Refused> {
        let (module, name) = (self.line()?, self.line()?);
        let global = match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            (
                "torch.jit._pickle",
                "build_intlist" | "build_boollist" | "build_doublelist" | "build_tensorlist",
            ) => Global::BuildList,
            ("torch", storage) if storage_type(storage).is_some() => {
                Global::Storage(storage_type(storage).expect("looked up in the guard"))
            }
            (code, _) if code == "__torch__" || code.starts_with("__torch__.") => Global::Module,
            (module, name) if inert(module, name) => Global::Inert,
            _ => return self.refuse(format!("global {module}.{name}")),
        };
        self.push(Value::Global(global));
        Ok(())
    }

    /// The only persistent ids are those of storages: `("storage", type, key, device, count)`, and
    /// in the older file format a sixth value, which is none unless the storage is a part of another.
    fn storage(&mut self) -> Result<(), Refused> {
        let id = self.pop()?;
        let storage = self.tuple(&id).and_then(|items| match items {
            [
                Value::Text(word),
                Value::Global(Global::Storage(dtype)),
                Value::Text(key),
                Value::Text(_),
                Value::Int(count),
                rest @ ..,
            ] if word == "storage" && matches!(rest, [] | [Value::None]) => {
                let (dtype, key, count) = (*dtype, key.clone(), u64::try_from(*count).ok()?);
                Some(Value::Storage { dtype, key, count })
            }
            _ => None,
        });
        match storage {
            Some(Value::Storage { dtype, key, count }) => {
                let first = self.storages.entry(key.clone()).or_insert((dtype, count));
                if *first != (dtype, count) {
                    return self.refuse(format!("two different storages are called {key:?}"));
                }
                self.push(Value::Storage { dtype, key, count });
                Ok(())
            }
            _ => self.refuse("a persistent id that is no storage"),
        }
    }

    fn tuple(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Node(index) => match &self.nodes[*index] {
                Node::Tuple(items) => Some(items),
                _ => None,
            },
            _ => None,
        }
    }

    fn reduce(&mut self) -> Result<(), Refused> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Value::Global(global) = callable else {
            return self.refuse("a call of something that is no function");
        };
        let Some(arguments) = self.tuple(&arguments).map(<[Value]>::to_vec) else {
            return self.refuse("a call whose arguments are no tuple");
        };
        match (global, arguments.as_slice()) {
            (Global::OrderedDict, []) => self.node(Node::Dict(Vec::new())),
            (Global::Inert, _) => self.node(Node::Inert),
            (Global::BuildList, [list @ Value::Node(_)]) => self.push(list.clone()),
            (Global::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => {
                self.push(tensor.clone());
            }
            (
                Global::RebuildTensor,
                [
                    Value::Storage { dtype, key, count },
                    Value::Int(offset),
                    shape,
                    strides,
                    ..,
                ],
            ) => {
                let (Some(shape), Some(strides)) = (self.ints(shape), self.ints(strides)) else {
                    return self.refuse("a tensor whose shape or strides are no whole numbers");
                };
                self.tensors.push(RawTensor {
                    dtype: *dtype,
                    key: key.clone(),
                    count: *count,
                    offset: *offset,
                    shape,
                    strides,
                });
                self.push(Value::Tensor(self.tensors.len() - 1));
            }
            (global, _) => return self.refuse(format!("a call of {global:?} with such arguments")),
        }
        Ok(())
    }

    fn ints(&self, value: &Value) -> Option<Vec<i64>> {
        self.tuple(value)?
            .iter()
            .map(|item| {
                if let Value::Int(n) = item {
                    Some(*n)
                } else {
                    None
                }
            })
            .collect()
    }

    fn new_object(&mut self) -> Result<(), Refused> {
        let (arguments, class) = (self.pop()?, self.pop()?);
        let empty = self.tuple(&arguments).is_some_and(<[Value]>::is_empty);
        match class {
            Value::Global(Global::Module) if empty => self.node(Node::Module(None)),
            Value::Global(Global::Inert) => self.node(Node::Inert),
            _ => return self.refuse("an object of a class that is no TorchScript module"),
        }
        Ok(())
    }

    /// Gives a TorchScript module its attributes. The state of an ordered dict is PyTorch's
    /// version table, which is dropped, and so is the state of an inert object.
    fn build(&mut self) -> Result<(), Refused> {
        let state = self.pop()?;
        if matches!(self.top_node()?, Node::Inert) {
            return Ok(());
        }
        let index = match state {
            Value::Node(index) if matches!(self.nodes[index], Node::Dict(_)) => index,
            _ => return self.refuse("a state that is no dict"),
        };
        match self.top_node()? {
            Node::Module(attributes @ None) => *attributes = Some(index),
            Node::Dict(_) => {}
            _ => return self.refuse("a state for something that has none"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod attacks;
