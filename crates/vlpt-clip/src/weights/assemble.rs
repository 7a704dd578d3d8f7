//! From named tensors to the two towers' weights: everything is checked before anything is read.

use super::layout::{BlockNames, Layout, Side, ignorable, other_tower};
use super::store::TensorStore;
use super::{
    BlockWeights, ClipWeights, LayerNormWeights, LinearWeights, TextWeights, VisionWeights,
};
use crate::config::ClipConfig;
use crate::error::{ClipError, Result};

/// What the check of a file's tensors found, when all of them fit.
pub(crate) struct Checked {
    /// Tensors the model uses.
    pub(crate) used: usize,
    /// Known buffers it does not need.
    pub(crate) ignored: Vec<String>,
}

/// Compares the tensors of a store with what the configuration asks for.
///
/// # Errors
/// One error that names every missing, unexpected and misshapen tensor.
pub(crate) fn check(store: &TensorStore, layout: Layout, config: &ClipConfig) -> Result<Checked> {
    refuse_other_towers(store)?;
    let expected = layout.expected(config);
    let mut problems = Vec::new();
    for (name, shape) in &expected {
        match store.entries().get(name) {
            None => problems.push(format!("{name}: missing, expected shape {shape:?}")),
            Some(found) if found.shape != *shape && !(shape.is_empty() && found.shape == [1]) => {
                problems.push(format!(
                    "{name}: shape {:?}, the configuration says {shape:?}",
                    found.shape
                ));
            }
            Some(found) if !found.dtype.is_float() => problems.push(format!(
                "{name}: {} numbers, expected f32, f16, bf16 or f64",
                found.dtype.name()
            )),
            Some(_) => {}
        }
    }
    let mut ignored = Vec::new();
    for (name, found) in store.entries() {
        if expected.contains_key(name) {
        } else if ignorable(name) {
            ignored.push(name.clone());
        } else {
            problems.push(format!("{name}: unexpected, shape {:?}", found.shape));
        }
    }
    if problems.is_empty() {
        Ok(Checked {
            used: expected.len(),
            ignored,
        })
    } else {
        Err(ClipError::Tensors {
            file: store.place(),
            problems,
        })
    }
}

/// Refuses, by its name, a model whose towers are of another kind.
///
/// # Errors
/// When the names of the tensors show another kind of tower.
pub(crate) fn refuse_other_towers(store: &TensorStore) -> Result<()> {
    match other_tower(store.entries().keys().map(String::as_str)) {
        None => Ok(()),
        Some(what) => Err(ClipError::Unsupported {
            file: store.place(),
            what: what.to_owned(),
            hint: Some("CLIP models with a vision transformer are read".to_owned()),
        }),
    }
}

/// Reads all tensors; call after [`check`].
///
/// # Errors
/// When reading fails, or a weight is infinite or not a number.
pub(crate) fn assemble(
    store: &mut TensorStore,
    layout: Layout,
    config: &ClipConfig,
) -> Result<ClipWeights> {
    let top = layout.top();
    let mut reader = Reader {
        store,
        layout,
        problems: Vec::new(),
    };
    let text = TextWeights {
        token_embedding: reader.values(top.token_embedding)?,
        positional_embedding: reader.values(top.text_position)?,
        blocks: reader.blocks(Side::Text, config.text.layers)?,
        ln_final: reader.norm(top.ln_final)?,
        projection: reader.projection(top.text_projection, config.text.width)?,
    };
    let vision = VisionWeights {
        patch: reader.values(top.patch)?,
        class_embedding: reader.values(top.class_embedding)?,
        positional_embedding: reader.values(top.vision_position)?,
        ln_pre: reader.norm(top.ln_pre)?,
        blocks: reader.blocks(Side::Vision, config.vision.layers)?,
        ln_post: reader.norm(top.ln_post)?,
        projection: reader.projection(top.vision_projection, config.vision.width)?,
    };
    let logit_scale = reader.values(top.logit_scale)?[0];
    let mut problems = reader.problems;
    if !logit_scale.exp().is_normal() {
        problems.push(format!(
            "`{}` is {logit_scale}: expected the logarithm of a scale, such as 4.6",
            top.logit_scale
        ));
    }
    if problems.is_empty() {
        Ok(ClipWeights {
            text,
            vision,
            logit_scale,
        })
    } else {
        Err(ClipError::Tensors {
            file: store.place(),
            problems,
        })
    }
}

struct Reader<'a> {
    store: &'a mut TensorStore,
    layout: Layout,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        let data = self.store.read(name)?.data;
        let broken = data.iter().filter(|value| !value.is_finite()).count();
        if broken > 0 {
            self.problems.push(format!(
                "{name}: {broken} values are infinite or not a number"
            ));
        }
        Ok(data)
    }

    fn norm(&mut self, name: &str) -> Result<LayerNormWeights> {
        Ok(LayerNormWeights {
            weight: self.values(&format!("{name}.weight"))?,
            bias: self.values(&format!("{name}.bias"))?,
        })
    }

    fn linear(&mut self, name: &str) -> Result<LinearWeights> {
        Ok(LinearWeights {
            weight: self.values(&format!("{name}.weight"))?,
            bias: self.values(&format!("{name}.bias"))?,
        })
    }

    /// Always `width x embed`.
    fn projection(&mut self, name: &str, width: usize) -> Result<Vec<f32>> {
        let data = self.values(name)?;
        if self.layout == Layout::OpenAi {
            return Ok(data);
        }
        let embed = data.len() / width;
        Ok((0..data.len())
            .map(|i| data[i % embed * width + i / embed])
            .collect())
    }

    fn blocks(&mut self, side: Side, layers: usize) -> Result<Vec<BlockWeights>> {
        (0..layers)
            .map(|index| self.block(self.layout.block(side, index)))
            .collect()
    }

    fn block(&mut self, names: BlockNames) -> Result<BlockWeights> {
        let mut qkv = LinearWeights {
            weight: Vec::new(),
            bias: Vec::new(),
        };
        for (weight, bias) in names.qkv {
            let (weight, bias) = (self.values(&weight)?, self.values(&bias)?);
            if qkv.weight.is_empty() {
                qkv = LinearWeights { weight, bias };
            } else {
                qkv.weight.extend(weight);
                qkv.bias.extend(bias);
            }
        }
        Ok(BlockWeights {
            ln_1: self.norm(&names.ln_1)?,
            qkv,
            out: self.linear(&names.out)?,
            ln_2: self.norm(&names.ln_2)?,
            fc1: self.linear(&names.fc1)?,
            fc2: self.linear(&names.fc2)?,
        })
    }
}
