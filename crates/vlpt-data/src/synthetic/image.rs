//! One image of a synthetic task.

use super::random::Stream;
use super::recipes::RECIPES;
use crate::error::Result;
use crate::image::RgbImage;
use crate::split_name::SplitName;

/// One image of a synthetic task: which one it is, not its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticImage {
    /// Position in [`RECIPES`].
    pub(super) recipe: usize,
    pub(super) seed: u64,
    pub(super) part: SplitName,
    pub(super) index: u32,
}

impl SyntheticImage {
    /// A name that says what is drawn, such as `shapes/seed-0/train/17.png`.
    pub fn id(&self) -> String {
        let name = RECIPES[self.recipe].name;
        format!(
            "{name}/seed-{}/{}/{}.png",
            self.seed,
            self.part.name(),
            self.index
        )
    }

    /// The class it shows.
    pub fn label(&self) -> usize {
        self.index as usize % RECIPES[self.recipe].classes.len()
    }

    /// Draws it: 72 x 72 pixels, in about a millisecond.
    pub fn draw(&self) -> RgbImage {
        let recipe = RECIPES[self.recipe];
        // The key holds the name and not the position, so that a new task leaves the others alone.
        let name = recipe
            .name
            .bytes()
            .fold(0_u64, |key, byte| (key << 8) | u64::from(byte));
        let key = [name, self.seed, self.part as u64, u64::from(self.index)];
        (recipe.draw)(self.label(), &mut Stream::keyed(&key)).finish()
    }

    /// Draws it and encodes it as a PNG file.
    ///
    /// # Errors
    /// The encoder failed, which it does not for an image of this size.
    pub fn png(&self) -> Result<Vec<u8>> {
        Ok(self.draw().png()?)
    }
}
