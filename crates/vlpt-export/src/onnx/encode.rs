//! A graph as a file, its weights streamed; above a limit the large ones lie in a second file.
//!
//! Field numbers are those of `onnx.proto3` (ONNX IR version 8).

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use vlpt_base::atomic_file::AtomicFile;

use super::graph::{Attribute, Dim, Graph, Node, Port};
use super::protobuf::Message;
use crate::error::Result;
use crate::value::Value;

/// A message of protobuf stays below 2 GiB; so much of it is left for nodes and names.
pub const LIMIT: u64 = (2 << 30) - (64 << 20);

/// Version of the file's format.
const IR_VERSION: i64 = 8;
/// Version of the operators.
const OPSET: i64 = 18;
/// Weights of the second file begin at multiples of this, so that a runtime can map them.
const ALIGNMENT: u64 = 64 << 10;
/// Smaller weights stay in the first file.
const SMALL: usize = 1024;
/// A raw tensor outside of the file.
const EXTERNAL: i64 = 1;

/// The files that a graph became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Bytes of the first one.
    pub bytes: u64,
    /// Bytes of the second one, with the large weights; none where they are in the first.
    pub external_bytes: Option<u64>,
}

/// Writes a graph to `path`. Where its weights take more than `limit` bytes, those above 1 KiB go to
/// `NAME_data` beside it, as runtimes and transformers.js expect.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, graph: &Graph, limit: u64) -> Result<Written> {
    let total: u64 = graph.weights.iter().map(|(_, v)| v.bytes() as u64).sum();
    let beside = if total > limit {
        Some(External::write(path, graph)?)
    } else {
        None
    };
    let offset = |index: usize| beside.as_ref().and_then(|e| e.offsets[index]);
    let small = graph_message(graph);
    let heads: Vec<(Message, u64)> = graph
        .weights
        .iter()
        .enumerate()
        .map(|(index, (name, value))| {
            let location = beside.as_ref().map_or("", |e| &e.name);
            tensor(name, value, offset(index).map(|offset| (location, offset)))
        })
        .collect();
    // each initializer is a field of its own, so its key and length count too
    let framed = |(head, raw): &(Message, u64)| {
        let length = head.bytes().len() as u64 + raw;
        let mut frame = Message::default();
        frame.begin(5, length);
        (frame, length)
    };
    let frames: Vec<(Message, u64)> = heads.iter().map(framed).collect();
    let inner: u64 = frames
        .iter()
        .map(|(frame, length)| frame.bytes().len() as u64 + length)
        .sum();
    let mut front = model_message(graph);
    let length = small.bytes().len() as u64 + inner;
    front.begin(7, length);

    let mut file = AtomicFile::create(path)?;
    file.write_all(front.bytes())?;
    file.write_all(small.bytes())?;
    for (index, ((head, raw), (frame, _))) in heads.iter().zip(&frames).enumerate() {
        file.write_all(frame.bytes())?;
        file.write_all(head.bytes())?;
        if *raw > 0 {
            file.write_all(&graph.weights[index].1.to_le_bytes())?;
        }
    }
    file.commit()?;
    Ok(Written {
        bytes: front.bytes().len() as u64 + length,
        external_bytes: beside.map(|e| e.bytes),
    })
}

/// The second file.
struct External {
    name: String,
    /// Where each weight lies in it; none of those that stay in the first file.
    offsets: Vec<Option<u64>>,
    bytes: u64,
}

impl External {
    fn write(path: &Path, graph: &Graph) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name}_data");
        let mut file = AtomicFile::create(&path.with_file_name(&name))?;
        let (mut offsets, mut end) = (Vec::new(), 0_u64);
        for (_, value) in &graph.weights {
            if value.bytes() < SMALL {
                offsets.push(None);
                continue;
            }
            let start = end.next_multiple_of(ALIGNMENT);
            file.write_all(&vec![0; (start - end) as usize])?;
            file.write_all(&value.to_le_bytes())?;
            offsets.push(Some(start));
            end = start + value.bytes() as u64;
        }
        file.commit()?;
        Ok(Self {
            name,
            offsets,
            bytes: end,
        })
    }
}

/// A `TensorProto` without its raw bytes, and how many of these follow.
fn tensor(name: &str, value: &Value, external: Option<(&str, u64)>) -> (Message, u64) {
    let mut tensor = Message::default();
    for length in &value.shape {
        tensor.int(1, *length as i64);
    }
    tensor.int(2, value.data.kind().code());
    tensor.text(8, name);
    let bytes = value.bytes() as u64;
    let Some((location, offset)) = external else {
        tensor.begin(9, bytes);
        return (tensor, bytes);
    };
    for (key, text) in [
        ("location", location.to_owned()),
        ("offset", offset.to_string()),
        ("length", bytes.to_string()),
    ] {
        tensor.message(13, &pair(key, &text));
    }
    tensor.int(14, EXTERNAL);
    (tensor, 0)
}

/// A `ModelProto` without its graph.
fn model_message(graph: &Graph) -> Message {
    let mut model = Message::default();
    model.int(1, IR_VERSION);
    model.text(2, "vlpt");
    model.text(3, env!("CARGO_PKG_VERSION"));
    let mut operators = Message::default();
    operators.text(1, "");
    operators.int(2, OPSET);
    model.message(8, &operators);
    for (name, value) in &graph.metadata {
        model.message(14, &pair(name, value));
    }
    model
}

/// A `GraphProto` without its weights.
fn graph_message(graph: &Graph) -> Message {
    let mut message = Message::default();
    for node in &graph.nodes {
        message.message(1, &node_message(node));
    }
    message.text(2, &graph.name);
    for (field, ports) in [(11, &graph.inputs), (12, &graph.outputs)] {
        for port in ports {
            message.message(field, &port_message(port));
        }
    }
    message
}

fn node_message(node: &Node) -> Message {
    let mut message = Message::default();
    for input in &node.inputs {
        message.text(1, input);
    }
    for output in &node.outputs {
        message.text(2, output);
    }
    message.text(3, &node.name);
    message.text(4, node.op);
    for (name, value) in &node.attributes {
        let mut attribute = Message::default();
        attribute.text(1, name);
        let kind = match value {
            Attribute::Float(value) => {
                attribute.float(2, *value);
                1
            }
            Attribute::Int(value) => {
                attribute.int(3, *value);
                2
            }
            Attribute::Ints(values) => {
                for value in values {
                    attribute.int(8, *value);
                }
                7
            }
        };
        attribute.int(20, kind);
        message.message(5, &attribute);
    }
    message
}

fn port_message(port: &Port) -> Message {
    let mut shape = Message::default();
    for dimension in &port.shape {
        let mut dim = Message::default();
        match dimension {
            Dim::Fixed(length) => dim.int(1, *length as i64),
            Dim::Any(name) => dim.text(2, name),
        }
        shape.message(1, &dim);
    }
    let mut tensor = Message::default();
    tensor.int(1, port.kind.code());
    tensor.message(2, &shape);
    let mut kind = Message::default();
    kind.message(1, &tensor);
    let mut message = Message::default();
    message.text(1, &port.name);
    message.message(2, &kind);
    message
}

/// A `StringStringEntryProto`.
fn pair(key: &str, value: &str) -> Message {
    let mut pair = Message::default();
    pair.text(1, key);
    pair.text(2, value);
    pair
}
