//! The tokenizer that belongs to a model.

use serde_json::Value;

use crate::config::TextConfig;
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::tokenizer::Tokenizer;

/// Rows of the token embedding of a model with OpenAI's vocabulary.
const OPENAI_VOCABULARY: usize = 49408;

/// The vocabulary of the model's own files, else OpenAI's.
///
/// # Errors
/// When the vocabulary is no CLIP vocabulary, or does not fit the token embedding.
pub(super) fn tokenizer(files: &ModelFiles, config: &TextConfig) -> Result<Tokenizer> {
    let limit = config.context_length;
    let (place, tokenizer) = if files.has("vocab.json") && files.has("merges.txt") {
        let (vocab, merges) = (files.text("vocab.json")?, files.text("merges.txt")?);
        let place = files.place("vocab.json");
        let tokenizer = parse(&place, &vocab, &merges, limit)?;
        (place, tokenizer)
    } else if files.has("tokenizer.json") {
        let place = files.place("tokenizer.json");
        let (vocab, merges) = split(&place, &files.json("tokenizer.json")?)?;
        let tokenizer = parse(&place, &vocab, &merges, limit)?;
        (place, tokenizer)
    } else if config.vocab_size == OPENAI_VOCABULARY {
        (
            "the OpenAI vocabulary".to_owned(),
            Tokenizer::openai().with_context_length(limit),
        )
    } else {
        return Err(ClipError::MissingFile {
            place: files.name.clone(),
            wanted: "vocab.json with merges.txt, and no tokenizer.json".to_owned(),
            hint: Some(format!(
                "the model has {} token embeddings, OpenAI's vocabulary {OPENAI_VOCABULARY}; \
                 put its own vocabulary beside it",
                config.vocab_size
            )),
        });
    };
    if tokenizer.vocab_size() > config.vocab_size || tokenizer.eot() != config.eot_token {
        return Err(ClipError::config(
            place,
            format!(
                "{} ids, end of text {}; the model has {} token embeddings, end of text {}",
                tokenizer.vocab_size(),
                tokenizer.eot(),
                config.vocab_size,
                config.eot_token
            ),
        ));
    }
    Ok(tokenizer)
}

/// A vocabulary whose errors name its file.
fn parse(place: &str, vocab: &str, merges: &str, limit: usize) -> Result<Tokenizer> {
    Tokenizer::from_vocab_merges(vocab, merges, limit)
        .map_err(|error| ClipError::config(place, error.to_string()))
}

/// The two older files, `vocab.json` and `merges.txt`, out of `tokenizer.json`.
fn split(place: &str, json: &Value) -> Result<(String, String)> {
    let model = &json["model"];
    if model["type"].as_str().is_some_and(|kind| kind != "BPE") {
        return Err(ClipError::Unsupported {
            file: place.to_owned(),
            what: format!("tokenizer model {}", model["type"]),
            hint: Some("CLIP's tokenizers are of type BPE".to_owned()),
        });
    }
    let wrong = |what: &str| ClipError::config(place, format!("no {what}"));
    let vocab = model["vocab"]
        .as_object()
        .ok_or_else(|| wrong("model.vocab"))?;
    let merges = model["merges"]
        .as_array()
        .ok_or_else(|| wrong("model.merges"))?;
    let mut lines = String::from("#version: 0.2\n");
    for merge in merges {
        match (merge.as_str(), merge.as_array().map(Vec::as_slice)) {
            (Some(line), _) => lines.push_str(line),
            (None, Some([Value::String(left), Value::String(right)])) => {
                lines.extend([left, " ", right]);
            }
            _ => return Err(wrong("pair of strings in model.merges")),
        }
        lines.push('\n');
    }
    let vocab = serde_json::to_string(vocab).expect("JSON that was read can be written");
    Ok((vocab, lines))
}
