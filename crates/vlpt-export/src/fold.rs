//! Learned updates of layers, put into the weights.
//!
//! `y + s B A x` of a layer `y = W x + b` is the layer with `W + s B A`; scale `s` and shift `t` of its
//! outputs are `s W` and `s b + t`, of a layer norm `s g` and `s b + t`. Of one layer low-rank updates come
//! first, as in the towers. Sums are in f64, and each weight is rounded once an update.

use vlpt_clip::{BlockWeights, LayerName, LayerNormWeights};
use vlpt_methods::{ChangeValues, UpdateValues};

/// The parts of a tower that updates change.
#[derive(Debug)]
pub(crate) struct Layers<'a> {
    pub(crate) blocks: &'a mut [BlockWeights],
    /// The norm before the blocks; the text tower has none.
    pub(crate) first_norm: Option<&'a mut LayerNormWeights>,
    pub(crate) last_norm: &'a mut LayerNormWeights,
    pub(crate) width: usize,
}

impl Layers<'_> {
    /// Puts updates into the weights.
    pub(crate) fn update(&mut self, updates: &[UpdateValues]) {
        for update in updates {
            if let ChangeValues::LowRank { a, b, scale, .. } = &update.change {
                self.add(update, a, b, f64::from(*scale));
            }
        }
        for update in updates {
            if let ChangeValues::ScaleShift { scale, shift } = &update.change {
                self.scale_and_shift(update, scale, shift);
            }
        }
    }

    /// Weights and biases of a linear layer with its number of inputs; none of a norm.
    fn linear(
        &mut self,
        block: usize,
        layer: LayerName,
    ) -> Option<(&mut [f32], &mut [f32], usize)> {
        let width = self.width;
        let block = self.blocks.get_mut(block)?;
        let third = |place: usize| place * width..(place + 1) * width;
        let (own, rows) = match layer {
            LayerName::Q => (&mut block.qkv, Some(third(0))),
            LayerName::K => (&mut block.qkv, Some(third(1))),
            LayerName::V => (&mut block.qkv, Some(third(2))),
            LayerName::Out => (&mut block.out, None),
            LayerName::Fc1 => (&mut block.fc1, None),
            LayerName::Fc2 => (&mut block.fc2, None),
            LayerName::Ln1 | LayerName::Ln2 | LayerName::LnFinal | LayerName::LnPre => {
                return None;
            }
        };
        let inputs = own.weight.len() / own.bias.len().max(1);
        let rows = rows.unwrap_or(0..own.bias.len());
        let weights = &mut own.weight[rows.start * inputs..rows.end * inputs];
        Some((weights, &mut own.bias[rows], inputs))
    }

    fn norm(&mut self, block: usize, layer: LayerName) -> Option<&mut LayerNormWeights> {
        match layer {
            LayerName::Ln1 => Some(&mut self.blocks.get_mut(block)?.ln_1),
            LayerName::Ln2 => Some(&mut self.blocks.get_mut(block)?.ln_2),
            LayerName::LnFinal => Some(&mut *self.last_norm),
            LayerName::LnPre => self.first_norm.as_deref_mut(),
            _ => None,
        }
    }

    fn add(&mut self, update: &UpdateValues, a: &[f32], b: &[f32], scale: f64) {
        let Some((weights, _, inputs)) = self.linear(update.block, update.layer) else {
            return;
        };
        let rank = a.len() / inputs;
        for (row, b) in weights.chunks_exact_mut(inputs).zip(b.chunks_exact(rank)) {
            for (column, weight) in row.iter_mut().enumerate() {
                let terms = b.iter().zip(a[column..].iter().step_by(inputs));
                let sum: f64 = terms.map(|(&b, &a)| f64::from(b) * f64::from(a)).sum();
                *weight = (f64::from(*weight) + scale * sum) as f32;
            }
        }
    }

    fn scale_and_shift(&mut self, update: &UpdateValues, scale: &[f32], shift: &[f32]) {
        if let Some(norm) = self.norm(update.block, update.layer) {
            for (i, gain) in norm.weight.iter_mut().enumerate() {
                *gain *= scale[i];
                norm.bias[i] = norm.bias[i] * scale[i] + shift[i];
            }
        } else if let Some((weights, bias, inputs)) = self.linear(update.block, update.layer) {
            for (row, scale) in weights.chunks_exact_mut(inputs).zip(scale) {
                for weight in row {
                    *weight *= scale;
                }
            }
            for (i, bias) in bias.iter_mut().enumerate() {
                *bias = *bias * scale[i] + shift[i];
            }
        }
    }
}
