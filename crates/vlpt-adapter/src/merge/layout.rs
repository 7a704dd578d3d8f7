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

    /// The tensors with the gains and the biases of a layer norm; none for a linear layer.
    pub(super) fn norm(self, tower: Tower, block: usize, layer: LayerName) -> Option<[String; 2]> {
        let vision = tower == Tower::Vision;
        let name = match self {
            Self::HuggingFace => {
                let tower = if vision { "vision_model" } else { "text_model" };
                let norm = match layer {
                    LayerName::Ln1 => format!("encoder.layers.{block}.layer_norm1"),
                    LayerName::Ln2 => format!("encoder.layers.{block}.layer_norm2"),
                    LayerName::LnFinal if vision => "post_layernorm".to_owned(),
                    LayerName::LnFinal => "final_layer_norm".to_owned(),
                    // as it is spelled there
                    LayerName::LnPre if vision => "pre_layrnorm".to_owned(),
                    _ => return None,
                };
                format!("{tower}.{norm}")
            }
            Self::OpenClip => {
                let tower = if vision { "visual." } else { "" };
                let norm = match layer {
                    LayerName::Ln1 => format!("transformer.resblocks.{block}.ln_1"),
                    LayerName::Ln2 => format!("transformer.resblocks.{block}.ln_2"),
                    LayerName::LnFinal if vision => "ln_post".to_owned(),
                    LayerName::LnFinal => "ln_final".to_owned(),
                    LayerName::LnPre if vision => "ln_pre".to_owned(),
                    _ => return None,
                };
                format!("{tower}{norm}")
            }
        };
        Some(["weight", "bias"].map(|part| format!("{name}.{part}")))
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
            LayerName::Ln1 | LayerName::Ln2 | LayerName::LnFinal | LayerName::LnPre => return None,
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
