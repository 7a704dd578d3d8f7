//! Products in whole numbers of 8 bits: dynamic quantisation.
//!
//! A product `x W` with a constant matrix of a tower's block becomes `DynamicQuantizeLinear`, which gives `x` as
//! numbers of 8 bits with a scale and a zero point found at run time, and `MatMulInteger`. Each column of `W` has a
//! scale of its own, its largest number over 127, and all have the zero point 128. Weights are unsigned, because
//! products of unsigned by signed numbers overflow on processors without VNNI. What stays f32: the patches, the
//! layer norms, the attention's own products, the projection and the classifier.

use crate::onnx::{Attribute, Graph, Node};
use crate::value::{Data, Type, Value};

/// The zero point of all weights.
const ZERO: u8 = 128;
/// The largest distance from it.
const STEPS: f32 = 127.0;
/// Names of weights of a tower's blocks have this part.
const BLOCKS: &str = ".layers.";

/// The graph with the products of its towers' blocks in 8 bits.
#[must_use]
pub fn quantise(graph: Graph) -> Graph {
    let Graph {
        name,
        nodes,
        weights,
        inputs,
        outputs,
        mut metadata,
    } = graph;
    metadata.insert(
        "vlpt.quantised".to_owned(),
        "dynamic, 8 bits, a scale for each column of weights".to_owned(),
    );
    let is_matrix = |name: &str, value: &Value| {
        let matrix = name.contains(BLOCKS) && value.shape.len() == 2;
        matrix && value.as_f32().is_some() && name.ends_with(".weight")
    };
    let mut all = Rewritten::default();
    all.weight("quantised.zero", Value::new(&[], Data::U8(vec![ZERO])));
    let mut matrices = Vec::new();
    for (name, value) in weights {
        if is_matrix(&name, &value) {
            let (numbers, scales) = columns(&value);
            all.weight(&name, numbers);
            all.weight(&format!("{name}.scale"), scales);
            matrices.push(name);
        } else {
            all.weights.push((name, value));
        }
    }
    for node in nodes {
        if node.op == "MatMul" && matrices.contains(&node.inputs[1]) {
            all.product(&node);
        } else {
            all.nodes.push(node);
        }
    }
    Graph {
        name,
        nodes: all.nodes,
        weights: all.weights,
        inputs,
        outputs,
        metadata,
    }
}

/// A matrix (inputs x outputs) in whole numbers, and the scale of each column.
fn columns(value: &Value) -> (Value, Value) {
    let (values, width) = (value.as_f32().unwrap_or_default(), value.shape[1]);
    let mut scales = vec![0.0_f32; width];
    for row in values.chunks_exact(width.max(1)) {
        for (scale, v) in scales.iter_mut().zip(row) {
            *scale = scale.max(v.abs() / STEPS);
        }
    }
    let number = |(v, scale): (&f32, &f32)| {
        let steps = if *scale > 0.0 { v / scale } else { 0.0 };
        (steps.round_ties_even().clamp(-STEPS, STEPS) + f32::from(ZERO)) as u8
    };
    let rows = values.chunks_exact(width.max(1));
    let numbers = rows.flat_map(|row| row.iter().zip(&scales).map(number));
    (
        Value::new(&value.shape, Data::U8(numbers.collect())),
        Value::f32(&[width], scales.clone()),
    )
}

#[derive(Default)]
struct Rewritten {
    nodes: Vec<Node>,
    weights: Vec<(String, Value)>,
    /// Edges that are there in whole numbers: queries, keys and values read the same one.
    quantised: Vec<(String, [String; 3])>,
}

impl Rewritten {
    fn weight(&mut self, name: &str, value: Value) {
        self.weights.push((name.to_owned(), value));
    }

    /// Puts a product in whole numbers in the place of one in f32.
    fn product(&mut self, node: &Node) {
        let [x, matrix] = [0, 1].map(|place| node.inputs[place].clone());
        let known = self.quantised.iter().find(|(edge, _)| *edge == x);
        let parts = known.map(|(_, parts)| parts.clone());
        let [numbers, scale, zero] = parts.unwrap_or_else(|| {
            let parts = ["numbers", "scale", "zero"].map(|part| format!("{x}/{part}"));
            self.node(node, "DynamicQuantizeLinear", &[&x], &parts, vec![]);
            self.quantised.push((x, parts.clone()));
            parts
        });
        let name = |part: &str| format!("{}/{part}", node.name);
        let (sums, floats, factor) = (name("sums"), name("floats"), name("factor"));
        let inputs = [&numbers, &matrix, &zero, &"quantised.zero".to_owned()];
        self.node(
            node,
            "MatMulInteger",
            &inputs,
            std::slice::from_ref(&sums),
            vec![],
        );
        let to = vec![("to", Attribute::Int(Type::F32.code()))];
        self.node(node, "Cast", &[&sums], std::slice::from_ref(&floats), to);
        let scales = format!("{matrix}.scale");
        let both = [&scale, &scales];
        self.node(node, "Mul", &both, std::slice::from_ref(&factor), vec![]);
        self.node(node, "Mul", &[&floats, &factor], &node.outputs, vec![]);
    }

    fn node(
        &mut self,
        old: &Node,
        op: &'static str,
        inputs: &[&String],
        outputs: &[String],
        attributes: Vec<(&'static str, Attribute)>,
    ) {
        self.nodes.push(Node {
            op,
            name: format!("{}/{op}_{}", old.name, self.nodes.len()),
            inputs: inputs.iter().map(|&name| name.clone()).collect(),
            outputs: outputs.to_vec(),
            attributes,
        });
    }
}
