//! The image tower with what was learned in it.

use vlpt_clip::{LayerNormWeights, VisionConfig, VisionWeights, VisualPlace};
use vlpt_methods::PromptValues;

use super::block::{Asking, BlockShape, block, norm};
use crate::onnx::{Attribute, Builder, Edge};
use crate::value::Value;

/// An image tower whose updates are in its weights, with its learned rows.
#[derive(Debug, Clone)]
pub(crate) struct ImageNet {
    pub(crate) config: VisionConfig,
    pub(crate) embed: usize,
    pub(crate) weights: VisionWeights,
    /// The same for every image.
    pub(crate) prompts: Option<PromptValues>,
    /// Width x embed: makes a second feature of the learned rows.
    pub(crate) row_projection: Option<Vec<f32>>,
}

/// Features of images, images x embed each.
#[derive(Debug)]
pub(crate) struct ImageOutputs {
    /// Of the class token.
    pub(crate) embeds: Edge,
    /// Of the learned rows, where they have one.
    pub(crate) rows: Option<Edge>,
}

/// Features of `pixels` (images x 3 x side x side).
pub(crate) fn vision(b: &mut Builder, net: &ImageNet, pixels: &Edge) -> ImageOutputs {
    let (config, weights) = (&net.config, &net.weights);
    b.part("vision");
    let batch = b.node("Shape", &[pixels]);
    let batch = b.slice(&batch, 0, 0, 1);
    let mut x = embed(b, net, pixels, &batch);
    x = norm(b, "ln_pre", &weights.ln_pre, config.layer_norm_eps, &x);
    let shape = BlockShape {
        width: config.width,
        heads: config.heads,
        activation: config.activation,
        eps: config.layer_norm_eps,
    };
    let pooled = net.row_projection.is_some();
    let rows = net.prompts.as_ref().map_or(0, |prompts| prompts.rows);
    let tokens = config.tokens() as i64;
    let asking = |b: &mut Builder, x: &Edge| {
        let class = b.slice(x, 1, 0, 1);
        if !pooled {
            return class;
        }
        let rows = b.slice(x, 1, tokens, i64::MAX);
        b.concat(&[&class, &rows], 1)
    };
    for (l, weights) in weights.blocks.iter().enumerate() {
        b.part(format!("vision.layers.{l}"));
        if let Some(prompts) = &net.prompts {
            x = enter(b, net, prompts, l, &x, &batch);
        }
        let last = l + 1 == net.weights.blocks.len();
        let asking = last.then_some(&asking as Asking);
        x = block(b, shape, weights, &x, None, asking);
    }
    b.part("vision");
    let h = norm(b, "ln_post", &weights.ln_post, config.layer_norm_eps, &x);
    let class = if pooled {
        b.slice(&h, 1, 0, 1)
    } else {
        h.clone()
    };
    let class = b.reshape(&class, &[0, config.width as i64]);
    let projected = |b: &mut Builder, name: &str, projection: &[f32], rows: &Edge| {
        let value = Value::f32(&[config.width, net.embed], projection.to_vec());
        let projection = b.weight(name, value);
        b.node("MatMul", &[rows, &projection])
    };
    let embeds = projected(b, "projection", &weights.projection, &class);
    let rows = net.row_projection.as_ref().map(|projection| {
        let own = b.slice(&h, 1, 1, 1 + rows as i64);
        let axis = b.ints(&[1]);
        let told = [("keepdims", Attribute::Int(0))];
        let mean = b.told("ReduceMean", &[&own, &axis], &told);
        projected(b, "row_projection", projection, &mean)
    });
    ImageOutputs { embeds, rows }
}

/// Class token and patches with their positions (images x tokens x width).
fn embed(b: &mut Builder, net: &ImageNet, pixels: &Edge, batch: &Edge) -> Edge {
    let (config, weights) = (&net.config, &net.weights);
    let (width, side) = (config.width, config.patch_size);
    let value = Value::f32(&[width, 3, side, side], weights.patch.clone());
    let patch = b.weight("patch_embedding", value);
    let sides = Attribute::Ints(vec![side as i64; 2]);
    let told = [("kernel_shape", sides.clone()), ("strides", sides)];
    let patches = b.told("Conv", &[pixels, &patch], &told);
    let patches = b.reshape(&patches, &[0, width as i64, -1]);
    let patches = b.transpose(&patches, &[0, 2, 1]);
    let (first, others) = weights.positional_embedding.split_at(width);
    let positions = Value::f32(&[config.tokens() - 1, width], others.to_vec());
    let positions = b.weight("position_embedding", positions);
    let patches = b.node("Add", &[&patches, &positions]);
    let class: Vec<f32> = weights
        .class_embedding
        .iter()
        .zip(first)
        .map(|(class, position)| class + position)
        .collect();
    let class = b.weight("class_embedding", Value::f32(&[1, 1, width], class));
    let class = for_each(b, &class, 1, width, batch);
    b.concat(&[&class, &patches], 1)
}

/// Rows (1 x rows x width) for each image of the batch.
fn for_each(b: &mut Builder, rows: &Edge, count: usize, width: usize, batch: &Edge) -> Edge {
    let size = b.ints(&[count as i64, width as i64]);
    let shape = b.concat(&[batch, &size], 0);
    b.node("Expand", &[rows, &shape])
}

/// The tokens at the input of block `l`, with the learned rows that enter there.
fn enter(
    b: &mut Builder,
    net: &ImageNet,
    prompts: &PromptValues,
    l: usize,
    x: &Edge,
    batch: &Edge,
) -> Edge {
    let Some(rows) = rows_of(net, prompts, l) else {
        return x.clone();
    };
    let (count, width) = (prompts.rows, net.config.width);
    let tokens = net.config.tokens() as i64;
    if l == prompts.first {
        let rows = b.weight("prompts", Value::f32(&[1, count, width], rows));
        let rows = for_each(b, &rows, count, width, batch);
        return b.concat(&[x, &rows], 1);
    }
    let own = b.slice(x, 1, 0, tokens);
    if prompts.carry == 0.0 {
        let rows = b.weight("prompts", Value::f32(&[1, count, width], rows));
        let rows = for_each(b, &rows, count, width, batch);
        return b.concat(&[&own, &rows], 1);
    }
    let share = 1.0 - prompts.carry;
    let rows = rows.iter().map(|row| share * row).collect();
    let rows = b.weight("prompts", Value::f32(&[1, count, width], rows));
    let before = b.slice(x, 1, tokens, i64::MAX);
    let carry = b.float(prompts.carry);
    let before = b.node("Mul", &[&before, &carry]);
    let mixed = b.node("Add", &[&before, &rows]);
    b.concat(&[&own, &mixed], 1)
}

/// The rows that enter block `l`, those before `ln_pre` behind it.
fn rows_of(net: &ImageNet, prompts: &PromptValues, l: usize) -> Option<Vec<f32>> {
    let place = l.checked_sub(prompts.first)?;
    if place >= prompts.blocks {
        return None;
    }
    let size = prompts.rows * net.config.width;
    let mut rows = prompts.values[place * size..(place + 1) * size].to_vec();
    if l == 0 && prompts.place == VisualPlace::BeforeLnPre {
        for row in rows.chunks_exact_mut(net.config.width) {
            normed(row, &net.weights.ln_pre, net.config.layer_norm_eps);
        }
    }
    Some(rows)
}

/// The layer norm of a row.
fn normed(row: &mut [f32], norm: &LayerNormWeights, eps: f32) {
    let count = row.len() as f64;
    let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let square = |v: &f32| (f64::from(*v) - mean).powi(2);
    let variance = row.iter().map(square).sum::<f64>() / count;
    let scale = (variance + f64::from(eps)).sqrt().recip();
    for (value, (gain, bias)) in row.iter_mut().zip(norm.weight.iter().zip(&norm.bias)) {
        let standard = (f64::from(*value) - mean) * scale;
        *value = (standard * f64::from(*gain) + f64::from(*bias)) as f32;
    }
}
