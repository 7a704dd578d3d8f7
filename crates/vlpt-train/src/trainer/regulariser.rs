//! Terms that a method adds to the loss: numbers made of tuned and frozen features.

use std::ops::Range;

use vlpt_autograd::{Tensor, Var};
use vlpt_methods::{Features, ImageFeatures, Method, MethodError, UnitRows};

use super::texts::add_to;
use crate::Result;

/// A term and its gradients.
#[derive(Debug, Default)]
pub(crate) struct Term {
    /// Its value.
    pub(crate) loss: f64,
    /// Its gradient in the text features as the tower gave them; empty where it has none.
    pub(crate) d_texts: Vec<f32>,
    /// Its gradient in the image features as the tower gave them; empty where it has none.
    pub(crate) d_images: Vec<f32>,
}

/// The terms of one step.
pub(crate) struct Regulariser<'a> {
    method: &'a dyn Method,
    scale: f32,
    width: usize,
    /// Features of the step's texts, of length one.
    texts: UnitRows,
    /// Of the same classes, as the method's teacher gives them.
    frozen_texts: Tensor,
}

/// The features of images of a step, tuned and frozen, as the towers gave them.
#[derive(Clone, Copy)]
pub(crate) struct Images<'a> {
    pub(crate) tuned: &'a [f32],
    pub(crate) frozen: &'a [f32],
    /// Number of images of the whole step.
    pub(crate) batch: usize,
}

impl<'a> Regulariser<'a> {
    /// The terms of a method with a teacher; `frozen_texts` are the teacher's features of the step's
    /// classes.
    pub(crate) fn new(
        method: &'a dyn Method,
        scale: f32,
        width: usize,
        texts: &[f32],
        frozen_texts: Vec<f32>,
    ) -> Result<Self> {
        let shape = [frozen_texts.len() / width, width];
        Ok(Self {
            method,
            scale,
            width,
            texts: UnitRows::new(texts, width)?,
            frozen_texts: Tensor::new(frozen_texts, &shape).map_err(MethodError::from)?,
        })
    }

    /// The term of the texts (`images` none), or of some images.
    pub(crate) fn term(&self, images: Option<Images>) -> Result<Term> {
        let leaf = |units: &UnitRows| {
            let shape = [units.len(), self.width];
            Var::new(units.rows().to_vec(), &shape).map_err(MethodError::from)
        };
        let texts = leaf(&self.texts)?;
        let parts = match images {
            None => None,
            Some(images) => {
                let tuned = UnitRows::new(images.tuned, self.width)?;
                let frozen = UnitRows::new(images.frozen, self.width)?;
                let shape = [frozen.len(), self.width];
                let frozen =
                    Tensor::new(frozen.rows().to_vec(), &shape).map_err(MethodError::from)?;
                let var = leaf(&tuned)?;
                Some((tuned, var, frozen, images.batch))
            }
        };
        let features = Features {
            texts: texts.as_tensor(),
            frozen_texts: &self.frozen_texts,
            images: parts
                .as_ref()
                .map(|(_, tuned, frozen, batch)| ImageFeatures {
                    tuned: tuned.as_tensor(),
                    frozen,
                    batch: *batch,
                }),
            scale: self.scale,
        };
        let Some(term) = self.method.regulariser(&features)? else {
            return Ok(Term::default());
        };
        let gradients = term.backward().map_err(MethodError::from)?;
        let back = |units: &UnitRows, var: &Var| {
            gradients.get(var).map_or_else(Vec::new, |d| {
                let mut d = d.to_vec();
                units.backward(&mut d);
                d
            })
        };
        Ok(Term {
            loss: f64::from(term.item().map_err(MethodError::from)?),
            d_texts: back(&self.texts, &texts),
            d_images: parts
                .as_ref()
                .map_or_else(Vec::new, |(units, var, ..)| back(units, var)),
        })
    }
}

impl Term {
    /// Adds the gradients to those of the loss.
    pub(crate) fn add(&self, loss: &mut f64, d_texts: &mut [f32], d_images: &mut [f32]) {
        *loss += self.loss;
        add_to(d_texts, &self.d_texts);
        add_to(d_images, &self.d_images);
    }
}

/// The rows of a teacher's features for the classes of some ranges.
pub(crate) fn rows_of(teacher: &[f32], width: usize, ranges: &[Range<usize>]) -> Vec<f32> {
    let of = |range: &Range<usize>| &teacher[range.start * width..range.end * width];
    ranges.iter().flat_map(of).copied().collect()
}
