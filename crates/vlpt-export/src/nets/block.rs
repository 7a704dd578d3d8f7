//! A residual block: attention and MLP, each behind its layer norm.

use vlpt_clip::{Activation, BlockWeights, LayerNormWeights, LinearWeights};

use crate::onnx::{Attribute, Builder, Edge};
use crate::value::Value;

/// Sizes and constants of a tower's blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockShape {
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) activation: Activation,
    pub(super) eps: f32,
}

/// Which tokens a block is asked for.
pub(super) type Asking<'a> = &'a dyn Fn(&mut Builder, &Edge) -> Edge;

/// The tokens after a block, given those before it (things x tokens x width): all, or those that
/// `asking` takes out of them. `mask` is added to the scores (queries x keys).
pub(super) fn block(
    b: &mut Builder,
    shape: BlockShape,
    weights: &BlockWeights,
    x: &Edge,
    mask: Option<&Edge>,
    asking: Option<Asking>,
) -> Edge {
    let part = b.current().to_owned();
    let h = norm(b, "ln_1", &weights.ln_1, shape.eps, x);
    let (x, asks) = match asking {
        None => (x.clone(), h.clone()),
        Some(asking) => (asking(b, x), asking(b, &h)),
    };
    b.part(format!("{part}.attn"));
    let attended = attention(b, shape, weights, &asks, &h, mask);
    b.part(part);
    let x = b.node("Add", &[&x, &attended]);
    let h = norm(b, "ln_2", &weights.ln_2, shape.eps, &x);
    let h = linear(b, "fc1", &weights.fc1, shape.width, &h);
    let h = activate(b, shape.activation, &h);
    let mlp = weights.fc1.bias.len();
    let h = linear(b, "fc2", &weights.fc2, mlp, &h);
    b.node("Add", &[&x, &h])
}

/// Multi-head attention of `asks` to `all`; the factor of the scores is in the queries' weights.
fn attention(
    b: &mut Builder,
    shape: BlockShape,
    weights: &BlockWeights,
    asks: &Edge,
    all: &Edge,
    mask: Option<&Edge>,
) -> Edge {
    let BlockShape { width, heads, .. } = shape;
    let factor = ((width / heads) as f32).sqrt().recip();
    let mut apart = |place: usize, name: &str, input: &Edge, order: [i64; 4]| {
        let rows = place * width..(place + 1) * width;
        let mut own = LinearWeights {
            weight: weights.qkv.weight[rows.start * width..rows.end * width].to_vec(),
            bias: weights.qkv.bias[rows].to_vec(),
        };
        if place == 0 {
            let numbers = own.weight.iter_mut().chain(&mut own.bias);
            numbers.for_each(|number| *number *= factor);
        }
        let own = linear(b, name, &own, width, input);
        let heads = b.reshape(&own, &[0, 0, heads as i64, (width / heads) as i64]);
        b.transpose(&heads, &order)
    };
    let q = apart(0, "q_proj", asks, [0, 2, 1, 3]);
    let k = apart(1, "k_proj", all, [0, 2, 3, 1]);
    let v = apart(2, "v_proj", all, [0, 2, 1, 3]);
    let mut scores = b.node("MatMul", &[&q, &k]);
    if let Some(mask) = mask {
        scores = b.node("Add", &[&scores, mask]);
    }
    let shares = b.softmax(&scores);
    let mixed = b.node("MatMul", &[&shares, &v]);
    let rows = b.transpose(&mixed, &[0, 2, 1, 3]);
    let rows = b.reshape(&rows, &[0, 0, width as i64]);
    linear(b, "out_proj", &weights.out, width, &rows)
}

/// `x W^T + b`, the weights stored as `x` meets them (inputs x outputs).
pub(super) fn linear(
    b: &mut Builder,
    name: &str,
    weights: &LinearWeights,
    inputs: usize,
    x: &Edge,
) -> Edge {
    let outputs = weights.bias.len();
    let weight = transposed(&weights.weight, outputs, inputs);
    let weight = b.weight(
        &format!("{name}.weight"),
        Value::f32(&[inputs, outputs], weight),
    );
    let bias = Value::f32(&[outputs], weights.bias.clone());
    let bias = b.weight(&format!("{name}.bias"), bias);
    let product = b.node("MatMul", &[x, &weight]);
    b.node("Add", &[&product, &bias])
}

/// A matrix (rows x columns) with rows and columns changed over.
pub(super) fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let column = |c: usize| (0..rows).map(move |r| matrix[r * columns + c]);
    (0..columns).flat_map(column).collect()
}

/// Layer norm over the last axis.
pub(super) fn norm(
    b: &mut Builder,
    name: &str,
    weights: &LayerNormWeights,
    eps: f32,
    x: &Edge,
) -> Edge {
    let value = |values: &[f32]| Value::f32(&[values.len()], values.to_vec());
    let gain = b.weight(&format!("{name}.weight"), value(&weights.weight));
    let bias = b.weight(&format!("{name}.bias"), value(&weights.bias));
    let told = [
        ("axis", Attribute::Int(-1)),
        ("epsilon", Attribute::Float(eps)),
    ];
    b.told("LayerNormalization", &[x, &gain, &bias], &told)
}

/// The MLP's activation: in operators that opset 18 has, as runtimes know to fuse them.
fn activate(b: &mut Builder, activation: Activation, x: &Edge) -> Edge {
    match activation {
        Activation::QuickGelu => {
            let factor = b.float(1.702);
            let scaled = b.node("Mul", &[x, &factor]);
            let share = b.node("Sigmoid", &[&scaled]);
            b.node("Mul", &[x, &share])
        }
        Activation::Gelu => {
            let [root, one, half] = [std::f32::consts::SQRT_2, 1.0, 0.5].map(|v| b.float(v));
            let scaled = b.node("Div", &[x, &root]);
            let erf = b.node("Erf", &[&scaled]);
            let above = b.node("Add", &[&erf, &one]);
            let share = b.node("Mul", &[x, &above]);
            b.node("Mul", &[&share, &half])
        }
    }
}
