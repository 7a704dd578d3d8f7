//! What a method changes in the towers, as tensors that autograd follows, and how the towers'
//! gradients come back to its parameters.

use vlpt_autograd::{Tensor, vjp};
use vlpt_clip::{Dropout, LayerName, TextRowsAt, TowerGradients, UpdateGradient, VisualPlace};

use crate::tower_values::{ChangeValues, PromptValues, TextRowsValues, TowerValues, UpdateValues};
use crate::{MethodError, Parameter, Result};

/// What a method changes in both towers.
#[derive(Debug, Clone, Default)]
pub struct Adaptation {
    /// In the text tower.
    pub text: TowerTensors,
    /// In the image tower.
    pub visual: TowerTensors,
}

/// What a method changes in one tower. The default is no change.
#[derive(Debug, Clone, Default)]
pub struct TowerTensors {
    /// Learned rows among the tokens.
    pub prompts: Option<PromptTensor>,
    /// Texts: rows of each text's own at a later block.
    pub text_rows: Option<TextRowsTensor>,
    /// Updates of layers.
    pub updates: Vec<UpdateTensor>,
    /// Another projection into the joint space (width x embed).
    pub projection: Option<Tensor>,
    /// Images: a projection (width x embed) that makes a second feature of the learned rows, see
    /// [`vlpt_clip::TowerAdaptation::row_projection`].
    pub row_projection: Option<Tensor>,
}

/// Learned rows, see [`vlpt_clip::PromptRows`].
#[derive(Debug, Clone)]
pub struct PromptTensor {
    /// `blocks x rows x width`, each at least 1; `images x blocks x rows x width` where each image
    /// has rows of its own.
    pub rows: Tensor,
    /// The block that they enter before.
    pub first: usize,
    /// Images: where rows of the first block enter.
    pub place: VisualPlace,
    /// The share of what came out of the block before that stays, [`vlpt_clip::PromptRows::carry`].
    pub carry: f32,
}

/// Learned rows of each text's own, see [`vlpt_clip::TextRows`].
#[derive(Debug, Clone)]
pub struct TextRowsTensor {
    /// `texts x rows x width`, in the order of the texts.
    pub rows: Tensor,
    /// The block that they enter before.
    pub block: usize,
}

/// A learned update of a layer, see [`vlpt_clip::Update`].
#[derive(Debug, Clone)]
pub struct UpdateTensor {
    /// The block.
    pub block: usize,
    /// Its layer.
    pub layer: LayerName,
    /// What is done.
    pub change: Change,
}

/// What an update does.
#[derive(Debug, Clone)]
pub enum Change {
    /// Adds `scale B A drop(x)`.
    LowRank {
        /// `A`, rank x inputs.
        a: Tensor,
        /// `B`, outputs x rank.
        b: Tensor,
        /// What the product is multiplied with.
        scale: f32,
        /// Dropout of the input.
        dropout: Option<Dropout>,
    },
    /// Multiplies each output and adds to it.
    ScaleShift {
        /// A factor for each output.
        scale: Tensor,
        /// A term for each output.
        shift: Tensor,
    },
}

impl PromptTensor {
    /// Rows (rows x width) of the first block alone.
    ///
    /// # Errors
    /// Another number of axes than two.
    pub fn shallow(rows: &Tensor) -> Result<Self> {
        let [count, width] = rows.dims()?;
        Ok(Self::deep(rows.reshape(&[1, count, width])?))
    }

    /// Rows (blocks x rows x width) of the first blocks.
    pub fn deep(rows: Tensor) -> Self {
        Self {
            rows,
            first: 0,
            place: VisualPlace::default(),
            carry: 0.0,
        }
    }
}

impl TowerTensors {
    /// Learned rows alone.
    pub fn prompts(prompts: PromptTensor) -> Self {
        Self {
            prompts: Some(prompts),
            ..Self::default()
        }
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.prompts.is_none()
            && self.text_rows.is_none()
            && self.updates.is_empty()
            && self.projection.is_none()
            && self.row_projection.is_none()
    }

    /// The values, for the tower.
    ///
    /// # Errors
    /// Rows of another number of axes than three or four; of rows of each text, than three.
    pub fn values(&self) -> Result<TowerValues> {
        let prompts = match &self.prompts {
            None => None,
            Some(prompts) => {
                let (per_image, &[blocks, rows, _]) = match prompts.rows.shape() {
                    [_, rest @ ..] if rest.len() == 3 => {
                        (true, <&[usize; 3]>::try_from(rest).expect("three axes"))
                    }
                    shape => (
                        false,
                        <&[usize; 3]>::try_from(shape).map_err(|_| MethodError::Incompatible {
                            what: format!(
                                "prompt rows of shape {shape:?}: expected blocks x rows x width"
                            ),
                            hint: None,
                        })?,
                    ),
                };
                Some(PromptValues {
                    values: prompts.rows.to_vec(),
                    first: prompts.first,
                    blocks,
                    rows,
                    place: prompts.place,
                    per_image,
                    carry: prompts.carry,
                })
            }
        };
        let text_rows = |own: &TextRowsTensor| {
            let [_, rows, _] = own.rows.dims()?;
            Ok::<_, MethodError>(TextRowsValues {
                values: own.rows.to_vec(),
                at: TextRowsAt {
                    block: own.block,
                    rows,
                },
            })
        };
        let update = |update: &UpdateTensor| UpdateValues {
            block: update.block,
            layer: update.layer,
            change: match &update.change {
                Change::LowRank {
                    a,
                    b,
                    scale,
                    dropout,
                } => ChangeValues::LowRank {
                    a: a.to_vec(),
                    b: b.to_vec(),
                    scale: *scale,
                    dropout: *dropout,
                },
                Change::ScaleShift { scale, shift } => ChangeValues::ScaleShift {
                    scale: scale.to_vec(),
                    shift: shift.to_vec(),
                },
            },
        };
        Ok(TowerValues {
            prompts,
            text_rows: self.text_rows.as_ref().map(text_rows).transpose()?,
            updates: self.updates.iter().map(update).collect(),
            projection: self.projection.as_ref().map(Tensor::to_vec),
            row_projection: self.row_projection.as_ref().map(Tensor::to_vec),
        })
    }

    /// Pairs each tensor with its gradient.
    fn outputs<'t>(&'t self, d: &'t TowerGradients) -> Vec<(&'t Tensor, &'t [f32])> {
        let mut outputs: Vec<(&Tensor, &[f32])> = Vec::new();
        if let Some(prompts) = &self.prompts {
            outputs.push((&prompts.rows, &d.prompts));
        }
        if let Some(own) = &self.text_rows {
            outputs.push((&own.rows, &d.text_rows));
        }
        for (update, d) in self.updates.iter().zip(&d.updates) {
            match (&update.change, d) {
                (Change::LowRank { a, b, .. }, UpdateGradient::LowRank { a: d_a, b: d_b }) => {
                    outputs.extend([(a, &**d_a), (b, &**d_b)]);
                }
                (
                    Change::ScaleShift { scale, shift },
                    UpdateGradient::ScaleShift {
                        scale: d_scale,
                        shift: d_shift,
                    },
                ) => outputs.extend([(scale, &**d_scale), (shift, &**d_shift)]),
                _ => {}
            }
        }
        for (projection, d) in [
            (&self.projection, &d.projection),
            (&self.row_projection, &d.row_projection),
        ] {
            if let (Some(projection), Some(d)) = (projection, d) {
                outputs.push((projection, d));
            }
        }
        outputs
    }
}

impl Adaptation {
    /// The gradient of the loss by each parameter, given its gradient by what each tower was
    /// given: the vector-Jacobian product.
    ///
    /// # Errors
    /// [`MethodError::NoGradient`] for a parameter that nothing depends on.
    pub fn gradients(
        &self,
        parameters: &[Parameter],
        d_text: Option<&TowerGradients>,
        d_visual: Option<&TowerGradients>,
    ) -> Result<Vec<Vec<f32>>> {
        let sides = [(&self.text, d_text), (&self.visual, d_visual)];
        let outputs: Vec<(&Tensor, &[f32])> = sides
            .into_iter()
            .flat_map(|(side, d)| d.map_or_else(Vec::new, |d| side.outputs(d)))
            .collect();
        // A tensor of numbers that nothing is learned of has no gradient to take back.
        let outputs: Vec<_> = outputs
            .into_iter()
            .filter(|(tensor, _)| tensor.requires_grad())
            .collect();
        let gradients = vjp(&outputs)?;
        parameters
            .iter()
            .map(|parameter| {
                gradients
                    .get(parameter.var())
                    .map(<[f32]>::to_vec)
                    .ok_or_else(|| MethodError::NoGradient {
                        name: parameter.name().to_owned(),
                    })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: &Tensor) -> Adaptation {
        Adaptation {
            text: TowerTensors::prompts(PromptTensor::shallow(rows).unwrap()),
            ..Adaptation::default()
        }
    }

    fn d(prompts: &[f32]) -> TowerGradients {
        TowerGradients {
            prompts: prompts.to_vec(),
            ..TowerGradients::default()
        }
    }

    #[test]
    fn gradients_go_through_any_function_of_the_parameters() {
        // prompts = a * 2 + b, so d_a = 2 d and d_b = d.
        let a = Parameter::new("a", &[2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Parameter::new("b", &[2, 2], vec![0.0; 4]).unwrap();
        let rows = (a.var().as_tensor() * 2.0 + b.var().as_tensor()).unwrap();
        let given = [0.5, -1.0, 0.25, 3.0];
        let gradients = text(&rows).gradients(&[a, b], Some(&d(&given)), None);
        assert_eq!(
            gradients.unwrap(),
            [vec![1.0, -2.0, 0.5, 6.0], given.to_vec()]
        );
    }

    #[test]
    fn a_parameter_outside_the_graph_is_an_error() {
        let a = Parameter::new("a", &[1, 1], vec![1.0]).unwrap();
        let lost = Parameter::new("lost", &[1], vec![1.0]).unwrap();
        let adaptation = text(a.var().as_tensor());
        let error = adaptation
            .gradients(&[a, lost], Some(&d(&[1.0])), None)
            .unwrap_err();
        assert!(matches!(error, MethodError::NoGradient { name } if name == "lost"));
    }

    #[test]
    fn gradients_of_updates_and_projections_come_back_too() {
        let parameter = |name: &str| Parameter::new(name, &[1, 2], vec![1.0, 2.0]).unwrap();
        let all = ["a", "b", "scale", "shift", "projection", "rows"].map(parameter);
        let tensor = |i: usize| all[i].var().as_tensor().clone();
        let update = |change| UpdateTensor {
            block: 0,
            layer: LayerName::Q,
            change,
        };
        let low_rank = Change::LowRank {
            a: tensor(0),
            b: tensor(1),
            scale: 2.0,
            dropout: None,
        };
        let affine = Change::ScaleShift {
            scale: tensor(2),
            shift: tensor(3),
        };
        let adaptation = Adaptation {
            visual: TowerTensors {
                updates: vec![update(low_rank), update(affine)],
                projection: Some(tensor(4)),
                row_projection: Some(tensor(5)),
                ..TowerTensors::default()
            },
            ..Adaptation::default()
        };
        let gradients = TowerGradients {
            updates: vec![
                UpdateGradient::LowRank {
                    a: vec![1.0, 2.0],
                    b: vec![3.0, 4.0],
                },
                UpdateGradient::ScaleShift {
                    scale: vec![5.0, 6.0],
                    shift: vec![7.0, 8.0],
                },
            ],
            projection: Some(vec![9.0, 10.0]),
            row_projection: Some(vec![11.0, 12.0]),
            ..TowerGradients::default()
        };
        let found = adaptation.gradients(&all, None, Some(&gradients)).unwrap();
        let expected: Vec<Vec<f32>> = (0..6)
            .map(|i| vec![2.0 * i as f32 + 1.0, 2.0 * i as f32 + 2.0])
            .collect();
        assert_eq!(found, expected);
    }
}
