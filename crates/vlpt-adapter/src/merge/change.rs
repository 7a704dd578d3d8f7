//! Where updates lie among a model's tensors, and the values that they change.

use std::collections::BTreeMap;

use vlpt_clip::Clip;
use vlpt_methods::{ChangeValues, TowerValues};

use super::layout::{Layout, Place, Tower};
use super::source::{Numbers, Stored};
use super::{MergedFormat, refuse};
use crate::Result;

/// An update as numbers, and where its layer's weights lie.
pub(super) enum Placed<'a> {
    LowRank {
        place: Place,
        a: &'a [f32],
        b: &'a [f32],
        scale: f32,
    },
    /// Of each number of a tensor.
    ScaleShift {
        scale: &'a [f32],
        shift: Option<&'a [f32]>,
    },
}

/// The updates of a tower, by the tensor that they change.
pub(super) fn place<'a>(
    layout: Layout,
    tower: Tower,
    values: &'a TowerValues,
    clip: &Clip,
    placed: &mut BTreeMap<String, Vec<Placed<'a>>>,
) -> Result<()> {
    for update in &values.updates {
        let (a, b, scale) = match &update.change {
            ChangeValues::LowRank { a, b, scale, .. } => (a, b, scale),
            ChangeValues::ScaleShift { scale, shift } => {
                let Some([gains, biases]) = layout.norm(tower, update.block, update.layer) else {
                    return refuse(format!("{:?} is no layer norm", update.layer), None);
                };
                for (tensor, shift) in [(gains, None), (biases, Some(&shift[..]))] {
                    let own = placed.entry(tensor).or_default();
                    own.push(Placed::ScaleShift { scale, shift });
                }
                continue;
            }
        };
        let found = layout.place(tower, update.block, update.layer, &clip.config);
        let Some((tensor, place)) = found else {
            return refuse(format!("{:?} is no linear layer", update.layer), None);
        };
        let rank = a.len() / place.inputs;
        if rank == 0 || a.len() != rank * place.inputs || b.len() != rank * place.outputs {
            let (a, b) = (a.len(), b.len());
            return refuse(
                format!("{a} and {b} values for an update of `{tensor}`"),
                None,
            );
        }
        let scale = *scale;
        placed
            .entry(tensor)
            .or_default()
            .push(Placed::LowRank { place, a, b, scale });
    }
    Ok(())
}

/// Adds updates to the values of a tensor; sums are in f64, and each value is rounded once.
pub(super) fn change(
    name: &str,
    stored: &mut Stored,
    updates: &[Placed],
    format: MergedFormat,
) -> Result<()> {
    let Some(numbers) = Numbers::of(stored.dtype) else {
        return refuse(format!("`{name}` has {:?} numbers", stored.dtype), None);
    };
    let mut values = numbers.decode(stored.bytes());
    let mut wide: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
    for update in updates {
        let (place, a, b, scale) = match update {
            Placed::LowRank { place, a, b, scale } => (place, a, b, scale),
            Placed::ScaleShift { scale, shift } => {
                if scale.len() != wide.len() {
                    let (found, expected) = (wide.len(), scale.len());
                    return refuse(
                        format!("`{name}` has {found} values: expected {expected}"),
                        None,
                    );
                }
                for (i, value) in wide.iter_mut().enumerate() {
                    let shift = shift.map_or(0.0, |shift| f64::from(shift[i]));
                    *value = *value * f64::from(scale[i]) + shift;
                }
                continue;
            }
        };
        let Place {
            first_row,
            inputs,
            outputs,
        } = *place;
        let rows = first_row * inputs..(first_row + outputs) * inputs;
        let Some(rows) = wide.get_mut(rows) else {
            let shape = &stored.shape;
            let what = format!("`{name}` has shape {shape:?}, too small for its update");
            return refuse(what, None);
        };
        let rank = a.len() / inputs;
        for (row, b) in rows.chunks_exact_mut(inputs).zip(b.chunks_exact(rank)) {
            for (a, b) in a.chunks_exact(inputs).zip(b) {
                let factor = f64::from(*scale) * f64::from(*b);
                for (sum, a) in row.iter_mut().zip(a) {
                    *sum += factor * f64::from(*a);
                }
            }
        }
    }
    for (value, wide) in values.iter_mut().zip(&wide) {
        *value = *wide as f32;
    }
    let written = match format {
        MergedFormat::F32 => Numbers::F32,
        MergedFormat::Kept => numbers,
    };
    stored.replace(written.dtype(), written.encode(&values));
    Ok(())
}
