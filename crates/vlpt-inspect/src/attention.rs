//! How the class token of the image tower shares out its attention.

use serde::Serialize;
use vlpt_clip::{Clip, TowerAdaptation};
use vlpt_methods::TowerValues;

use crate::{InspectError, Result};

/// Shares of a class token's attention; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shares {
    /// To itself.
    pub itself: f64,
    /// To all patches together.
    pub patches: f64,
    /// To all visual prompts together.
    pub prompts: f64,
}

/// Attention of the class token of one image, in every block and head.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassAttention {
    /// Number of blocks.
    pub blocks: usize,
    /// Heads of a block.
    pub heads: usize,
    /// Patches along a side of the image.
    pub grid: usize,
    /// Visual prompts that a class token sees in a block.
    pub prompts: usize,
    /// blocks x heads x (1 + grid * grid + prompts): itself, patches row by row, prompts.
    values: Vec<f32>,
}

/// Attention of the class tokens of `n` images (n x 3 x side x side, normalised), in the image
/// tower as it was tuned where it was.
///
/// # Panics
/// When the images or the prompts have another shape than the model's.
pub fn of_images(
    clip: &Clip,
    images: &[f32],
    n: usize,
    tuned: Option<&TowerValues>,
) -> Vec<ClassAttention> {
    let vision = &clip.config.vision;
    let updates = tuned.map_or_else(Vec::new, TowerValues::updates);
    let adaptation = tuned.map_or(TowerAdaptation::NONE, |tuned| tuned.for_tower(&updates));
    let columns = clip.vision.attention_columns(&adaptation);
    let grid = vision.image_size / vision.patch_size;
    let all = clip.vision.class_attention(images, n, &adaptation);
    let of_image = |values: &[f32]| ClassAttention {
        blocks: vision.layers,
        heads: vision.heads,
        grid,
        prompts: columns - 1 - grid * grid,
        values: values.to_vec(),
    };
    all.chunks_exact(vision.layers * vision.heads * columns)
        .map(of_image)
        .collect()
}

impl ClassAttention {
    fn columns(&self) -> usize {
        1 + self.grid * self.grid + self.prompts
    }

    /// Attention in a block and a head, or the mean over the heads; both are counted from 1. The
    /// class token itself, then the patches row by row, then the prompts.
    ///
    /// # Errors
    /// [`InspectError::NoSuchPart`] for a block or head that there is not.
    pub fn row(&self, block: usize, head: Option<usize>) -> Result<Vec<f64>> {
        let check = |what, found: usize, most| {
            if (1..=most).contains(&found) {
                Ok(found - 1)
            } else {
                Err(InspectError::NoSuchPart { what, found, most })
            }
        };
        let block = check("block", block, self.blocks)?;
        let heads = match head {
            Some(head) => {
                let head = check("head", head, self.heads)?;
                head..head + 1
            }
            None => 0..self.heads,
        };
        let columns = self.columns();
        let count = heads.len() as f64;
        let mut mean = vec![0.0; columns];
        for head in heads {
            let row = &self.values[(block * self.heads + head) * columns..][..columns];
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += f64::from(*value) / count;
            }
        }
        Ok(mean)
    }

    /// The part of a row that goes to the patches.
    pub fn patches<'a>(&self, row: &'a [f64]) -> &'a [f64] {
        &row[1..=self.grid * self.grid]
    }

    /// The sums of a row.
    pub fn shares(&self, row: &[f64]) -> Shares {
        // the sum of nothing is a negative zero
        let sum = |part: &[f64]| part.iter().sum::<f64>() + 0.0;
        Shares {
            itself: row[0],
            patches: sum(self.patches(row)),
            prompts: sum(&row[1 + self.grid * self.grid..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One block of two heads, a grid of 2 x 2, one prompt.
    fn example() -> ClassAttention {
        ClassAttention {
            blocks: 1,
            heads: 2,
            grid: 2,
            prompts: 1,
            values: vec![
                0.5, 0.125, 0.125, 0.0, 0.0, 0.25, //
                0.0, 0.25, 0.25, 0.25, 0.25, 0.0,
            ],
        }
    }

    #[test]
    fn shares_are_sums_of_a_row_and_sum_to_one() {
        let row = example().row(1, Some(1)).unwrap();
        let shares = example().shares(&row);
        assert_eq!(
            (shares.itself, shares.patches, shares.prompts),
            (0.5, 0.25, 0.25)
        );
        let mean = example().row(1, None).unwrap();
        assert_eq!(mean, [0.25, 0.1875, 0.1875, 0.125, 0.125, 0.125]);
        assert_eq!(example().patches(&mean).len(), 4);
        let none = ClassAttention {
            heads: 1,
            prompts: 0,
            values: vec![0.5, 0.5, 0.0, 0.0, 0.0],
            ..example()
        };
        let shares = none.shares(&none.row(1, None).unwrap());
        assert!(shares.prompts == 0.0 && shares.prompts.is_sign_positive());
    }

    #[test]
    fn a_block_or_head_that_is_not_there_is_refused() {
        for (block, head) in [(0, None), (2, None), (1, Some(0)), (1, Some(3))] {
            let error = example().row(block, head).unwrap_err();
            assert!(matches!(error, InspectError::NoSuchPart { .. }));
            assert!(error.hint().is_some());
        }
    }
}
