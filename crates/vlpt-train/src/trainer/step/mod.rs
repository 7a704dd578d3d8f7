//! One pass: prompts to features, logits, loss, and back to the gradients of the parameters.

mod parts;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use vlpt_adapter::unit_tensor;
use vlpt_autograd::Tensor;
use vlpt_clip::MemoryBudget;
use vlpt_methods::{Method, MethodError, Needs, Parameter, Pass, Trains};

use self::parts::Given;
use super::images::BatchImages;
use super::memory_plan::MemoryPlan;
use super::regulariser::{Regulariser, rows_of};
use super::stages::StageState;
use super::texts::{Scope, TextSide, learned};
use super::workload::Workload;
use crate::loss::{ImageWeights, LossHead, LossInput, LossOutput, Mask, TextsOf};
use crate::sampler::Batch;
use crate::{Result, TrainError};

/// Everything that a pass needs and no pass changes.
pub(crate) struct StepEngine<'a> {
    pub(super) work: &'a Workload<'a>,
    method: Arc<dyn Method>,
    needs: Needs,
    pub(crate) texts: TextSide,
    /// Text features of all classes that the method compares its own with.
    teacher: Option<Vec<f32>>,
    image_budget: MemoryBudget,
    task_of: Vec<usize>,
}

/// What came out of a pass.
pub(crate) struct StepResult {
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
    pub(super) scope: Scope,
    mask: Mask,
    /// What each image weighs; empty: all alike.
    weights: Vec<f64>,
    /// Number of the step, counted from the run's beginning.
    number: u64,
}

impl Step {
    /// Number of columns of the logits.
    pub(crate) fn classes(&self) -> usize {
        self.scope.classes()
    }
}

impl<'a> StepEngine<'a> {
    /// Plans the texts, or computes the constant ones.
    pub(crate) fn new(work: &'a Workload<'a>, method: Arc<dyn Method>) -> Result<Self> {
        let texts = method.texts(&work.clip.tokenizer, work.classes)?;
        let needs = method.needs();
        let learned = learned(&texts) || needs.text_weights;
        let shares = MemoryPlan::of(work.config, learned, needs.pixels);
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
            teacher: method.teacher(work.clip, work.classes)?,
            needs,
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
            scope.column(class).ok_or_else(|| TrainError::Incompatible {
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
            weights: work
                .class_weights
                .as_ref()
                .map_or_else(Vec::new, |weights| {
                    let class = |&image: &usize| work.train[image].labels.first();
                    images
                        .iter()
                        .map(|image| class(image).map_or(0.0, |&class| weights[class as usize]))
                        .collect()
                }),
            number,
        })
    }

    /// Loss and gradients of a step.
    ///
    /// # Errors
    /// A tensor operation that failed, or a method that does not ask for what it uses.
    pub(crate) fn pass(
        &self,
        stage: &StageState,
        step: &Step,
        images: &BatchImages,
    ) -> Result<StepResult> {
        match stage.trains {
            Trains::Adaptation => self.adaptation_pass(&stage.trained, step, images),
            Trains::ClassFeatures => self.class_features_pass(stage, step, images),
        }
    }

    fn adaptation_pass(
        &self,
        parameters: &[Parameter],
        step: &Step,
        images: &BatchImages,
    ) -> Result<StepResult> {
        let work = self.work;
        let (needs, n) = (self.needs, step.targets.len());
        let reads_images = needs.frozen_features || needs.visual_per_image;
        let frozen = match images {
            BatchImages::Features(features) => Some(Cow::Borrowed(features.as_slice())),
            BatchImages::Pixels(pixels) if !needs.pixels || reads_images => {
                Some(Cow::Owned(self.frozen_features(pixels)))
            }
            BatchImages::Pixels(_) => None,
        };
        let units = match &frozen {
            Some(frozen) if reads_images => Some(unit_tensor(frozen, work.clip.config.embed_dim)?),
            _ => None,
        };
        let adaptation = self.method.adapt(&Pass {
            images: units.as_ref(),
            classes: self.frozen_class_features(&step.scope)?.as_ref(),
            step: Some((work.config.seed, step.number)),
        })?;
        let (text, visual) = (adaptation.text.values()?, adaptation.visual.values()?);
        let (texts, tapes) = self.texts.forward(work.clip, &step.scope, n, &text);
        let regulariser = self.regulariser(step, &texts)?;
        let (mut output, d_visual) = match (images, frozen) {
            (BatchImages::Pixels(pixels), frozen) if needs.pixels && !visual.is_empty() => {
                let given = Given {
                    pixels,
                    frozen: frozen.as_deref(),
                    texts: &texts,
                    regulariser: regulariser.as_ref(),
                };
                let (output, d_visual) = self.parts(step, &visual, &given)?;
                (output, Some(d_visual))
            }
            (_, Some(features)) if visual.is_empty() => {
                (self.loss(step, 0..n, &features, &texts, false)?, None)
            }
            _ => return Err(self.unsteady()),
        };
        if let Some(regulariser) = &regulariser {
            let term = regulariser.term(None)?;
            term.add(&mut output.loss, &mut output.d_texts, &mut []);
        }
        let d_text = (!self.texts.is_constant()).then(|| {
            let d_texts = &output.d_texts;
            self.texts
                .backward(work.clip, &step.scope, n, tapes, d_texts)
        });
        Ok(StepResult {
            loss: output.loss,
            logits: output.logits,
            gradients: adaptation.gradients(parameters, d_text.as_ref(), d_visual.as_ref())?,
        })
    }

    /// The teacher's features of a scope's classes, where the method needs them.
    pub(crate) fn frozen_class_features(&self, scope: &Scope) -> Result<Option<Tensor>> {
        let of = |teacher: &Vec<f32>| {
            let width = self.work.clip.config.embed_dim;
            let rows = rows_of(teacher, width, &scope.ranges);
            let tensor = Tensor::new(rows, &[scope.classes(), width]);
            Ok(tensor.map_err(MethodError::from)?)
        };
        let teacher = self.teacher.as_ref();
        teacher
            .filter(|_| self.needs.frozen_class_features)
            .map(of)
            .transpose()
    }

    /// What the method adds to the loss of a step, where it has a teacher.
    fn regulariser(&self, step: &Step, texts: &[f32]) -> Result<Option<Regulariser<'_>>> {
        let (width, scale) = (self.work.clip.config.embed_dim, self.work.clip.logit_scale);
        let of = |teacher: &Vec<f32>| {
            let frozen = rows_of(teacher, width, &step.scope.ranges);
            Regulariser::new(self.method.as_ref(), scale, width, texts, frozen)
        };
        self.teacher.as_ref().map(of).transpose()
    }

    /// A method that changes the image tower without having asked for pixels, or the other way.
    fn unsteady(&self) -> TrainError {
        let name = self.method.name();
        TrainError::Incompatible {
            what: format!("the method {name} changes the image tower in some passes only"),
            hint: Some(
                "let its `needs` say `pixels`, and change the tower in every pass".to_owned(),
            ),
        }
    }

    fn loss(
        &self,
        step: &Step,
        images: Range<usize>,
        features: &[f32],
        texts: &[f32],
        d_images: bool,
    ) -> Result<LossOutput> {
        let d_texts = !self.texts.is_constant();
        self.loss_with(step, images, features, texts, (d_images, d_texts))
    }

    /// Loss of some images of a step, and its gradients in their features and in those of the classes
    /// where these are wanted.
    pub(super) fn loss_with(
        &self,
        step: &Step,
        images: Range<usize>,
        features: &[f32],
        texts: &[f32],
        (d_images, d_texts): (bool, bool),
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
            weights: (!step.weights.is_empty()).then(|| ImageWeights {
                each: &step.weights[images.clone()],
                total: step.weights.iter().sum(),
            }),
            texts_of: if self.needs.texts_per_image && !self.texts.is_constant() {
                TextsOf::Each
            } else {
                TextsOf::All
            },
            mask: step.mask,
            ranges: Some(&step.ranges[images]),
            d_images,
            d_texts,
        })
    }
}
