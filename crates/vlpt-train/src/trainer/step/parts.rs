//! The images of a step through a tower that is changed, some at a time.

use std::ops::Range;

use vlpt_clip::{TowerAdaptation, TowerGradients};
use vlpt_methods::{Fusion, TowerValues};

use super::super::regulariser::{Images, Regulariser};
use super::super::texts::add_to;
use super::super::two_features::{join, parted, side_by_side};
use super::{Step, StepEngine};
use crate::loss::LossOutput;
use crate::{Result, TrainError};

/// Tokens that go through the image tower before their loss is taken and its gradient goes back:
/// as many as the tower has in a chunk, so that the tape of one chunk is all that is kept.
const PART_TOKENS: usize = 1024;

/// What goes into the image side of a step.
pub(super) struct Given<'a> {
    pub(super) pixels: &'a [f32],
    /// Features of the images under the frozen tower, where the method needs them.
    pub(super) frozen: Option<&'a [f32]>,
    pub(super) texts: &'a [f32],
    pub(super) regulariser: Option<&'a Regulariser<'a>>,
}

impl StepEngine<'_> {
    /// Features of pixels under the frozen tower.
    pub(super) fn frozen_features(&self, pixels: &[f32]) -> Vec<f32> {
        let vision = &self.work.clip.vision;
        vision.features(
            pixels,
            pixels.len() / self.image_len(),
            &TowerAdaptation::NONE,
        )
    }

    /// Floats of an image.
    fn image_len(&self) -> usize {
        let side = self.work.extractor.preprocess.image_size as usize;
        3 * side * side
    }

    /// Loss and gradients where the image tower is changed, some images at a time: their loss is
    /// taken and its gradient goes back before the next ones come, so that no tape is computed twice.
    pub(super) fn parts(
        &self,
        step: &Step,
        visual: &TowerValues,
        given: &Given,
    ) -> Result<(LossOutput, TowerGradients)> {
        let vision = &self.work.clip.vision;
        let n = step.targets.len();
        let fusion = self.fusion(visual)?;
        let per_image = visual.prompts.as_ref().is_some_and(|p| p.per_image);
        let mut whole = LossOutput {
            loss: 0.0,
            logits: Vec::with_capacity(n * step.classes()),
            d_images: Vec::new(),
            d_texts: Vec::new(),
        };
        let mut d_visual: Option<TowerGradients> = None;
        let mut first = 0;
        let rows = visual.prompts.as_ref().map_or(0, |prompts| prompts.rows);
        for images in given
            .pixels
            .chunks(self.part_size(n, rows) * self.image_len())
        {
            let end = first + images.len() / self.image_len();
            let own;
            let values = if per_image {
                own = visual.of_images(first..end, n);
                &own
            } else {
                visual
            };
            let updates = values.updates();
            let adaptation = TowerAdaptation {
                first_image: first,
                ..values.for_tower(&updates)
            };
            let (features, tape) =
                vision.forward(images, end - first, &adaptation, self.image_budget);
            let output = self.image_loss(step, first..end, &features, given, fusion)?;
            let mut gradients = vision.backward(tape, &output.d_images);
            match &mut d_visual {
                None => d_visual = Some(gradients),
                Some(sum) if per_image => {
                    let mut prompts = std::mem::take(&mut sum.prompts);
                    prompts.append(&mut gradients.prompts);
                    sum.add(&gradients);
                    sum.prompts = prompts;
                }
                Some(sum) => sum.add(&gradients),
            }
            whole.loss += output.loss;
            whole.logits.extend(output.logits);
            if whole.d_texts.is_empty() {
                whole.d_texts = output.d_texts;
            } else {
                add_to(&mut whole.d_texts, &output.d_texts);
            }
            first = end;
        }
        Ok((whole, d_visual.unwrap_or_default()))
    }

    /// Loss and gradients of some images, of one or two features each, with what the method adds.
    fn image_loss(
        &self,
        step: &Step,
        images: Range<usize>,
        features: &[f32],
        given: &Given,
        fusion: Option<Fusion>,
    ) -> Result<LossOutput> {
        let embed = self.work.clip.config.embed_dim;
        let parts = fusion.map(|fusion| (fusion.share, parted(features, embed)));
        let class = parts.as_ref().map_or(features, |(_, [class, _])| class);
        let mut output = self.loss(step, images.clone(), class, given.texts, true)?;
        let d_rows = match &parts {
            None => None,
            Some((share, [_, rows])) => {
                let rows = self.loss(step, images.clone(), rows, given.texts, true)?;
                Some(join(&mut output, rows, *share))
            }
        };
        if let (Some(regulariser), Some(frozen)) = (given.regulariser, given.frozen) {
            let term = regulariser.term(Some(Images {
                tuned: class,
                frozen: &frozen[images.start * embed..images.end * embed],
                batch: step.targets.len(),
            }))?;
            term.add(&mut output.loss, &mut output.d_texts, &mut output.d_images);
        }
        if let Some(d_rows) = d_rows {
            output.d_images = side_by_side(&output.d_images, &d_rows, embed);
        }
        Ok(output)
    }

    /// How two features of an image are weighed, where it has two.
    fn fusion(&self, visual: &TowerValues) -> Result<Option<Fusion>> {
        let name = self.method.name();
        let fusion = |_| {
            self.method
                .fusion()
                .ok_or_else(|| TrainError::Incompatible {
                    what: format!(
                        "the method {name} has a projection of rows and does not weigh it"
                    ),
                    hint: Some("let its `fusion` say how".to_owned()),
                })
        };
        visual.row_projection.as_ref().map(fusion).transpose()
    }

    /// Images of a part; it depends on shapes alone.
    fn part_size(&self, n: usize, prompts: usize) -> usize {
        let vision = &self.work.clip.config.vision;
        let side = vision.image_size / vision.patch_size;
        let most = (PART_TOKENS / (1 + side * side + prompts)).max(1);
        n.div_ceil(n.div_ceil(most).max(1)).max(1)
    }
}
