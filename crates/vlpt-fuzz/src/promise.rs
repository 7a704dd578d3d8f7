//! What holds whatever comes in.

use std::fmt::Display;

/// Longest message of an error, in bytes: more is the input printed back.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Checks what an error says, and the way out that it gives. Returns that the input was not accepted.
pub(crate) fn told(error: &dyn Display, hint: Option<String>) -> bool {
    let message = error.to_string();
    assert!(!message.trim().is_empty(), "an error without a word");
    assert!(
        message.len() <= LONGEST_MESSAGE,
        "an error of {} bytes: {:.200}",
        message.len(),
        message
    );
    if let Some(hint) = hint {
        assert!(!hint.trim().is_empty(), "a hint without a word: {message}");
    }
    false
}
