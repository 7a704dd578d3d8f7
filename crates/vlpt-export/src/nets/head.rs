//! From image features to a logit for each class.

use vlpt_adapter::ClassifierParts;

use super::block::transposed;
use super::vision::ImageOutputs;
use crate::error::{ExportError, Result};
use crate::onnx::{Builder, Edge};
use crate::value::Value;

/// `x W^T + b` of image features `x`, divided by their length or as they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinearMap {
    /// Classes x embed.
    pub(crate) weight: Vec<f32>,
    /// One for each class; none where all are 0.
    pub(crate) bias: Option<Vec<f32>>,
    /// Whether `x` is divided by its length.
    pub(crate) normalised: bool,
}

/// A head as matrices, everything that multiplies logits inside them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadMatrices {
    /// Of the class token's feature.
    pub(crate) class: LinearMap,
    /// Of the learned rows' feature.
    pub(crate) rows: Option<LinearMap>,
    /// Of images like those in a cache.
    pub(crate) cache: Option<Cache>,
}

/// A cache of training images: `exp(beta (x K^T - 1)) V` is added to the logits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cache {
    /// Keys x embed.
    keys: Vec<f32>,
    /// Keys x classes.
    values: Vec<f32>,
    beta: f32,
}

impl HeadMatrices {
    /// The matrices of a classifier whose logits are divided by `temperature`.
    ///
    /// # Errors
    /// A head that has none.
    pub(crate) fn new(parts: ClassifierParts, temperature: f64) -> Result<Self> {
        let scaled = |values: &[f32], factor: f64| -> Vec<f32> {
            let factor = factor / temperature;
            let values = values.iter();
            values.map(|&v| (f64::from(v) * factor) as f32).collect()
        };
        let cosines = |weight: Vec<f32>| LinearMap {
            weight,
            bias: None,
            normalised: true,
        };
        let plain = |class| Self {
            class,
            rows: None,
            cache: None,
        };
        match parts {
            ClassifierParts::Cosine {
                features,
                logit_scale,
            } => Ok(plain(cosines(scaled(features, f64::from(logit_scale))))),
            ClassifierParts::Fused {
                features,
                logit_scale,
                shares,
            } => {
                let width = features.len() / shares.len().max(1);
                let shared = |share: &dyn Fn(f64) -> f64| {
                    let rows = features.chunks_exact(width).zip(shares);
                    let scale = f64::from(logit_scale);
                    rows.flat_map(|(row, own)| scaled(row, scale * share(f64::from(*own))))
                        .collect()
                };
                Ok(Self {
                    class: cosines(shared(&|share| share)),
                    rows: Some(cosines(shared(&|share| 1.0 - share))),
                    cache: None,
                })
            }
            ClassifierParts::Conditional { method } => Err(ExportError::unsupported(
                format!(
                    "{method} makes the classes' texts anew for every image: no graph without the text \
                     tower and no matrix holds that"
                ),
                "tune a prompt whose texts do not depend on the image, or predict with `vlpt predict`",
            )),
            ClassifierParts::Features(head) => {
                let Some(found) = head.matrices() else {
                    return Err(ExportError::unsupported(
                        format!(
                            "a classifier of the kind {} has no form as matrices",
                            head.kind()
                        ),
                        "predict with `vlpt predict`",
                    ));
                };
                Ok(Self {
                    class: LinearMap {
                        weight: scaled(&found.weight, found.scale),
                        bias: found.bias.map(|bias| scaled(&bias, 1.0)),
                        normalised: found.normalised,
                    },
                    rows: None,
                    cache: found.cache.map(|cache| Cache {
                        keys: cache.keys,
                        values: scaled(&cache.values, cache.alpha),
                        beta: cache.beta as f32,
                    }),
                })
            }
        }
    }
}

/// Logits (images x classes).
pub(crate) fn head(
    b: &mut Builder,
    head: &HeadMatrices,
    images: &ImageOutputs,
    embed: usize,
) -> Edge {
    b.part("head");
    let needs_units = head.class.normalised || head.cache.is_some();
    let units = needs_units.then(|| b.unit_rows(&images.embeds));
    let unit = units.as_ref().unwrap_or(&images.embeds);
    let seen = if head.class.normalised {
        unit
    } else {
        &images.embeds
    };
    let mut logits = mapped(b, "classifier", &head.class, seen, embed);
    if let (Some(own), Some(rows)) = (&head.rows, &images.rows) {
        let rows = b.unit_rows(rows);
        let more = mapped(b, "row_classifier", own, &rows, embed);
        logits = b.node("Add", &[&logits, &more]);
    }
    if let Some(cache) = &head.cache {
        let more = cached(b, cache, unit, embed);
        logits = b.node("Add", &[&logits, &more]);
    }
    logits
}

fn mapped(b: &mut Builder, name: &str, map: &LinearMap, x: &Edge, embed: usize) -> Edge {
    let classes = map.weight.len() / embed;
    let weight = transposed(&map.weight, classes, embed);
    let weight = Value::f32(&[embed, classes], weight);
    let weight = b.weight(&format!("{name}.weight"), weight);
    let product = b.node("MatMul", &[x, &weight]);
    let Some(bias) = &map.bias else {
        return product;
    };
    let bias = Value::f32(&[classes], bias.clone());
    let bias = b.weight(&format!("{name}.bias"), bias);
    b.node("Add", &[&product, &bias])
}

fn cached(b: &mut Builder, cache: &Cache, x: &Edge, embed: usize) -> Edge {
    let keys = cache.keys.len() / embed;
    let matrix = transposed(&cache.keys, keys, embed);
    let matrix = b.weight("cache.keys", Value::f32(&[embed, keys], matrix));
    let classes = cache.values.len() / keys.max(1);
    let values = Value::f32(&[keys, classes], cache.values.clone());
    let values = b.weight("cache.values", values);
    let affinities = b.node("MatMul", &[x, &matrix]);
    let [one, beta] = [1.0, cache.beta].map(|v| b.float(v));
    let distance = b.node("Sub", &[&affinities, &one]);
    let distance = b.node("Mul", &[&distance, &beta]);
    let weights = b.node("Exp", &[&distance]);
    b.node("MatMul", &[&weights, &values])
}

/// Probabilities of logits: softmax, or a logistic function of each.
pub(crate) fn probabilities(b: &mut Builder, logits: &Edge, separate: bool) -> Edge {
    b.part("probabilities");
    if separate {
        b.node("Sigmoid", &[logits])
    } else {
        b.softmax(logits)
    }
}
