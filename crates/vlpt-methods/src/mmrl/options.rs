//! The options of both methods, and what of them makes no sense.

use vlpt_clip::ClipConfig;

use crate::zeroshot::{DEFAULT_TEMPLATE, fill};
use crate::{FusedClasses, MethodError, Result};

/// Blocks of a tower with rows, where nobody says how many.
const DEFAULT_BLOCKS: usize = 7;
/// Most tokens a block.
const MAX_TOKENS: usize = 1024;
/// The widest tokens.
const MAX_WIDTH: usize = 16_384;

options! {
    /// Options of [`Mmrl`](super::Mmrl), and of [`MmrlPlus`](super::MmrlPlus) beside its own.
    pub struct MmrlConfig = "mmrl" {
        /// Number of representation tokens, which both towers share.
        tokens: usize = 5, "1 to 1024";
        /// Width of a representation token. Published is 512, and 2048 for EuroSAT.
        width: usize = 512, "1 to 16384";
        /// The last so many blocks of each tower get rows made of the tokens; left out, 7, or all but the
        /// first of a smaller tower.
        #[serde(skip_serializing_if = "Option::is_none")]
        blocks: Option<usize> = None, "1 to one less than a tower has";
        /// The share of the class token's feature in the loss and in fused logits; the rest is that of
        /// the learned rows.
        alpha: f64 = 0.7, "0 to 1";
        /// Weight of the distances, one less the cosine, between tuned and frozen features of images and
        /// of texts. The built-in value is that published for ImageNet, and the same for all data; the
        /// published tables have another for each data set.
        lambda: f64 = 0.5, "0 or more";
        /// The classes' texts; `{}` stands for the name. Published is a template for each data set.
        template: String = DEFAULT_TEMPLATE.to_owned(), "a text with {}";
        /// The classes whose logits are fused with those of the learned rows: `trained`, those of the
        /// training, by name, in whatever list; `split`, as published for base and new classes, all of a
        /// list of trained classes and none of any other list; `all`; or `none`, the published way on
        /// other data sets than the training's, which needs to know that they are others.
        fused: FusedClasses = FusedClasses::Trained, "trained, split, all or none";
    }
}

options! {
    /// Options of [`MmrlPlus`](super::MmrlPlus) beside [`MmrlConfig`].
    pub struct MmrlPlusConfig = "mmrlpp" {
        /// After the first block with rows, what is made of the tokens is mixed with the rows that came
        /// out of the block before: its share is `beta`. The built-in value is that published for
        /// ImageNet, and the same for all data; the published tables have another for each data set, and,
        /// across data sets, for each set that is tested on.
        beta: f64 = 0.9, "1e-7 to 1";
        /// Rank of what each block adds to the shared layer.
        rank: usize = 4, "at least 1";
        /// Rank of what is added to the frozen projection for the learned rows.
        projection_rank: usize = 64, "at least 1";
    }
}

fn refuse<T>(key: &'static str, found: &dyn ToString, expected: impl Into<String>) -> Result<T> {
    Err(MethodError::Option {
        key,
        found: found.to_string(),
        expected: expected.into(),
    })
}

impl MmrlConfig {
    /// Checks what can be said without a model.
    ///
    /// # Errors
    /// The first option whose value makes no sense.
    pub fn check(&self) -> Result<()> {
        if !(1..=MAX_TOKENS).contains(&self.tokens) {
            return refuse("mmrl.tokens", &self.tokens, format!("1 to {MAX_TOKENS}"));
        }
        if !(1..=MAX_WIDTH).contains(&self.width) {
            return refuse("mmrl.width", &self.width, format!("1 to {MAX_WIDTH}"));
        }
        if self.blocks == Some(0) {
            return refuse("mmrl.blocks", &0, "at least 1");
        }
        if !(0.0..=1.0).contains(&self.alpha) {
            return refuse("mmrl.alpha", &self.alpha, "0 to 1");
        }
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            return refuse("mmrl.lambda", &self.lambda, "0 or more");
        }
        fill(&self.template, "name").map(|_| ())
    }

    /// The first block with rows, counted from 0, of the text and of the image tower.
    pub(super) fn first_blocks(&self, model: &ClipConfig) -> Result<[usize; 2]> {
        let layers = [model.text.layers, model.vision.layers];
        let limit = layers[0].min(layers[1]).saturating_sub(1);
        if limit == 0 {
            return Err(MethodError::Incompatible {
                what: format!(
                    "towers of {} and {} blocks: expected at least 2, since rows enter after the first",
                    layers[0], layers[1]
                ),
                hint: Some("use a model with deeper towers".to_owned()),
            });
        }
        match self.blocks {
            None => Ok(layers.map(|layers| layers - DEFAULT_BLOCKS.min(layers - 1))),
            Some(blocks) if (1..=limit).contains(&blocks) => {
                Ok(layers.map(|layers| layers - blocks))
            }
            Some(blocks) => refuse(
                "mmrl.blocks",
                &blocks,
                format!("1 to {limit} with this model"),
            ),
        }
    }
}

impl MmrlPlusConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        // What is carried over is a share below 1 as f32, too.
        if !(self.beta > 0.0 && self.beta <= 1.0 && ((1.0 - self.beta) as f32) < 1.0) {
            return refuse("mmrlpp.beta", &self.beta, "1e-7 to 1");
        }
        if self.rank == 0 {
            return refuse("mmrlpp.rank", &0, "at least 1");
        }
        if self.projection_rank == 0 {
            return refuse("mmrlpp.projection_rank", &0, "at least 1");
        }
        Ok(())
    }
}
