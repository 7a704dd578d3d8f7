//! Building a graph node by node.

use super::graph::{Attribute, Dim, Graph, Node, Port};
use crate::value::{Data, Type, Value};

/// A named edge of the graph that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge(String);

/// A graph that is being built. Names of nodes and weights begin with the part that is being built.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    graph: Graph,
    part: String,
    made: usize,
}

impl Builder {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            graph: Graph {
                name: name.to_owned(),
                ..Graph::default()
            },
            ..Self::default()
        }
    }

    /// What is built from here on.
    pub(crate) fn part(&mut self, part: impl Into<String>) {
        self.part = part.into();
    }

    /// What is being built.
    pub(crate) fn current(&self) -> &str {
        &self.part
    }

    /// What the file says of itself.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        let facts = &mut self.graph.metadata;
        facts.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn input(&mut self, name: &str, kind: Type, shape: &[Dim]) -> Edge {
        self.graph.inputs.push(Port {
            name: name.to_owned(),
            kind,
            shape: shape.to_vec(),
        });
        Edge(name.to_owned())
    }

    /// Makes an edge an output of this name.
    pub(crate) fn output(&mut self, edge: &Edge, name: &str, kind: Type, shape: &[Dim]) {
        let rename = |known: &mut String| {
            if *known == edge.0 {
                name.clone_into(known);
            }
        };
        for node in &mut self.graph.nodes {
            node.inputs.iter_mut().for_each(rename);
            node.outputs.iter_mut().for_each(rename);
        }
        self.graph.outputs.push(Port {
            name: name.to_owned(),
            kind,
            shape: shape.to_vec(),
        });
    }

    pub(crate) fn finish(self) -> Graph {
        self.graph
    }

    /// A constant with a name of its own within the part.
    pub(crate) fn weight(&mut self, name: &str, value: Value) -> Edge {
        let name = format!("{}.{name}", self.part);
        debug_assert!(self.graph.weights.iter().all(|(known, _)| *known != name));
        self.graph.weights.push((name.clone(), value));
        Edge(name)
    }

    /// A small constant, which equal ones share.
    pub(crate) fn constant(&mut self, value: Value) -> Edge {
        let mut known = self.graph.weights.iter();
        if let Some((name, _)) = known.find(|(_, known)| *known == value) {
            return Edge(name.clone());
        }
        let name = format!("constant.{}", self.graph.weights.len());
        self.graph.weights.push((name.clone(), value));
        Edge(name)
    }

    /// A list of whole numbers: axes, shapes, starts.
    pub(crate) fn ints(&mut self, values: &[i64]) -> Edge {
        let data = Data::I64(values.to_vec());
        self.constant(Value::new(&[values.len()], data))
    }

    /// A number that every element meets.
    pub(crate) fn float(&mut self, value: f32) -> Edge {
        self.constant(Value::f32(&[], vec![value]))
    }

    /// An operator with attributes and one output.
    pub(crate) fn told(
        &mut self,
        op: &'static str,
        inputs: &[&Edge],
        attributes: &[(&'static str, Attribute)],
    ) -> Edge {
        let [edge] = self.outputs(op, inputs, attributes);
        edge
    }

    /// An operator with several outputs.
    pub(crate) fn outputs<const N: usize>(
        &mut self,
        op: &'static str,
        inputs: &[&Edge],
        attributes: &[(&'static str, Attribute)],
    ) -> [Edge; N] {
        let name = format!("{}/{op}_{}", self.part, self.made);
        self.made += 1;
        let outputs: [String; N] = std::array::from_fn(|place| format!("{name}:{place}"));
        self.graph.nodes.push(Node {
            op,
            name,
            inputs: inputs.iter().map(|edge| edge.0.clone()).collect(),
            outputs: outputs.to_vec(),
            attributes: attributes.to_vec(),
        });
        outputs.map(Edge)
    }

    /// An operator with one output.
    pub(crate) fn node(&mut self, op: &'static str, inputs: &[&Edge]) -> Edge {
        self.told(op, inputs, &[])
    }

    pub(crate) fn concat(&mut self, edges: &[&Edge], axis: i64) -> Edge {
        self.told("Concat", edges, &[("axis", Attribute::Int(axis))])
    }

    pub(crate) fn transpose(&mut self, edge: &Edge, order: &[i64]) -> Edge {
        let order = Attribute::Ints(order.to_vec());
        self.told("Transpose", &[edge], &[("perm", order)])
    }

    /// Another shape; 0 keeps a dimension, -1 takes what is left.
    pub(crate) fn reshape(&mut self, edge: &Edge, shape: &[i64]) -> Edge {
        let shape = self.ints(shape);
        self.node("Reshape", &[edge, &shape])
    }

    /// Numbers `from..to` of an axis; `i64::MAX` for all to its end.
    pub(crate) fn slice(&mut self, edge: &Edge, axis: i64, from: i64, to: i64) -> Edge {
        let [axis, from, to] = [axis, from, to].map(|number| self.ints(&[number]));
        self.node("Slice", &[edge, &from, &to, &axis])
    }

    /// Rows divided by their length, one of zeros staying as it is.
    pub(crate) fn unit_rows(&mut self, rows: &Edge) -> Edge {
        let axis = self.ints(&[-1]);
        let squares = self.node("Mul", &[rows, rows]);
        let sum = self.node("ReduceSum", &[&squares, &axis]);
        let length = self.node("Sqrt", &[&sum]);
        let least = self.float(f32::MIN_POSITIVE);
        let length = self.node("Max", &[&length, &least]);
        self.node("Div", &[rows, &length])
    }

    /// The softmax of each row.
    pub(crate) fn softmax(&mut self, edge: &Edge) -> Edge {
        self.told("Softmax", &[edge], &[("axis", Attribute::Int(-1))])
    }
}
