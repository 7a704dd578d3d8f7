//! What a file says, as much of it as belongs into a message.

use std::borrow::Cow;

/// Longest part of a message that stands in a file, in characters.
const LONGEST: usize = 400;

/// The beginning of a text, where it is longer than a message can bear.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let left = text[end..].chars().count();
            Cow::Owned(format!("{}... ({left} more characters)", &text[..end]))
        }
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(short("a name"), "a name");
        let long = "\u{e4}".repeat(LONGEST + 7);
        let cut = format!("{}... (7 more characters)", "\u{e4}".repeat(LONGEST));
        assert_eq!(short(&long), cut);
        assert_eq!(short(&"x".repeat(LONGEST)).len(), LONGEST);
    }
}
