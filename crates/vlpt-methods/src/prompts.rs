//! What a method gives to the towers, and how their gradients come back to its parameters.

use vlpt_autograd::{Tensor, vjp};
use vlpt_base::random::Stream;
use vlpt_clip::{PromptRows, TowerAdaptation, VisualPlace};

use crate::{MethodError, Parameter, Result};

/// What the prompts of one pass depend on beside the parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pass<'a> {
    /// Features of the images, each of length one (images x embed). Only methods that are
    /// [conditional](crate::Method::conditional) look at them.
    pub images: Option<&'a Tensor>,
    /// The run's seed and the number of the training step, counted from the run's beginning, from
    /// which dropout draws; none in evaluation.
    pub step: Option<(u64, u64)>,
}

impl Pass<'_> {
    /// Evaluation without images: nothing is dropped.
    pub const EVAL: Pass<'static> = Pass {
        images: None,
        step: None,
    };

    /// The stream that dropout of this name draws from, the same for the same seed and step; none
    /// in evaluation.
    pub fn stream(&self, purpose: &str) -> Option<Stream> {
        self.step
            .map(|(seed, step)| Stream::new(seed, &format!("{purpose} {step}")))
    }
}

/// What a method gives to the towers.
#[derive(Debug, Clone)]
pub struct Prompts {
    /// Rows of learned text tokens (rows x text width), which [`PromptToken::Learned`](vlpt_clip::PromptToken::Learned) points to.
    pub text: Option<Tensor>,
    /// Learned image tokens.
    pub visual: Option<Visual>,
}

/// Learned image tokens as a tensor that autograd follows.
#[derive(Debug, Clone)]
pub struct Visual {
    /// `layers x count x vision width`, each at least 1.
    pub rows: Tensor,
    /// Where those of the first block enter.
    pub place: VisualPlace,
}

impl Visual {
    /// The values, for the image tower.
    ///
    /// # Errors
    /// Rows of another number of axes than three.
    pub fn values(&self) -> Result<VisualValues> {
        let [layers, count, _] = self.rows.dims()?;
        Ok(VisualValues {
            values: self.rows.to_vec(),
            layers,
            count,
            place: self.place,
        })
    }
}

/// Visual prompts as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct VisualValues {
    /// `layers x count x vision width`, row-major.
    pub values: Vec<f32>,
    /// Number of blocks with prompts of their own.
    pub layers: usize,
    /// Prompts a block.
    pub count: usize,
    /// Where those of the first block enter.
    pub place: VisualPlace,
}

impl VisualValues {
    /// As the image tower takes them.
    pub fn for_tower(&self) -> TowerAdaptation<'_> {
        TowerAdaptation::from(PromptRows {
            values: &self.values,
            blocks: self.layers,
            rows: self.count,
            place: self.place,
            ..PromptRows::NONE
        })
    }
}

impl Prompts {
    /// The text rows as plain row-major values; empty when the method has none.
    ///
    /// # Errors
    /// None: the values are in memory.
    pub fn text_values(&self) -> Result<Vec<f32>> {
        Ok(self.text.as_ref().map_or(Vec::new(), Tensor::to_vec))
    }

    /// The gradient of the loss by each parameter, given its gradient by the prompts: the
    /// vector-Jacobian product, which is the gradient of `sum(prompts * d_prompts)`.
    ///
    /// `d_text` and `d_visual` are row-major and as long as the prompts they belong to.
    ///
    /// # Errors
    /// [`MethodError::NoGradient`] for a parameter that the prompts do not depend on.
    pub fn gradients(
        &self,
        parameters: &[Parameter],
        d_text: Option<&[f32]>,
        d_visual: Option<&[f32]>,
    ) -> Result<Vec<Vec<f32>>> {
        let visual = self.visual.as_ref().map(|visual| &visual.rows);
        let outputs: Vec<(&Tensor, &[f32])> = [(self.text.as_ref(), d_text), (visual, d_visual)]
            .into_iter()
            .filter_map(|(prompts, d)| prompts.zip(d))
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

    #[test]
    fn gradients_go_through_any_function_of_the_parameters() {
        // prompts = a * 2 + b, so d_a = 2 d and d_b = d.
        let a = Parameter::new("a", &[2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Parameter::new("b", &[2, 2], vec![0.0; 4]).unwrap();
        let text = (a.var().as_tensor() * 2.0 + b.var().as_tensor()).unwrap();
        let prompts = Prompts {
            text: Some(text),
            visual: None,
        };
        let d = [0.5, -1.0, 0.25, 3.0];
        let gradients = prompts.gradients(&[a, b], Some(&d), None).unwrap();
        assert_eq!(gradients, [vec![1.0, -2.0, 0.5, 6.0], d.to_vec()]);
    }

    #[test]
    fn a_parameter_outside_the_graph_is_an_error() {
        let a = Parameter::new("a", &[1], vec![1.0]).unwrap();
        let lost = Parameter::new("lost", &[1], vec![1.0]).unwrap();
        let prompts = Prompts {
            text: Some(a.var().as_tensor().clone()),
            visual: None,
        };
        let error = prompts
            .gradients(&[a, lost], Some(&[1.0]), None)
            .unwrap_err();
        assert!(matches!(error, MethodError::NoGradient { name } if name == "lost"));
    }
}
