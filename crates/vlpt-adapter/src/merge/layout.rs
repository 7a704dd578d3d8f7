//! Where a layer's weights lie in a model's file.

use std::collections::BTreeMap;

use vlpt_clip::{ClipConfig, LayerName, ModelFiles};

use super::source::Stored;
use crate::{AdapterError, Result};

/// The two ways of naming CLIP's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Hugging Face's: queries, keys and values apart.
    HuggingFace,
    /// OpenAI's, which OpenCLIP kept: one matrix of query rows, then key rows, then value rows.
    OpenClip,
}

/// One of the towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tower {
    Text,
    Vision,
}

/// The weights of a layer: rows of a tensor, each of `inputs` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) first_row: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Layout {
    /// The layout of a model's tensors.
    ///
    /// # Errors
    /// Names of neither, or no configuration file of its kind beside the weights.
    pub(super) fn of(tensors: &BTreeMap<String, Stored>, files: &ModelFiles) -> Result<Self> {
        let any = |part: &str| tensors.keys().any(|name| name.starts_with(part));
        let layout = if any("vision_model.") {
            Self::HuggingFace
        } else {
            Self::OpenClip
        };
        let config = layout.config();
        if files.has(config) {
            return Ok(layout);
        }
        Err(AdapterError::Incompatible {
            what: format!("{}: no {config} beside its weights", files.name),
            hint: Some(
                "take the same model as a folder or repository with its configuration; the weights \
                 count, not the format of their file"
                    .to_owned(),
            ),
        })
    }

    /// The configuration file that stands beside the weights.
    fn config(self) -> &'static str {
        match self {
            Self::HuggingFace => "config.json",
            Self::OpenClip => "open_clip_config.json",
        }
    }

    /// The name of the weight file.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::HuggingFace => "model.safetensors",
            Self::OpenClip => "open_clip_model.safetensors",
        }
    }

    /// The tensor with the weights of a linear layer, and their place in it; none for a norm.
    pub(super) fn place(
        self,
        tower: Tower,
        block: usize,
        layer: LayerName,
        model: &ClipConfig,
    ) -> Option<(String, Place)> {
        let (width, mlp) = match tower {
            Tower::Text => (model.text.width, model.text.mlp),
            Tower::Vision => (model.vision.width, model.vision.mlp),
        };
        let (inputs, outputs) = match layer {
            LayerName::Q | LayerName::K | LayerName::V | LayerName::Out => (width, width),
            LayerName::Fc1 => (width, mlp),
            LayerName::Fc2 => (mlp, width),
            LayerName::Ln1 | LayerName::Ln2 | LayerName::LnFinal => return None,
        };
        let packed = match layer {
            LayerName::K => width,
            LayerName::V => 2 * width,
            _ => 0,
        };
        let (tensor, first_row) = match self {
            Self::HuggingFace => {
                let tower = match tower {
                    Tower::Text => "text_model",
                    Tower::Vision => "vision_model",
                };
                let layer = match layer {
                    LayerName::Q => "self_attn.q_proj",
                    LayerName::K => "self_attn.k_proj",
                    LayerName::V => "self_attn.v_proj",
                    LayerName::Out => "self_attn.out_proj",
                    LayerName::Fc1 => "mlp.fc1",
                    _ => "mlp.fc2",
                };
                (format!("{tower}.encoder.layers.{block}.{layer}.weight"), 0)
            }
            Self::OpenClip => {
                let tower = match tower {
                    Tower::Text => "",
                    Tower::Vision => "visual.",
                };
                let layer = match layer {
                    LayerName::Q | LayerName::K | LayerName::V => "attn.in_proj_weight",
                    LayerName::Out => "attn.out_proj.weight",
                    LayerName::Fc1 => "mlp.c_fc.weight",
                    _ => "mlp.c_proj.weight",
                };
                (
                    format!("{tower}transformer.resblocks.{block}.{layer}"),
                    packed,
                )
            }
        };
        let place = Place {
            first_row,
            inputs,
            outputs,
        };
        Some((tensor, place))
    }
}
