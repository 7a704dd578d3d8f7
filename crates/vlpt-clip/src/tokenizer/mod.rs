//! CLIP's byte-pair tokenizer.

use crate::error::Result;

/// The tokenizer (signatures only so far).
#[derive(Clone, Debug)]
pub struct Tokenizer {
    context_length: usize,
}

impl Tokenizer {
    /// OpenAI's vocabulary.
    pub fn openai() -> Self {
        Self { context_length: 77 }
    }
    /// A vocabulary of any size.
    ///
    /// # Errors
    /// When the vocabulary is not one.
    pub fn from_vocab_merges(_vocab: &str, _merges: &str, context_length: usize) -> Result<Self> {
        Ok(Self { context_length })
    }
    /// Another limit on the tokens of a text.
    #[must_use]
    pub fn with_context_length(self, n: usize) -> Self {
        Self { context_length: n }
    }
    /// The most tokens of a text.
    pub fn context_length(&self) -> usize {
        self.context_length
    }
    /// Ids in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        0
    }
    /// End of text.
    pub fn eot(&self) -> u32 {
        0
    }
}
