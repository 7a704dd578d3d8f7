//! One pass: prompts to features, logits, loss, and back to the gradients of the parameters.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use vlpt_autograd::Tensor;
use vlpt_clip::{MemoryBudget, TowerAdaptation};
use vlpt_methods::UnitRows;
use vlpt_methods::{Method, MethodError, Pass, Prompts, Visual, VisualValues};

use super::images::BatchImages;
use super::texts::{Scope, TextSide, add_to, learned};
use super::work::{Shares, Workload};
use crate::loss::{LossHead, LossInput, LossOutput, Mask, TextsOf};
use crate::order::Batch;
use crate::{Result, TrainError};

/// Tokens that go through the image tower before their loss is taken and its gradient goes back:
/// as many as the tower has in a chunk, so that the tape of one chunk is all that is kept.
const PART_TOKENS: usize = 1024;

/// Everything that a pass needs and no pass changes.
pub(crate) struct Engine<'a> {
    work: &'a Workload<'a>,
    method: Arc<dyn Method>,
    pub(crate) texts: TextSide,
    visual: bool,
    image_budget: MemoryBudget,
    task_of: Vec<usize>,
}

/// What came out of a pass.
pub(crate) struct Passed {
    /// Mean loss of the batch.
    pub(crate) loss: f64,
    /// Images x classes of the scope.
    pub(crate) logits: Vec<f32>,
    /// The gradient of each parameter.
    pub(crate) gradients: Vec<Vec<f32>>,
}

/// The images of a step, what they are compared with, and which step it is.
pub(crate) struct Step {
    /// The images' classes, as columns of the scope.
    pub(crate) targets: Vec<Vec<u32>>,
    /// The columns of each image's task.
    ranges: Vec<Range<usize>>,
    scope: Scope,
    mask: Mask,
    /// Number of the step, counted from the run's beginning.
    number: u64,
}

impl Step {
    /// Number of columns of the logits.
    pub(crate) fn classes(&self) -> usize {
        self.scope.classes()
    }
}

impl<'a> Engine<'a> {
    /// Plans the texts, or computes the constant ones.
    pub(crate) fn new(work: &'a Workload<'a>, method: Arc<dyn Method>) -> Result<Self> {
        let texts = method.texts(&work.clip.tokenizer, work.classes)?;
        let visual = has_visual(method.as_ref())?;
        let shares = Shares::of(work.config, learned(&texts), visual);
        let (parts, at_once) = match work.mask {
            Mask::PerTask => (
                work.tasks.iter().map(|task| task.classes.clone()).collect(),
                work.config.train.batch_size,
            ),
            Mask::Union | Mask::Zero => (std::iter::once(0..work.classes.len()).collect(), 1),
        };
        Ok(Self {
            texts: TextSide::new(
                work.clip,
                method.as_ref(),
                work.classes,
                parts,
                shares.text,
                at_once,
            )?,
            visual,
            image_budget: shares.image,
            task_of: work.task_of_train(),
            work,
            method,
        })
    }

    /// Sorts out the classes of a batch and makes the plan it needs. Under [`Mask::PerTask`] only
    /// the classes of the batch's tasks are encoded.
    pub(crate) fn prepare(&mut self, batch: &Batch, number: u64) -> Result<Step> {
        let work = self.work;
        let scope = if work.mask == Mask::PerTask {
            let mut present: Vec<usize> = batch.images.iter().map(|&i| self.task_of[i]).collect();
            present.sort_unstable();
            present.dedup();
            self.texts.scope(present)
        } else {
            self.texts.whole()
        };
        self.texts.prepare(work.clip, &scope, batch.images.len())?;
        let column = |class: usize| {
            scope.column(class).ok_or_else(|| TrainError::Unfit {
                what: format!("an image has class {class}, which none of its tasks has"),
                hint: None,
            })
        };
        let targets = |&image: &usize| {
            let labels = work.train[image].labels.iter();
            labels
                .map(|&label| Ok(column(label as usize)? as u32))
                .collect::<Result<Vec<u32>>>()
        };
        let range = |&image: &usize| {
            let own = &work.tasks[self.task_of[image]].classes;
            let first = column(own.start)?;
            Ok(first..first + own.len())
        };
        let images = &batch.images;
        Ok(Step {
            targets: images.iter().map(targets).collect::<Result<_>>()?,
            ranges: images.iter().map(range).collect::<Result<_>>()?,
            // One task alone needs no mask.
            mask: if work.mask == Mask::PerTask && scope.parts.len() == 1 {
                Mask::Union
            } else {
                work.mask
            },
            scope,
            number,
        })
    }

    /// Loss and gradients of a step.
    ///
    /// # Errors
    /// A tensor operation that failed, or a method that makes visual prompts out of images.
    pub(crate) fn pass(&self, step: &Step, images: &BatchImages) -> Result<Passed> {
        let work = self.work;
        let embed = work.clip.config.embed_dim;
        let conditional = self.method.conditional();
        let features = match images {
            BatchImages::Features(features) => Some(Cow::Borrowed(features.as_slice())),
            BatchImages::Pixels(pixels) if !self.visual => {
                Some(Cow::Owned(self.plain_features(pixels)))
            }
            BatchImages::Pixels(_) => None,
        };
        let units = match &features {
            Some(features) if conditional => Some(unit_tensor(features, embed)?),
            _ => None,
        };
        let prompts = self.method.prompts(&Pass {
            images: units.as_ref(),
            step: Some((work.config.seed, step.number)),
        })?;
        let visual = prompts.visual.as_ref().map(Visual::values).transpose()?;
        let n = step.targets.len();
        let rows = prompts.text_values()?;
        let (texts, tapes) = self.texts.forward(work.clip, &step.scope, n, &rows);
        let (output, d_visual) = match (&visual, images, features) {
            (None, _, Some(features)) => (self.loss(step, 0..n, &features, &texts, false)?, None),
            (Some(visual), BatchImages::Pixels(pixels), None) => {
                let (output, d_visual) = self.parts(step, visual, pixels, &texts)?;
                (output, Some(d_visual))
            }
            _ => return Err(self.unsteady()),
        };
        let d_text = if self.texts.is_constant() {
            None
        } else {
            let d_texts = &output.d_texts;
            Some(
                self.texts
                    .backward(work.clip, &step.scope, n, tapes, d_texts),
            )
        };
        Ok(Passed {
            loss: output.loss,
            logits: output.logits,
            gradients: self.gradients(&prompts, d_text.as_deref(), d_visual.as_deref())?,
        })
    }

    /// A method whose visual prompts come and go, or are made of image features.
    fn unsteady(&self) -> TrainError {
        let name = self.method.name();
        TrainError::Unfit {
            what: format!("the method {name} has visual prompts in some passes only"),
            hint: Some("make visual prompts in every pass, of parameters alone".to_owned()),
        }
    }

    fn gradients(
        &self,
        prompts: &Prompts,
        d_text: Option<&[f32]>,
        d_visual: Option<&[f32]>,
    ) -> Result<Vec<Vec<f32>>> {
        Ok(prompts.gradients(self.method.parameters(), d_text, d_visual)?)
    }

    /// Features of pixels without visual prompts.
    fn plain_features(&self, pixels: &[f32]) -> Vec<f32> {
        let vision = &self.work.clip.vision;
        vision.features(
            pixels,
            pixels.len() / self.image_len(),
            &TowerAdaptation::NONE,
        )
    }

    /// Floats of an image.
    fn image_len(&self) -> usize {
        let side = self.work.maker.preprocess.image_size as usize;
        3 * side * side
    }

    /// Loss and gradients with visual prompts, some images at a time: their loss is taken and its
    /// gradient goes back before the next ones come, so that no tape is computed twice.
    fn parts(
        &self,
        step: &Step,
        visual: &VisualValues,
        pixels: &[f32],
        texts: &[f32],
    ) -> Result<(LossOutput, Vec<f32>)> {
        let vision = &self.work.clip.vision;
        let n = step.targets.len();
        let mut whole = LossOutput {
            loss: 0.0,
            logits: Vec::with_capacity(n * step.classes()),
            d_images: Vec::new(),
            d_texts: Vec::new(),
        };
        let mut d_visual = vec![0.0; visual.values.len()];
        let mut first = 0;
        for images in pixels.chunks(self.part_size(n, visual.count) * self.image_len()) {
            let end = first + images.len() / self.image_len();
            let prompts = visual.for_tower();
            let (features, tape) = vision.forward(images, end - first, &prompts, self.image_budget);
            let output = self.loss(step, first..end, &features, texts, true)?;
            let gradients = vision.backward(tape, &output.d_images);
            add_to(&mut d_visual, &gradients.prompts);
            whole.loss += output.loss;
            whole.logits.extend(output.logits);
            if whole.d_texts.is_empty() {
                whole.d_texts = output.d_texts;
            } else {
                add_to(&mut whole.d_texts, &output.d_texts);
            }
            first = end;
        }
        Ok((whole, d_visual))
    }

    /// Images of a part; it depends on shapes alone.
    fn part_size(&self, n: usize, prompts: usize) -> usize {
        let vision = &self.work.clip.config.vision;
        let side = vision.image_size / vision.patch_size;
        let most = (PART_TOKENS / (1 + side * side + prompts)).max(1);
        n.div_ceil(n.div_ceil(most).max(1)).max(1)
    }

    fn loss(
        &self,
        step: &Step,
        images: Range<usize>,
        features: &[f32],
        texts: &[f32],
        d_images: bool,
    ) -> Result<LossOutput> {
        let work = self.work;
        let head = LossHead {
            loss: work.config.train.loss.into(),
            scale: work.clip.logit_scale,
        };
        head.step(&LossInput {
            images: features,
            texts,
            width: work.clip.config.embed_dim,
            targets: &step.targets[images.clone()],
            batch: step.targets.len(),
            texts_of: if self.method.conditional() && !self.texts.is_constant() {
                TextsOf::Each
            } else {
                TextsOf::All
            },
            mask: step.mask,
            ranges: Some(&step.ranges[images]),
            d_images,
            d_texts: !self.texts.is_constant(),
        })
    }
}

/// Whether a method has visual prompts; of a conditional one, that it does not.
///
/// # Errors
/// A tensor operation that failed.
pub(crate) fn has_visual(method: &dyn Method) -> Result<bool> {
    Ok(!method.conditional() && method.prompts(&Pass::EVAL)?.visual.is_some())
}

/// Image features divided by their lengths, as a conditional method takes them.
fn unit_tensor(features: &[f32], embed: usize) -> Result<Tensor> {
    let units = UnitRows::new(features, embed)?;
    let values = units.rows().to_vec();
    Ok(Tensor::new(values, &[units.len(), embed]).map_err(MethodError::from)?)
}
