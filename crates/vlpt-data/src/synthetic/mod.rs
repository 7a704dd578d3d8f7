//! Synthetic tasks, whose images the program makes itself: for a first try without a download, for
//! tests, and for `vlpt demo`.
//!
//! Every picture is a pure function of (task, seed, split, index) and the same to the byte on every
//! machine: the arithmetic is that which IEEE 754 fixes, the random numbers are SplitMix64. The
//! pictures are small and cluttered on purpose, so that a weak CLIP fails on them with plain class
//! names and gains from tuning.
//!
//! One file makes one task.

mod backdrop;
mod canvas;
mod colours;
mod counts;
mod digits;
mod geometry;
mod landscapes;
mod random;
mod shapes;
mod stripes;
mod textures;

use std::io::Cursor;
use std::path::PathBuf;

use canvas::Canvas;
use random::Stream;

use crate::error::{DataError, Result};
use crate::image::RgbImage;
use crate::task::{Format, ImageRef, Metric, Provenance, Sample, Split, Task};

/// Width and height of every synthetic image, in pixels.
pub const SIDE: usize = 72;
/// Training images of a class.
pub const TRAIN_PER_CLASS: usize = 32;
/// Validation images of a class.
pub const VAL_PER_CLASS: usize = 8;
/// Test images of a class.
pub const TEST_PER_CLASS: usize = 32;

/// What stands before the name of a synthetic task where a path is expected.
pub const PREFIX: &str = "synthetic:";
/// The same in configurations and plans of version 0.1.
const OLD_PREFIX: &str = "drawn:";

/// The name in `synthetic:NAME`, or in the older spelling `drawn:NAME`; `None` for any other path.
pub fn name_in(path: &str) -> Option<&str> {
    path.strip_prefix(PREFIX)
        .or_else(|| path.strip_prefix(OLD_PREFIX))
}

/// What defines a task: its words, and the function that draws an image of a class.
struct Recipe {
    name: &'static str,
    classes: &'static [&'static str],
    template: &'static str,
    draw: fn(class: usize, random: &mut Stream) -> Canvas,
}

/// Every synthetic task, by name.
const RECIPES: [&Recipe; 7] = [
    &colours::RECIPE,
    &counts::RECIPE,
    &digits::RECIPE,
    &landscapes::RECIPE,
    &shapes::RECIPE,
    &stripes::RECIPE,
    &textures::RECIPE,
];

const NAMES: [&str; RECIPES.len()] = {
    let mut names = [""; RECIPES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = RECIPES[i].name;
        i += 1;
    }
    names
};

/// The names of the synthetic tasks, sorted.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The synthetic task of this name; another `seed` gives other images of the same kind.
///
/// Images come in the order class 0, 1, 2, ..., 0, 1, 2, ... and are drawn when they are loaded.
///
/// # Errors
/// There is no synthetic task of this name.
pub fn task(name: &str, seed: u64) -> Result<Task> {
    let Some(recipe) = RECIPES.iter().position(|recipe| recipe.name == name) else {
        return Err(DataError::UnknownSyntheticTask {
            found: name.to_owned(),
        });
    };
    let words = RECIPES[recipe];
    let split = |part: Part, per_class: usize| {
        let samples = (0..words.classes.len() * per_class)
            .map(|index| {
                let image = SyntheticImage {
                    recipe,
                    seed,
                    part,
                    index: index as u32,
                };
                Sample {
                    labels: vec![image.label() as u32],
                    image: ImageRef::Synthetic(image),
                }
            })
            .collect();
        Split::new(samples)
    };
    Ok(Task {
        name: words.name.to_owned(),
        classes: words
            .classes
            .iter()
            .map(|&class| class.to_owned())
            .collect(),
        templates: vec![words.template.to_owned()],
        metric: Metric::Accuracy,
        multi_label: false,
        train: split(Part::Train, TRAIN_PER_CLASS),
        val: Some(split(Part::Val, VAL_PER_CLASS)),
        test: split(Part::Test, TEST_PER_CLASS),
        provenance: Provenance {
            root: PathBuf::from(format!("{PREFIX}{name}")),
            format: Format::Synthetic,
            recognised_by: "the name of a synthetic task".to_owned(),
            notes: vec![format!("images made by the program with seed {seed}")],
            made_split: None,
        },
    })
}

/// What to say to a user who asked for a synthetic task that does not exist.
pub(crate) fn suggestion(found: &str) -> String {
    let known = NAMES.join(", ");
    let near = NAMES
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, found), name))
        .min()
        .filter(|&(distance, _)| distance <= 3);
    match near {
        Some((_, name)) => format!("did you mean `{name}`? The synthetic tasks are {known}"),
        None => format!("the synthetic tasks are {known}"),
    }
}

/// The part of a task that an image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Val,
    Test,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// One image of a synthetic task: which one it is, not its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticImage {
    /// Position in [`RECIPES`].
    recipe: usize,
    seed: u64,
    part: Part,
    index: u32,
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

    /// Draws it: [`SIDE`] x [`SIDE`] pixels, in about a millisecond.
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
        let image = self.draw();
        let mut file = Cursor::new(Vec::new());
        ::image::write_buffer_with_format(
            &mut file,
            &image.data,
            image.width,
            image.height,
            ::image::ExtendedColorType::Rgb8,
            ::image::ImageFormat::Png,
        )
        .map_err(std::io::Error::other)?;
        Ok(file.into_inner())
    }
}

#[cfg(test)]
mod tests;
