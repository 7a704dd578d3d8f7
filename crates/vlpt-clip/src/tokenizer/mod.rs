//! CLIP's tokenizer: cleaning, cutting, byte-level byte-pair encoding.
//!
//! Gives the ids of OpenAI's `simple_tokenizer` (Radford et al., 2021), whose merge list is
//! embedded; see [`Tokenizer::bpe`] for the steps. Checked against the published steps on every
//! assigned character; the one known difference is how much damaged text is repaired (text that
//! was decoded with a wrong character set, see `repair.rs`).

mod bpe;
mod bytes;
mod clean;
mod html;
mod repair;
mod split;
mod vocab;
mod windows_1252;

use crate::error::{ClipError, Result};
use split::Piece;
use vocab::{END_OF_WORD, Vocabulary};

/// Positions of the released CLIP models.
const OPENAI_CONTEXT_LENGTH: usize = 77;

/// Turns text into token ids and back.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    context_length: usize,
}

impl Tokenizer {
    /// OpenAI's vocabulary of 49,408 ids, embedded in the program, with 77 positions.
    pub fn openai() -> Self {
        Self {
            vocabulary: Vocabulary::openai(),
            context_length: OPENAI_CONTEXT_LENGTH,
        }
    }

    /// The vocabulary of a model folder: the texts of its `vocab.json` and `merges.txt`.
    ///
    /// # Errors
    /// [`ClipError::Vocabulary`] when a file cannot be parsed, an id stands for two texts, a merge
    /// is not two symbols, or the start or end of text is missing.
    pub fn from_vocab_merges(
        vocab_json: &str,
        merges_txt: &str,
        context_length: usize,
    ) -> Result<Self> {
        Ok(Self {
            vocabulary: Vocabulary::from_files(vocab_json, merges_txt)?,
            context_length,
        })
    }

    /// The same tokenizer for a model of `n` positions.
    #[must_use]
    pub fn with_context_length(self, n: usize) -> Self {
        Self {
            context_length: n,
            ..self
        }
    }

    /// Start of text, the ids of [`Tokenizer::bpe`], end of text.
    ///
    /// # Errors
    /// [`ClipError::TextTooLong`] when that is longer than the context length.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.wrapped(text);
        if ids.len() > self.context_length {
            return Err(ClipError::TextTooLong {
                text: text.to_owned(),
                tokens: ids.len(),
                limit: self.context_length,
            });
        }
        Ok(ids)
    }

    /// As [`Tokenizer::encode`], but a text that is too long is cut to the context length and its
    /// last id becomes the end of text (OpenAI's `truncate=True`).
    pub fn encode_truncated(&self, text: &str) -> Vec<u32> {
        let mut ids = self.wrapped(text);
        if ids.len() > self.context_length {
            ids.truncate(self.context_length);
            if let Some(last) = ids.last_mut() {
                *last = self.eot();
            }
        }
        ids
    }

    /// The ids of a text without start and end of text.
    ///
    /// Steps: repair of damaged text, HTML character references resolved twice, white space
    /// collapsed, lower case; then special strings, contractions, runs of letters, single number
    /// characters and runs of anything else; each piece as UTF-8 bytes in the byte alphabet, its
    /// last symbol marked, merged by rank. A special string spelled out in the text is its id.
    pub fn bpe(&self, text: &str) -> Vec<u32> {
        let text = clean::clean(text);
        let vocabulary = &self.vocabulary;
        let mut ids = Vec::new();
        let mut symbols = Vec::new();
        for piece in split::pieces(&text) {
            match piece {
                Piece::StartOfText => ids.push(vocabulary.sot),
                Piece::EndOfText => ids.push(vocabulary.eot),
                Piece::Text(piece) => {
                    let last = piece.len() - 1;
                    symbols.clear();
                    symbols.extend(piece.bytes().enumerate().map(|(at, byte)| {
                        vocabulary.byte_symbols[usize::from(at == last)][usize::from(byte)]
                    }));
                    vocabulary.merges.apply(&mut symbols);
                    ids.extend(
                        symbols
                            .iter()
                            .map(|&symbol| vocabulary.ids[symbol as usize]),
                    );
                }
            }
        }
        ids
    }

    fn wrapped(&self, text: &str) -> Vec<u32> {
        let mut ids = vec![self.sot()];
        ids.extend(self.bpe(text));
        ids.push(self.eot());
        ids
    }

    /// Id of the start of text.
    pub fn sot(&self) -> u32 {
        self.vocabulary.sot
    }

    /// Id of the end of text.
    pub fn eot(&self) -> u32 {
        self.vocabulary.eot
    }

    /// Number of ids: the largest one plus one.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.texts.len()
    }

    /// Positions of the model: most ids that [`Tokenizer::encode`] gives.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// The vocabulary's spelling of an id, in the byte alphabet and with its `</w>`.
    pub fn token_text(&self, id: u32) -> Option<&str> {
        self.vocabulary.texts.get(id as usize)?.as_deref()
    }

    /// The text of ids: a space after each end of word (none at the very end), start and end of
    /// text spelled out, unknown ids and broken UTF-8 as U+FFFD. Lower-casing and cleaning are
    /// not undone.
    pub fn decode(&self, ids: &[u32]) -> String {
        let alphabet = bytes::alphabet();
        let mut out: Vec<u8> = Vec::new();
        for &id in ids {
            let Some(text) = self.token_text(id) else {
                out.extend_from_slice("\u{fffd}".as_bytes());
                continue;
            };
            if id == self.sot() || id == self.eot() {
                out.extend_from_slice(text.as_bytes());
                out.push(b' ');
                continue;
            }
            let (text, ends) = match text.strip_suffix(END_OF_WORD) {
                Some(text) => (text, true),
                None => (text, false),
            };
            for c in text.chars() {
                match alphabet.iter().position(|&a| a == c) {
                    Some(byte) => out.push(byte as u8),
                    None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            if ends {
                out.push(b' ');
            }
        }
        let text = String::from_utf8_lossy(&out);
        text.strip_suffix(' ').unwrap_or(&text).to_owned()
    }
}
