//! The stack machine.

use std::collections::BTreeMap;

use super::codes::instruction;
use super::{
    Known, Made, Node, NodeOf, Pickle, PickleOf, RawString, Refused, Value, ValueOf, tuple,
};

/// The longest name or text inside.
const MAX_TEXT: usize = 1 << 20;
/// The first protocol with frames, implicit memo numbers and texts of one length byte.
const FRAMED: u8 = 4;

pub(super) struct Machine<'a, 'k, K: Known> {
    known: &'k mut K,
    bytes: &'a [u8],
    at: usize,
    /// Where the instruction being run begins.
    start: usize,
    stack: Vec<ValueOf<K>>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, ValueOf<K>>,
    nodes: Vec<NodeOf<K>>,
}

impl<'a, 'k, K: Known> Machine<'a, 'k, K> {
    pub(super) fn new(bytes: &'a [u8], start: usize, known: &'k mut K) -> Self {
        Self {
            known,
            bytes,
            at: start,
            start,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            nodes: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Result<PickleOf<K>, Refused> {
        for _ in 0..K::MAX_STEPS {
            if let Some(root) = self.step()? {
                return Ok(Pickle {
                    nodes: self.nodes,
                    root,
                    end: self.at,
                });
            }
        }
        self.refuse(format!("more than {} instructions", K::MAX_STEPS))
    }

    fn step(&mut self) -> Result<Option<ValueOf<K>>, Refused> {
        self.start = self.at;
        match self.byte()? {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let (version, newest) = (self.byte()?, K::PROTOCOL);
                if version > newest {
                    return self.refuse(format!(
                        "protocol {version}, only {newest} and older are read"
                    ));
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
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(u64::from(length))?;
            }
            // `str` of Python 2: bytes where the reader takes bytes, else a text
            b'T' => {
                let length = u32::from_le_bytes(self.array()?);
                self.bytes_or_text(u64::from(length))?;
            }
            b'U' => {
                let length = self.byte()?;
                self.bytes_or_text(u64::from(length))?;
            }
            b'B' if K::STRINGS => {
                let length = u32::from_le_bytes(self.array()?);
                self.bytes(u64::from(length))?;
            }
            b'C' if K::STRINGS => {
                let length = self.byte()?;
                self.bytes(u64::from(length))?;
            }
            b')' => self.node(Node::Tuple(Vec::new())),
            b']' => self.node(Node::List(Vec::new())),
            b'}' => self.node(Node::Dict(Vec::new())),
            b't' => {
                let items = self.since_mark()?;
                self.node(Node::Tuple(items));
            }
            count @ 0x85..=0x87 => {
                let mut items: Vec<ValueOf<K>> = (0x84..count)
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
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            b'Q' => {
                let id = self.pop()?;
                match self.known.persistent(&id, &self.nodes) {
                    Ok(value) => self.push(Value::Extra(value)),
                    Err(what) => return self.refuse(what),
                }
            }
            b'R' => self.reduce()?,
            0x81 => self.new_object()?,
            b'b' => self.build()?,
            code => self.newer(code)?,
        }
        Ok(None)
    }

    /// Instructions that came with protocol 4.
    fn newer(&mut self, code: u8) -> Result<(), Refused> {
        match code {
            // a frame's length is for readers of streams
            0x95 if K::PROTOCOL >= FRAMED => self.take(8).map(|_| ()),
            0x8c if K::PROTOCOL >= FRAMED => {
                let length = self.byte()?;
                self.text(u64::from(length))
            }
            0x8d if K::PROTOCOL >= FRAMED => {
                let length = u64::from_le_bytes(self.array()?);
                self.text(length)
            }
            0x8e if K::STRINGS && K::PROTOCOL >= FRAMED => {
                let length = u64::from_le_bytes(self.array()?);
                self.bytes(length)
            }
            0x94 if K::PROTOCOL >= FRAMED => {
                let index = self.memo.len() as u32;
                self.remember(index)
            }
            0x93 if K::PROTOCOL >= FRAMED => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.global(&module, &name),
                _ => self.refuse("a class or function whose name is no text"),
            },
            other => self.refuse(format!("instruction {}", instruction(other))),
        }
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

    fn text(&mut self, length: u64) -> Result<(), Refused> {
        if length > MAX_TEXT as u64 {
            if self.own_string(RawString::Text, length)? {
                return Ok(());
            }
            return self.refuse(format!(
                "a text of {length} bytes, at most {MAX_TEXT} are read"
            ));
        }
        let text = String::from_utf8_lossy(self.take(length as usize)?);
        self.push(Value::Text(text.into()));
        Ok(())
    }

    /// Bytes, where the reader takes them.
    fn bytes(&mut self, length: u64) -> Result<(), Refused> {
        if self.own_string(RawString::Bytes, length)? {
            return Ok(());
        }
        self.refuse("bytes, which have no meaning here")
    }

    fn bytes_or_text(&mut self, length: u64) -> Result<(), Refused> {
        if self.own_string(RawString::Bytes, length)? {
            return Ok(());
        }
        self.text(length)
    }

    /// Hands a string to the reader by its place; whether it was taken. The place is inside the file.
    fn own_string(&mut self, kind: RawString, length: u64) -> Result<bool, Refused> {
        if !K::STRINGS {
            return Ok(false);
        }
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length));
        let Some(end) = end.filter(|&end| end <= self.bytes.len()) else {
            return self.refuse(format!("cut off at byte {}", self.bytes.len()));
        };
        let Some(value) = self.known.string(kind, self.at..end) else {
            return Ok(false);
        };
        self.at = end;
        self.push(Value::Extra(value));
        Ok(true)
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

    fn push(&mut self, value: ValueOf<K>) {
        self.stack.push(value);
    }

    fn node(&mut self, node: NodeOf<K>) {
        self.nodes.push(node);
        self.stack.push(Value::Node(self.nodes.len() - 1));
    }

    /// The top of the stack, not below the last mark.
    fn pop(&mut self) -> Result<ValueOf<K>, Refused> {
        if self.stack.len() > self.marks.last().copied().unwrap_or(0) {
            return Ok(self.stack.pop().expect("longer than something"));
        }
        self.refuse("a value is taken from an empty stack")
    }

    fn since_mark(&mut self) -> Result<Vec<ValueOf<K>>, Refused> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => self.refuse("no mark on the stack"),
        }
    }

    fn top_node(&mut self) -> Result<&mut NodeOf<K>, Refused> {
        match self.stack.last() {
            Some(Value::Node(index)) => Ok(&mut self.nodes[*index]),
            _ => self.refuse("a container is needed here"),
        }
    }

    fn append(&mut self, items: Vec<ValueOf<K>>) -> Result<(), Refused> {
        match self.top_node()? {
            Node::List(list) => list.extend(items),
            Node::Inert => {}
            _ => return self.refuse("items for something that is no list"),
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<ValueOf<K>>) -> Result<(), Refused> {
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

    fn global(&mut self, module: &str, name: &str) -> Result<(), Refused> {
        match self.known.global(module, name) {
            Some(global) => {
                self.push(Value::Global(global));
                Ok(())
            }
            None => self.refuse(format!("global {}", shown(&format!("{module}.{name}")))),
        }
    }

    fn reduce(&mut self) -> Result<(), Refused> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Value::Global(global) = callable else {
            return self.refuse("a call of something that is no function");
        };
        let Some(arguments) = tuple(&arguments, &self.nodes) else {
            return self.refuse("a call whose arguments are no tuple");
        };
        if self.known.is_inert(&global) {
            self.node(Node::Inert);
            return Ok(());
        }
        match self.known.call(&global, arguments, &self.nodes) {
            Ok(Some(Made::Dict)) => self.node(Node::Dict(Vec::new())),
            Ok(Some(Made::Value(value))) => self.push(value),
            Ok(None) => return self.refuse(format!("a call of {global:?} with such arguments")),
            Err(what) => return self.refuse(what),
        }
        Ok(())
    }

    fn new_object(&mut self) -> Result<(), Refused> {
        let (arguments, class) = (self.pop()?, self.pop()?);
        let empty = tuple(&arguments, &self.nodes).is_some_and(<[_]>::is_empty);
        match class {
            Value::Global(class) if self.known.is_inert(&class) => self.node(Node::Inert),
            Value::Global(class) if empty && self.known.has_objects(&class) => {
                self.node(Node::Object(class, None));
            }
            _ => return self.refuse(K::NO_OBJECT),
        }
        Ok(())
    }

    /// Gives an object its attributes. The state of a dict of a class of its own (PyTorch's version
    /// table) is dropped, and so is the state of an inert object.
    fn build(&mut self) -> Result<(), Refused> {
        let state = self.pop()?;
        if let Some(Value::Extra(value)) = self.stack.last() {
            return match self.known.build(value, &state, &self.nodes) {
                Ok(true) => Ok(()),
                Ok(false) => self.refuse("a state for something that has none"),
                Err(what) => self.refuse(what),
            };
        }
        if matches!(self.top_node()?, Node::Inert) {
            return Ok(());
        }
        let index = match state {
            Value::Node(index) if matches!(self.nodes[index], Node::Dict(_)) => index,
            _ => return self.refuse("a state that is no dict"),
        };
        match self.top_node()? {
            Node::Object(_, attributes @ None) => *attributes = Some(index),
            Node::Dict(_) => {}
            _ => return self.refuse("a state for something that has none"),
        }
        Ok(())
    }
}

/// A name as a message shows it: the first 200 characters of a longer one.
fn shown(name: &str) -> String {
    let mut chars = name.chars();
    let start: String = chars.by_ref().take(200).collect();
    if chars.next().is_some() {
        start + "..."
    } else {
        start
    }
}
