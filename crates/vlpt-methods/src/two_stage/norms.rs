//! Gains and biases of layer norms, and what they come to in a tower.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, LayerName};

use super::Norms;
use crate::nn::{Builder, Init};
use crate::{Change, MethodError, Result, UpdateTensor};

/// One of the towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tower {
    Text,
    Vision,
}

/// A layer norm whose gain and bias are tuned.
#[derive(Debug, Clone)]
pub(super) struct TunedNorm {
    block: usize,
    layer: LayerName,
    /// As tuned, and as the model has them; each as long as the tower is wide.
    gain: Tensor,
    bias: Tensor,
    own_gain: Tensor,
    own_bias: Tensor,
}

impl TunedNorm {
    /// The norms of a tower in the order of their computation, with the model's values.
    ///
    /// # Errors
    /// A gain of 0.
    pub(super) fn all(
        clip: &Clip,
        tower: Tower,
        norms: Norms,
        builder: &mut Builder,
    ) -> Result<Vec<Self>> {
        let depth = tower.depth(clip);
        let mut places = Vec::new();
        if norms == Norms::All && tower == Tower::Vision {
            places.push((0, LayerName::LnPre));
        }
        for block in 0..depth {
            places.extend([(block, LayerName::Ln1), (block, LayerName::Ln2)]);
        }
        if norms == Norms::All {
            places.push((depth, LayerName::LnFinal));
        }
        let tuned = |(block, layer)| Self::new(clip, tower, block, layer, builder);
        places.into_iter().map(tuned).collect()
    }

    fn new(
        clip: &Clip,
        tower: Tower,
        block: usize,
        layer: LayerName,
        builder: &mut Builder,
    ) -> Result<Self> {
        let name = tower.name(block, layer);
        let found = match tower {
            Tower::Text => clip.text.norm(block, layer),
            Tower::Vision => clip.vision.norm(block, layer),
        };
        let (gain, bias) = found.ok_or_else(|| MethodError::Incompatible {
            what: format!("the model has no layer norm {name}"),
            hint: None,
        })?;
        checked(&name, gain)?;
        let shape = [gain.len()];
        let mut parameter = |part: &str, values: &[f32]| {
            let name = format!("{name}.{part}");
            builder.parameter(&name, &shape, Init::Values(values.to_vec()))
        };
        Ok(Self {
            block,
            layer,
            gain: parameter("weight", gain)?,
            bias: parameter("bias", bias)?,
            own_gain: Tensor::new(gain.to_vec(), &shape)?,
            own_bias: Tensor::new(bias.to_vec(), &shape)?,
        })
    }

    /// The scale and shift of the norm's own output that give its output with the tuned values:
    /// `scale (g0 z + b0) + shift = g z + b`.
    ///
    /// # Errors
    /// A tensor operation that failed.
    pub(super) fn update(&self) -> Result<UpdateTensor> {
        let scale = self.gain.div(&self.own_gain)?;
        let shift = self.bias.sub(&scale.mul(&self.own_bias)?)?;
        Ok(UpdateTensor {
            block: self.block,
            layer: self.layer,
            change: Change::ScaleShift { scale, shift },
        })
    }
}

/// Refuses a norm with a gain of 0: its tower has no weights left that a gain could act on.
pub(super) fn checked(name: &str, gain: &[f32]) -> Result<()> {
    let Some(place) = gain.iter().position(|gain| *gain == 0.0) else {
        return Ok(());
    };
    Err(MethodError::Incompatible {
        what: format!(
            "the layer norm {name} of the model has a gain of 0 (number {place} of {}), which \
             cannot be tuned: expected gains other than 0",
            gain.len()
        ),
        hint: Some("choose a method that changes no layer norm, or another model".to_owned()),
    })
}

impl Tower {
    /// Number of blocks.
    fn depth(self, clip: &Clip) -> usize {
        match self {
            Self::Text => clip.text.depth(),
            Self::Vision => clip.vision.depth(),
        }
    }

    /// The name of a norm in `transformers`, which spells one of them as it does.
    fn name(self, block: usize, layer: LayerName) -> String {
        let (tower, last) = match self {
            Self::Text => ("text_model", "final_layer_norm"),
            Self::Vision => ("vision_model", "post_layernorm"),
        };
        match layer {
            LayerName::LnPre => format!("{tower}.pre_layrnorm"),
            LayerName::LnFinal => format!("{tower}.{last}"),
            LayerName::Ln1 => format!("{tower}.encoder.layers.{block}.layer_norm1"),
            _ => format!("{tower}.encoder.layers.{block}.layer_norm2"),
        }
    }
}
