//! What shapes tell of a method's options.

use vlpt_clip::ClipConfig;

use super::{ImportHints, Names, Source};
use crate::{Depth, Place, Position};

/// Reads options from the shapes of a checkpoint's tensors, and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The tensors.
    pub names: &'a Names,
    /// The sizes of the model that the prompt should serve.
    pub model: &'a ClipConfig,
    /// What the user says of the checkpoint.
    pub hints: &'a ImportHints,
    /// The code that wrote it.
    pub source: Source,
    pub(super) problems: Vec<String>,
    pub(super) sizes: Vec<String>,
    pub(super) assumed: Vec<String>,
}

impl Reader<'_> {
    /// Notes an option that nothing in the file tells, with its reason.
    pub fn assume(&mut self, what: impl Into<String>) {
        self.assumed.push(what.into());
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.names.shape(name)
    }

    /// Notes a tensor that is missing or misshapen.
    pub fn misshapen(&mut self, name: &str, expected: &str) {
        self.problems.push(match self.shape(name) {
            Some(shape) => format!("`{name}` has shape {shape:?}: expected {expected}"),
            None => format!("`{name}` is missing"),
        });
    }

    /// Notes that something else is wrong with the tensors, a sentence without its full stop.
    pub fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }

    /// Notes a size that is not the model's.
    pub fn same(&mut self, what: &str, found: usize, of: &str, expected: usize) {
        if found != expected {
            let sentence = format!("{what} is {found}, {of} {expected}");
            self.sizes.push(sentence);
        }
    }

    /// Number of context tokens, and whether each class has its own.
    pub fn context(&mut self, class_specific: bool) -> (usize, bool) {
        let (tokens, width, specific) = match self.shape("ctx") {
            Some(&[tokens, width]) => (tokens, width, false),
            Some(&[_, tokens, width]) if class_specific => (tokens, width, true),
            _ => {
                let also = if class_specific {
                    ", or classes before it"
                } else {
                    ""
                };
                self.misshapen("ctx", &format!("tokens x text width{also}"));
                return (1, false);
            }
        };
        let width_of_model = self.model.text.width;
        self.same(
            "the width of `ctx`",
            width,
            "that of the text tower",
            width_of_model,
        );
        (tokens, specific)
    }

    /// Prompts a block, their width, and the blocks that have some.
    pub fn visual(&mut self, tower_width: bool) -> (usize, usize, Depth) {
        let Some(&[1, count, width]) = self.shape("vpt_embeddings") else {
            self.misshapen("vpt_embeddings", "1 x prompts x width");
            return (1, 1, Depth::Shallow);
        };
        if tower_width {
            let expected = self.model.vision.width;
            self.same(
                "the width of `vpt_embeddings`",
                width,
                "that of the image tower",
                expected,
            );
        }
        let deep = "vpt_embeddings_deep";
        let depth = match self.shape(deep) {
            None => Depth::Shallow,
            Some(&[blocks, ..]) => {
                let expected = self.model.vision.layers.saturating_sub(1);
                let of = "the image tower's blocks after the first are";
                self.same(
                    "the number of blocks of `vpt_embeddings_deep`",
                    blocks,
                    of,
                    expected,
                );
                Depth::Deep
            }
            Some([]) => {
                self.misshapen(deep, "blocks x prompts x width");
                Depth::Deep
            }
        };
        (count, width, depth)
    }

    /// Where the class name stands.
    pub fn position(&mut self) -> Position {
        self.hints.position.unwrap_or_else(|| {
            let (position, words) = match self.source {
                Source::Coop => (Position::End, "at the end, as in CoOp's code"),
                Source::Mvlpt | Source::Own | Source::Peft => {
                    (Position::Middle, "in the middle, as in MVLPT's code")
                }
            };
            self.assumed
                .push(format!("the class name stands {words} (--position)"));
            position
        })
    }

    /// Where the visual prompts of the first block enter.
    pub fn place(&mut self) -> Place {
        if self.hints.place.is_none() {
            self.assume(
                "visual prompts enter after the layer norm before the first block (ln_pre), as in \
                 MVLPT's code (--place)",
            );
        }
        self.hints.place.unwrap_or_default()
    }
}
