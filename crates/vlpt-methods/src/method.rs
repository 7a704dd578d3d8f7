//! What every prompt method is: named parameters, a layout of slots, and prompts made of them.

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, Slot, Tokenizer, VisualPlace, VisualPrompts};

use crate::rng::Stream;
use crate::{CoOp, CoOpConfig, MethodError, Result};

/// A prompt method with its parameters in memory.
pub trait PromptMethod: Send + Sync {
    /// The name in configurations and prompt folders, such as `coop`.
    fn name(&self) -> &'static str;

    /// All trainable parameters, always in the same order.
    fn parameters(&self) -> &[Parameter];

    /// For each class, the slots of its text from the start to the end token. A
    /// [`Slot::Learned`] names a row of [`Prompts::text`].
    ///
    /// # Errors
    /// A name without a token, a text longer than the tower's positions, or a number of classes
    /// that the parameters do not have.
    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<Slot>>>;

    /// The prompts made of the parameters' current values.
    ///
    /// # Errors
    /// A tensor operation that failed, or a pass without the images that the method needs.
    fn prompts(&self, pass: &Pass) -> Result<Prompts>;

    /// Whether each image has text prompts of its own, made from its features. [`Prompts::text`]
    /// then holds the rows of all images, one image after the other, and the rows that
    /// [`PromptMethod::texts`] names are those within an image's.
    fn conditional(&self) -> bool {
        false
    }

    /// Number of trainable values.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(Parameter::len).sum()
    }
}

/// The options of one method, as a configuration or a prompt folder holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodConfig {
    /// Context optimisation, see [`CoOp`].
    CoOp(CoOpConfig),
}

impl MethodConfig {
    /// The method's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CoOp(_) => "coop",
        }
    }

    /// The method with its initial values for `classes` classes; `seed` names the random ones.
    ///
    /// # Errors
    /// Options that make no sense, or initial words that cannot be used.
    pub fn build(&self, clip: &Clip, classes: usize, seed: u64) -> Result<Box<dyn PromptMethod>> {
        match self {
            Self::CoOp(config) => Ok(Box::new(CoOp::new(config, clip, classes, seed)?)),
        }
    }
}

/// A named, trainable f32 tensor on the CPU.
#[derive(Debug, Clone)]
pub struct Parameter {
    name: String,
    var: Var,
}

impl Parameter {
    /// A parameter of the given name, shape and row-major values.
    ///
    /// # Errors
    /// A number of values that is not the product of the shape.
    pub fn new(name: &str, shape: &[usize], values: Vec<f32>) -> Result<Self> {
        if values.len() != shape.iter().product::<usize>() {
            return Err(MethodError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: values.len(),
            });
        }
        let var = Var::from_vec(values, shape, &Device::Cpu)?;
        Ok(Self {
            name: name.to_owned(),
            var,
        })
    }

    /// The name, unique in its method; the tensor's name in a prompt folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variable that autograd follows.
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        self.var.dims()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.var.elem_count()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the values, row-major.
    ///
    /// # Errors
    /// The tensor library refused to read them.
    pub fn values(&self) -> Result<Vec<f32>> {
        Ok(self.var.flatten_all()?.to_vec1()?)
    }

    /// Replaces the values, row-major.
    ///
    /// # Errors
    /// A number of values that differs from the parameter's.
    pub fn set(&self, values: &[f32]) -> Result<()> {
        if values.len() != self.len() {
            return Err(MethodError::Shape {
                name: self.name.clone(),
                expected: self.shape().to_vec(),
                found: values.len(),
            });
        }
        let tensor = Tensor::from_slice(values, self.shape(), &Device::Cpu)?;
        Ok(self.var.set(&tensor)?)
    }
}

/// What the prompts of one pass depend on beside the parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pass<'a> {
    /// Features of the images, each of length one (images x embed). Only methods that are
    /// [conditional](PromptMethod::conditional) look at them.
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
    /// Rows of learned text tokens (rows x text width), which [`Slot::Learned`] points to.
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
    /// The tensor library refused to read them.
    pub fn values(&self) -> Result<VisualValues> {
        let (layers, count, _) = self.rows.dims3()?;
        Ok(VisualValues {
            values: self.rows.flatten_all()?.to_vec1()?,
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
    pub fn for_tower(&self) -> VisualPrompts<'_> {
        VisualPrompts {
            values: &self.values,
            layers: self.layers,
            count: self.count,
            place: self.place,
        }
    }
}

impl Prompts {
    /// The text rows as plain row-major values; empty when the method has none.
    ///
    /// # Errors
    /// The tensor library refused to read them.
    pub fn text_values(&self) -> Result<Vec<f32>> {
        self.text
            .as_ref()
            .map_or(Ok(Vec::new()), |t| Ok(t.flatten_all()?.to_vec1()?))
    }

    /// The gradient of the loss by each parameter, given its gradient by the prompts: the
    /// vector-Jacobian product, as the gradient of `sum(prompts * d_prompts)`.
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
        let mut objective: Option<Tensor> = None;
        let visual = self.visual.as_ref().map(|visual| &visual.rows);
        for (prompts, d) in [(self.text.as_ref(), d_text), (visual, d_visual)] {
            if let (Some(prompts), Some(d)) = (prompts, d) {
                let d = Tensor::from_slice(d, prompts.dims(), &Device::Cpu)?;
                let part = (prompts * d)?.sum_all()?;
                objective = Some(match objective {
                    Some(sum) => (sum + part)?,
                    None => part,
                });
            }
        }
        let gradients = objective.as_ref().map(Tensor::backward).transpose()?;
        parameters
            .iter()
            .map(|parameter| {
                gradients
                    .as_ref()
                    .and_then(|store| store.get(parameter.var()))
                    .ok_or_else(|| MethodError::NoGradient {
                        name: parameter.name.clone(),
                    })
                    .and_then(|gradient| Ok(gradient.flatten_all()?.to_vec1()?))
            })
            .collect()
    }
}

/// A class name as it is put into a text: underscores become spaces, as published code does.
pub fn class_text(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_go_through_any_function_of_the_parameters() {
        // prompts = a * 2 + b, so d_a = 2 d and d_b = d.
        let a = Parameter::new("a", &[2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Parameter::new("b", &[2, 2], vec![0.0; 4]).unwrap();
        let text = ((a.var().as_tensor() * 2.0).unwrap() + b.var().as_tensor()).unwrap();
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

    #[test]
    fn values_are_replaced_whole_or_not_at_all() {
        let parameter = Parameter::new("ctx", &[2, 1], vec![1.0, 2.0]).unwrap();
        assert!(parameter.set(&[1.0]).is_err());
        parameter.set(&[5.0, 6.0]).unwrap();
        assert_eq!(parameter.values().unwrap(), [5.0, 6.0]);
        assert!(Parameter::new("ctx", &[2, 2], vec![0.0]).is_err());
    }
}
