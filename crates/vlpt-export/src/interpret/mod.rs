//! Runs a graph: a plain interpreter of the operators that the graphs use, to check what is written.
//!
//! It follows ONNX's definitions one operator at a time and shares no code with the towers but matrix
//! products of f32, so that a mistake in a graph, in folding, or in the towers shows.

mod broadcast;
mod elements;
mod integers;
mod products;
mod rows;
mod shapes;

use std::collections::HashMap;

use crate::error::{ExportError, Result};
use crate::onnx::{Graph, Node};
use crate::value::{Data, Value};

/// What an operator says that cannot be run.
type Ran = std::result::Result<Vec<Value>, String>;

/// Values of the graph's outputs, in their order, given those of its inputs.
///
/// # Errors
/// [`ExportError::Node`], for an operator or shapes that are not known.
pub fn run(graph: &Graph, inputs: &[(&str, Value)]) -> Result<Vec<Value>> {
    let mut known: HashMap<&str, &Value> = HashMap::new();
    for (name, value) in &graph.weights {
        known.insert(name, value);
    }
    for (name, value) in inputs {
        known.insert(name, value);
    }
    // what is read for the last time by node number ... is dropped behind it
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            last.insert(input, number);
        }
    }
    for port in &graph.outputs {
        last.insert(&port.name, usize::MAX);
    }
    let mut made: HashMap<&str, Value> = HashMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        let failed = |what: String| ExportError::Node {
            node: format!("{} ({})", node.name, node.op),
            what,
        };
        let inputs = node.inputs.iter().map(|name| {
            let made = made.get(name.as_str());
            made.or_else(|| known.get(name.as_str()).copied())
                .ok_or_else(|| failed(format!("its input {name} is not there")))
        });
        let inputs: Vec<&Value> = inputs.collect::<Result<_>>()?;
        let outputs = apply(node, &inputs).map_err(failed)?;
        for (name, value) in node.outputs.iter().zip(outputs) {
            made.insert(name, value);
        }
        for name in &node.inputs {
            if last.get(name.as_str()) == Some(&number) {
                made.remove(name.as_str());
            }
        }
    }
    let outputs = graph.outputs.iter().map(|port| {
        made.remove(port.name.as_str())
            .ok_or_else(|| ExportError::Node {
                node: port.name.clone(),
                what: "no node fills this output".to_owned(),
            })
    });
    outputs.collect()
}

fn apply(node: &Node, x: &[&Value]) -> Ran {
    let one = |value: std::result::Result<Value, String>| value.map(|value| vec![value]);
    match (node.op, x) {
        ("Add" | "Sub" | "Mul" | "Div" | "Max" | "Min", [a, b]) => {
            one(elements::arithmetic(node.op, a, b))
        }
        ("Less" | "GreaterOrEqual" | "Equal", [a, b]) => one(elements::compared(node.op, a, b)),
        ("And", [a, b]) => one(elements::both(a, b)),
        ("Where", [condition, a, b]) => one(elements::chosen(condition, a, b)),
        ("Clip", [x, least, most]) => {
            let raised = elements::arithmetic("Max", x, least)?;
            one(elements::arithmetic("Min", &raised, most))
        }
        ("Abs" | "Erf" | "Exp" | "Floor" | "Neg" | "Round" | "Sigmoid" | "Sign" | "Sqrt", [x]) => {
            one(elements::mapped(node.op, x))
        }
        ("Cast", [x]) => one(elements::cast(node, x)),
        ("Reshape", [x, shape]) => one(shapes::reshape(x, shape)),
        ("Unsqueeze", [x, axes]) => one(shapes::unsqueeze(x, axes)),
        ("Transpose", [x]) => one(shapes::transpose(node, x)),
        ("Concat", [_, ..]) => one(shapes::concat(node, x)),
        ("Slice", [x, starts, ends, axes]) => one(shapes::slice(x, starts, ends, axes)),
        ("Gather", [table, numbers]) => one(shapes::gather(node, table, numbers)),
        ("Expand", [x, shape]) => one(shapes::expand(x, shape)),
        ("Shape", [x]) => one(Ok(shapes::shape(x))),
        ("Range", [from, to, step]) => one(shapes::range(from, to, step)),
        ("ReduceSum" | "ReduceMean", [x, axes]) => one(rows::reduce(node, x, axes)),
        ("ArgMax", [x]) => one(rows::arg_max(node, x)),
        ("Softmax", [x]) => one(rows::softmax(x)),
        ("LayerNormalization", [x, gain, bias]) => one(rows::layer_norm(node, x, gain, bias)),
        ("MatMul", [a, b]) => one(products::product(a, b)),
        ("Conv", [x, weight]) => one(products::convolve(node, x, weight)),
        ("DynamicQuantizeLinear", [x]) => integers::quantise(x),
        ("MatMulInteger", [a, b, zero_a, zero_b]) => one(integers::product(a, b, zero_a, zero_b)),
        _ => Err(format!("not known with {} inputs", x.len())),
    }
}

/// The f32 numbers of a value.
fn floats(value: &Value) -> std::result::Result<&[f32], String> {
    value
        .as_f32()
        .ok_or_else(|| format!("{:?} numbers: expected F32", value.data.kind()))
}

/// The whole numbers of a value.
fn whole(value: &Value) -> std::result::Result<&[i64], String> {
    match &value.data {
        Data::I64(values) => Ok(values),
        other => Err(format!("{:?} numbers: expected I64", other.kind())),
    }
}

/// An axis counted from the end where it is negative.
fn axis_of(axis: i64, axes: usize) -> std::result::Result<usize, String> {
    let place = if axis < 0 { axis + axes as i64 } else { axis };
    usize::try_from(place)
        .ok()
        .filter(|&place| place < axes)
        .ok_or_else(|| format!("axis {axis} of {axes}"))
}
