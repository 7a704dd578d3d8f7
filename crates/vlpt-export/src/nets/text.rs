//! The text tower with what was learned in its weights.

use vlpt_clip::{TextConfig, TextWeights};

use super::block::{BlockShape, block, norm};
use crate::onnx::{Attribute, Builder, Edge};
use crate::value::{Data, Type, Value};

/// Features (texts x embed) of `ids` (texts x tokens, from the start to at least the end token).
pub(crate) fn text(
    b: &mut Builder,
    config: &TextConfig,
    embed: usize,
    weights: &TextWeights,
    ids: &Edge,
) -> Edge {
    b.part("text");
    let (width, context) = (config.width, config.context_length);
    let tokens = b.node("Shape", &[ids]);
    let tokens = b.slice(&tokens, 0, 1, 2);
    let table = Value::f32(
        &[weights.token_embedding.len() / width, width],
        weights.token_embedding.clone(),
    );
    let table = b.weight("token_embedding", table);
    let x = b.told("Gather", &[&table, ids], &[("axis", Attribute::Int(0))]);
    let positions = Value::f32(&[context, width], weights.positional_embedding.clone());
    let positions = b.weight("position_embedding", positions);
    let zero = b.ints(&[0]);
    let positions = b.node("Slice", &[&positions, &zero, &tokens, &zero]);
    let mut x = b.node("Add", &[&x, &positions]);
    let mask = causal(b, context, &tokens);
    let shape = BlockShape {
        width,
        heads: config.heads,
        activation: config.activation,
        eps: config.layer_norm_eps,
    };
    for (l, weights) in weights.blocks.iter().enumerate() {
        b.part(format!("text.layers.{l}"));
        x = block(b, shape, weights, &x, Some(&mask), None);
    }
    b.part("text");
    let end = end_rows(b, config, ids, &tokens, &x);
    let h = norm(
        b,
        "ln_final",
        &weights.ln_final,
        config.layer_norm_eps,
        &end,
    );
    let projection = Value::f32(&[width, embed], weights.projection.clone());
    let projection = b.weight("projection", projection);
    b.node("MatMul", &[&h, &projection])
}

/// What is added to scores so that no token sees those behind it (tokens x tokens).
fn causal(b: &mut Builder, context: usize, tokens: &Edge) -> Edge {
    let row = |q: usize| (0..context).map(move |k| if k > q { f32::MIN } else { 0.0 });
    let all = (0..context).flat_map(row).collect();
    let all = b.weight("causal_mask", Value::f32(&[context, context], all));
    let [starts, axes] = [[0, 0], [0, 1]].map(|numbers| b.ints(&numbers));
    let ends = b.concat(&[tokens, tokens], 0);
    b.node("Slice", &[&all, &starts, &ends, &axes])
}

/// The rows (texts x width) of the first end token of each text: a product with a row that is 1 there.
fn end_rows(b: &mut Builder, config: &TextConfig, ids: &Edge, tokens: &Edge, x: &Edge) -> Edge {
    let end = Value::new(&[], Data::I64(vec![i64::from(config.eot_token)]));
    let end = b.constant(end);
    let is_end = b.node("Equal", &[ids, &end]);
    let to = |kind: Type| [("to", Attribute::Int(kind.code()))];
    let is_end = b.told("Cast", &[&is_end], &to(Type::F32));
    // padding may be end tokens too: the earlier one weighs more, so that no two are the largest
    let context = config.context_length;
    let weights = (0..context).map(|place| (context - place) as f32).collect();
    let weights = b.weight("earlier", Value::f32(&[context], weights));
    let zero = b.ints(&[0]);
    let weights = b.node("Slice", &[&weights, &zero, tokens, &zero]);
    let is_end = b.node("Mul", &[&is_end, &weights]);
    let told = [("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(1))];
    let place = b.told("ArgMax", &[&is_end], &told);
    let count = b.reshape(tokens, &[]);
    let [from, step] = [0, 1].map(|v| b.constant(Value::new(&[], Data::I64(vec![v]))));
    let numbers = b.node("Range", &[&from, &count, &step]);
    let is_first = b.node("Equal", &[&place, &numbers]);
    let is_first = b.told("Cast", &[&is_first], &to(Type::F32));
    let axis = b.ints(&[1]);
    let row = b.node("Unsqueeze", &[&is_first, &axis]);
    let row = b.node("MatMul", &[&row, x]);
    b.reshape(&row, &[0, config.width as i64])
}
