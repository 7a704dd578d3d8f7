//! Cutting cleaned text into the pieces that byte-pair encoding works on.

use std::sync::LazyLock;

use regex::Regex;

use super::vocab::{EOT_TEXT, SOT_TEXT};

/// A piece of cleaned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// The start-of-text string, spelled out in the text.
    StartOfText,
    /// The end-of-text string, spelled out in the text.
    EndOfText,
    /// Anything else.
    Text(&'t str),
}

/// The published pattern. It ignores case, which after lower-casing matters in two places only:
/// the long s (U+017F) of a contraction, and the combining iota (U+0345), which Python's `regex`
/// then takes neither for a letter nor for anything else, and so drops.
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i:<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}\x{345}]+",
    )
    .expect("the pattern is a constant")
});

/// Special strings, contractions, runs of letters, single number characters, and runs of what is
/// neither white space, letter nor number; white space between them is dropped.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    PATTERN.find_iter(text).map(|found| match found.as_str() {
        SOT_TEXT => Piece::StartOfText,
        EOT_TEXT => Piece::EndOfText,
        piece => Piece::Text(piece),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text)
            .map(|piece| match piece {
                Piece::StartOfText => "SOT",
                Piece::EndOfText => "EOT",
                Piece::Text(text) => text,
            })
            .collect()
    }

    #[test]
    fn numbers_stand_alone_and_punctuation_runs_together() {
        assert_eq!(
            cut("side.. 747-400 (x)"),
            [
                "side", "..", "7", "4", "7", "-", "4", "0", "0", "(", "x", ")"
            ]
        );
    }

    #[test]
    fn contractions_are_cut_off_but_only_the_listed_ones() {
        assert_eq!(
            cut("it's we'll o'clock 'ſ"),
            ["it", "'s", "we", "'ll", "o", "'", "clock", "'ſ"]
        );
    }

    #[test]
    fn special_strings_are_one_piece() {
        assert_eq!(
            cut("a<|endoftext|>b <|startoftext|>"),
            ["a", "EOT", "b", "SOT"]
        );
    }
}
