//! Repair of damaged text: the part of Python's `ftfy.fix_text` (6.3) that CLIP's cleaning needs.
//!
//! Equal to it: character references, C1 controls, ligatures, character width, curly quotes, line
//! breaks, terminal escapes, control characters, NFC, and the order and repetition of these.
//!
//! Two known differences. Repairs are repeated [`ROUNDS`] times at most, where ftfy goes on for as long as
//! something changes: `&amp;amp;amp;` and so on loses one level a round, and a long one would take for ever.
//! And ftfy also guesses which texts were once decoded with a wrong character
//! set, out of ten sets and with a table of suspicious neighbours that changes from version to
//! version. Here only what is beyond doubt is undone: UTF-8 read as Latin-1 or Windows-1252,
//! when the whole line turns back into UTF-8 with at least two such sequences, or where one of the
//! typical ones stands (see [`is_sure_sign`]).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::html;
use super::windows_1252::WINDOWS_1252;

/// Latin ligatures and digraphs, with the letters they are made of.
const LIGATURES: [(char, &str); 22] = [
    ('\u{0132}', "IJ"),
    ('\u{0133}', "ij"),
    ('\u{0149}', "\u{02bc}n"),
    ('\u{01c4}', "D\u{017d}"),
    ('\u{01c5}', "D\u{017e}"),
    ('\u{01c6}', "d\u{017e}"),
    ('\u{01c7}', "LJ"),
    ('\u{01c8}', "Lj"),
    ('\u{01c9}', "lj"),
    ('\u{01ca}', "NJ"),
    ('\u{01cb}', "Nj"),
    ('\u{01cc}', "nj"),
    ('\u{01f1}', "DZ"),
    ('\u{01f2}', "Dz"),
    ('\u{01f3}', "dz"),
    ('\u{fb00}', "ff"),
    ('\u{fb01}', "fi"),
    ('\u{fb02}', "fl"),
    ('\u{fb03}', "ffi"),
    ('\u{fb04}', "ffl"),
    ('\u{fb05}', "\u{017f}t"),
    ('\u{fb06}', "st"),
];

static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("&#?[0-9A-Za-z]{1,24};").expect("the pattern is a constant"));

static TERMINAL_ESCAPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\x1b\[[\d;]*[a-zA-Z]").expect("the pattern is a constant"));

/// How often a line is repaired again: no honest text was damaged so often.
const ROUNDS: usize = 64;

/// The text, line by line, with every repair repeated until nothing changes.
pub(super) fn fix_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A `<` says that this is HTML on purpose: from its line on, references stay.
    let mut references = true;
    for line in text.split_inclusive('\n') {
        references &= !line.contains('<');
        out.push_str(&fix_line(line, references));
    }
    out
}

fn fix_line(line: &str, references: bool) -> String {
    let mut text = line.to_owned();
    // As in ftfy, `<` is looked for once, before the first round.
    for _ in 0..ROUNDS {
        let mut next = Cow::Borrowed(text.as_str());
        if references {
            next = Cow::Owned(resolve_references(&next));
        }
        for _ in 0..ROUNDS {
            match undo_wrong_character_set(&next) {
                Some(repaired) => next = Cow::Owned(repaired),
                None => break,
            }
        }
        let next = fix_characters(&next).replace("\r\n", "\n");
        let next = next.replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        let next = TERMINAL_ESCAPE.replace_all(&next, "");
        let next: String = next.chars().filter(|&c| !is_removed_control(c)).collect();
        let next = if is_nfc(&next) {
            next
        } else {
            next.nfc().collect()
        };
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// References that end with a semicolon: HTML's names, all-capital spellings of lower-case names
/// that HTML does not know itself (`&EACUTE;`), and numbers (but not the semicolon's own).
fn resolve_references(text: &str) -> String {
    let resolve = |found: &Captures| {
        let whole = &found[0];
        let name = &whole[1..];
        if name.starts_with('#') {
            let character = html::unescape(whole);
            return if character.contains(';') {
                whole.to_owned()
            } else {
                character.into_owned()
            };
        }
        if let Some(expansion) = html::named(name) {
            return expansion.to_owned();
        }
        let lower = name.to_ascii_lowercase();
        match html::named(&lower) {
            Some(expansion)
                if name == name.to_ascii_uppercase() && html::unescape(whole) == whole =>
            {
                expansion.to_uppercase()
            }
            _ => whole.to_owned(),
        }
    };
    REFERENCE.replace_all(text, resolve).into_owned()
}

/// UTF-8 that was read as Latin-1 or Windows-1252, read again as UTF-8; `None` for anything else.
fn undo_wrong_character_set(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    whole_line(text).or_else(|| sure_sequences(text))
}

/// The whole line in one of the two sets, when all of it turns into UTF-8.
fn whole_line(text: &str) -> Option<String> {
    let latin_1 = || {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect()
    };
    let windows = || text.chars().map(windows_1252_byte).collect();
    let bytes: Vec<u8> = Option::or_else(latin_1(), windows)?;
    let sure = bytes.windows(2).any(|pair| is_sure_sign(pair[0], pair[1]));
    let repaired = String::from_utf8(bytes).ok()?;
    // One odd pair of letters that happens to be UTF-8 may be meant; two are no accident.
    let sequences = repaired.chars().filter(|c| !c.is_ascii()).take(2).count();
    (sure || sequences == 2).then_some(repaired)
}

/// The sure sequences alone, in a line that also holds other characters.
fn sure_sequences(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    let mut found = false;
    while let Some(c) = rest.clone().next() {
        // At most the four bytes of one UTF-8 sequence.
        let bytes: Vec<u8> = rest
            .clone()
            .take(4)
            .map_while(|c| windows_1252_byte(c).or_else(|| u8::try_from(u32::from(c)).ok()))
            .collect();
        let length = match bytes.as_slice() {
            [first, second, ..] if is_sure_sign(*first, *second) => match first {
                0xc3 => 2,
                0xe2 => 3,
                _ => 4,
            },
            _ => 0,
        };
        match bytes
            .get(..length)
            .and_then(|sequence| std::str::from_utf8(sequence).ok())
        {
            Some(sequence) if length > 0 => {
                out.push_str(sequence);
                found = true;
                rest.nth(length - 1);
            }
            _ => {
                out.push(c);
                rest.next();
            }
        }
    }
    found.then_some(out)
}

/// Whether two bytes begin an accented Latin letter, typographic punctuation or an emoji in
/// UTF-8. Read as Latin-1 or Windows-1252 they look like `Ã©`, `â€™` or `ðŸ˜`, which no language
/// writes.
fn is_sure_sign(first: u8, second: u8) -> bool {
    matches!(
        (first, second),
        (0xc3, 0x80..=0xbf) | (0xe2, 0x80) | (0xf0, 0x9f)
    )
}

/// The byte of a character in Windows-1252, where unassigned bytes stand for themselves.
fn windows_1252_byte(c: char) -> Option<u8> {
    match WINDOWS_1252.iter().position(|&known| known == c) {
        Some(at) => Some(0x80 + at as u8),
        None if matches!(c, '\u{80}'..='\u{9f}') => None,
        None => u8::try_from(u32::from(c)).ok(),
    }
}

/// C1 controls as Windows-1252, ligatures taken apart, full- and half-width forms and the
/// ideographic space made usual, curly quotes made straight.
fn fix_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '\u{80}'..='\u{9f}' => WINDOWS_1252[c as usize - 0x80],
            c => c,
        };
        if let Some((_, letters)) = LIGATURES.iter().find(|(ligature, _)| *ligature == c) {
            out.extend(letters.chars().map(straight));
        } else if matches!(c, '\u{ff01}'..='\u{ffef}') {
            out.extend(std::iter::once(c).nfkc());
        } else if c == '\u{3000}' {
            out.push(' ');
        } else {
            out.push(straight(c));
        }
    }
    out
}

/// A curly quote (or the apostrophe letter) as its straight form.
fn straight(c: char) -> char {
    match c {
        '\u{02bc}' | '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        c => c,
    }
}

/// Control characters that show nothing: ASCII's without tab, line feed, form feed and carriage
/// return; deprecated Arabic ones; annotation marks, the object mark and the byte order mark.
fn is_removed_control(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0e'..='\x1f' | '\x7f' | '\u{206a}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffc}')
}

#[cfg(test)]
mod tests {
    use super::{ROUNDS, fix_text};

    #[test]
    fn quotes_ligatures_and_widths_become_usual() {
        assert_eq!(
            fix_text("“It’s ﬁne”　ＡＢＣ ｶﾞ ŉ"),
            "\"It's fine\" ABC ガ 'n"
        );
    }

    #[test]
    fn controls_and_terminal_colours_vanish() {
        assert_eq!(
            fix_text("a\u{7}b\u{feff}c \u{1b}[31;1mred\u{1b}[0m"),
            "abc red"
        );
        assert_eq!(fix_text("\u{93}quoted\u{94}\u{85}"), "\"quoted\"…");
    }

    #[test]
    fn line_breaks_become_line_feeds() {
        assert_eq!(fix_text("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
    }

    #[test]
    fn accents_are_composed() {
        assert_eq!(fix_text("cafe\u{301}"), "café");
    }

    #[test]
    fn references_stay_from_the_first_line_with_a_bracket_on() {
        assert_eq!(
            fix_text("P&EACUTE;REZ &eacute; &nTILDE;"),
            "PÉREZ é &nTILDE;"
        );
        assert_eq!(fix_text("&amp;\n<b> &amp;\n&amp;"), "&\n<b> &amp;\n&amp;");
        assert_eq!(fix_text("&#59; &#x41; &hellip"), "&#59; A &hellip");
    }

    #[test]
    fn clear_mojibake_is_undone_even_when_twice_over() {
        assert_eq!(fix_text("crÃ¨me brÃ»lÃ©e"), "crème brûlée");
        assert_eq!(fix_text("itâ€™s"), "it's");
        assert_eq!(fix_text("cafÃƒÂ©"), "café");
        assert_eq!(fix_text("ðŸ˜€"), "😀");
        assert_eq!(fix_text("itâ€™s 日本"), "it's 日本");
    }

    #[test]
    fn damage_upon_damage_ends() {
        let nested = |levels: usize| format!("&{}", "amp;".repeat(levels));
        assert_eq!(fix_text(&nested(ROUNDS - 1)), "&");
        assert_eq!(fix_text(&nested(100_000)), nested(100_000 - ROUNDS));
        let misread = |times: usize| format!("Ã{}", "ƒ".repeat(times));
        let left = fix_text(&misread(100_000)).chars().count();
        assert!(
            (100_000 - ROUNDS * ROUNDS..100_000).contains(&left),
            "{left}"
        );
    }

    /// What `docs/reference/tokenizer.md` says of it.
    #[test]
    fn damage_that_is_not_undone_is_left_as_it_is() {
        for text in ["20Â°C", "ï»¿name", "日本 æ—¥", "РјРёСЂ"] {
            assert_eq!(fix_text(text), text);
        }
    }

    #[test]
    fn honest_accents_stay() {
        for text in ["Ångström", "São Paulo", "È˚", "Ã", "5 °C à la mode", "Łódź"] {
            assert_eq!(fix_text(text), text);
        }
    }
}
