//! Whether a model has the sizes that a prompt folder was written for.

use vlpt_clip::Clip;

use super::PromptFolder;
use crate::{AdapterError, ImageAdaptation, Result};

impl PromptFolder {
    /// Refuses a model that features, visual prompts or a projection of these sizes do not fit.
    pub(super) fn check_sizes(&self, clip: &Clip) -> Result<()> {
        let incompatible = |what: String| AdapterError::Incompatible {
            what: format!("{}: {what}", self.path.display()),
            hint: None,
        };
        let (ours, found) = (self.adapter.embed_dim, clip.config.embed_dim);
        if ours != found {
            return Err(incompatible(format!(
                "the prompt has features of width {ours}, the model of {found}"
            )));
        }
        let (ours, found_side) = (
            self.adapter.preprocess.image_size as usize,
            clip.config.vision.image_size,
        );
        if ours != found_side {
            return Err(incompatible(format!(
                "the prompt makes images {ours} pixels wide and high, the model looks at {found_side}"
            )));
        }
        let stored = self.stored.classifier.as_ref();
        let visual = stored.and_then(|classifier| classifier.visual.as_ref());
        let (depth, tower) = (clip.vision.depth(), clip.vision.width());
        if let Some(prompts) = visual.and_then(ImageAdaptation::prompts) {
            let width = prompts.values.len() / (prompts.blocks * prompts.rows);
            if width != tower || prompts.blocks > depth {
                return Err(incompatible(format!(
                    "visual prompts of width {width} for {} blocks: the model has {depth} blocks \
                     of width {tower}",
                    prompts.blocks
                )));
            }
        }
        if let Some(projection) = visual.and_then(ImageAdaptation::projection)
            && projection.len() != tower * found
        {
            return Err(incompatible(format!(
                "a visual projection of {} x {found}: the model's is {tower} x {found}",
                projection.len() / found.max(1)
            )));
        }
        Ok(())
    }
}
