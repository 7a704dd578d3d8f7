//! Rows that each text has of its own in the middle of the text tower.

use std::ops::Range;

use super::PromptRows;

/// Where each text has learned rows of its own: `rows` of them at the input of block `block`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRowsAt {
    /// The block, counted from 0; at least 1.
    pub block: usize,
    /// Rows of a text.
    pub rows: usize,
}

/// Rows of each text's own. What the blocks before made of a text's learned tokens is replaced at
/// the input of one block by the rows of that text, without positions: row `r` stands where
/// [`PromptToken::Learned`](crate::PromptToken::Learned) `(r)` does. From there on they are ordinary
/// tokens. For the text tower alone, and only beside [`PromptRows`] that all texts share, which enter
/// and end before that block.
///
/// Up to that block texts with an equal beginning share it; after it, nothing behind the first
/// learned token is shared.
#[derive(Clone, Copy, Debug)]
pub struct TextRows<'a> {
    /// `texts x rows x width`, in the order of the texts.
    pub values: &'a [f32],
    /// Where they enter.
    pub at: TextRowsAt,
}

impl<'a> TextRows<'a> {
    /// The rows of some of the texts, in a tower of that width.
    ///
    /// # Panics
    /// When there are fewer texts.
    #[must_use]
    pub fn of_texts(self, texts: Range<usize>, width: usize) -> TextRows<'a> {
        let size = self.at.rows * width;
        Self {
            values: &self.values[texts.start * size..texts.end * size],
            ..self
        }
    }

    /// # Panics
    /// When the values have another length for so many `texts`, or the block is not one of the tower's
    /// after those that `shared` rows enter at.
    pub(crate) fn check(&self, shared: &PromptRows, depth: usize, width: usize, texts: usize) {
        let TextRowsAt { block, rows } = self.at;
        assert!(
            !shared.is_empty() && (shared.first + shared.blocks..depth).contains(&block),
            "rows of each text at block {block} of a tower of {depth}, beside rows of {} blocks from \
             {} on",
            shared.blocks,
            shared.first
        );
        assert_eq!(
            self.values.len(),
            texts * rows * width,
            "values of the rows of each text"
        );
    }
}
