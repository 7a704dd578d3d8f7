//! The parser's errors as this crate's own.

use std::ops::Range;

use super::{all_keys, nearest};
use crate::TrainError;

/// Turns the parser's error into ours, with line and column where the text is at hand.
pub(super) fn describe(error: &toml::de::Error, text: Option<&str>, origin: &str) -> TrainError {
    let place = match (text, error.span()) {
        (Some(text), Some(span)) => {
            let (line, column) = position(text, &span);
            format!("{origin}:{line}:{column}")
        }
        _ => origin.to_owned(),
    };
    let message = error.message();
    if message.starts_with("unknown field") {
        let key = quoted(message).next().unwrap_or_default().to_owned();
        let siblings: Vec<String> = quoted(message).skip(1).map(str::to_owned).collect();
        let suggestion = nearest(&key, &siblings).or_else(|| nearest(&key, &all_keys()));
        return TrainError::UnknownKey {
            place,
            key,
            suggestion,
        };
    }
    let suggestion = message.starts_with("unknown variant").then(|| {
        let found = quoted(message).next().unwrap_or_default();
        let known: Vec<&str> = quoted(message).skip(1).collect();
        nearest(found, &known)
    });
    TrainError::BadValue {
        place,
        what: message.to_owned(),
        suggestion: suggestion.flatten(),
    }
}

/// The parts of a message between back quotes.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Line and column, counted from 1, of the beginning of a span.
fn position(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (line, column)
}
