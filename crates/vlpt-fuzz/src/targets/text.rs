//! Texts and vocabularies.

use std::sync::OnceLock;

use vlpt_clip::Tokenizer;

use crate::parts::split;
use crate::promise::told;

/// Encodes a text, cut and uncut, and decodes it.
pub(super) fn tokenizer(bytes: &[u8]) -> bool {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    let tokenizer = TOKENIZER.get_or_init(Tokenizer::openai);
    through(tokenizer, &String::from_utf8_lossy(bytes))
}

/// Reads a vocabulary and encodes a text with it.
pub(super) fn vocabulary(bytes: &[u8]) -> bool {
    let [vocabulary, merges, text] = split::<3>(bytes).map(String::from_utf8_lossy);
    match Tokenizer::from_vocab_merges(&vocabulary, &merges, 77) {
        Ok(tokenizer) => through(&tokenizer, &text),
        Err(error) => told(&error, error.hint()),
    }
}

fn through(tokenizer: &Tokenizer, text: &str) -> bool {
    let cut = tokenizer.encode_truncated(text);
    assert!(cut.len() >= 2 && cut.len() <= tokenizer.context_length());
    assert_eq!(cut.first(), Some(&tokenizer.sot()));
    assert_eq!(cut.last(), Some(&tokenizer.eot()));
    for id in &cut {
        assert!((*id as usize) < tokenizer.vocab_size(), "id {id}");
    }
    let _ = tokenizer.decode(&tokenizer.bpe(text));
    match tokenizer.encode(text) {
        Ok(ids) => {
            assert_eq!(ids, cut);
            true
        }
        Err(error) => told(&error, error.hint()),
    }
}
