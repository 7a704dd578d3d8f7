//! HTML character references, as CPython's `html.unescape` resolves them.
//!
//! Differences to what browsers do (and to most crates): a reference without its semicolon takes
//! the longest known prefix of at least two characters, and numbers that HTML calls invalid
//! characters vanish. The names come from the WHATWG list in `htmlize`.

use std::borrow::Cow;

use super::windows_1252::WINDOWS_1252;

/// Most characters after the `&` that can belong to a named reference.
const NAME_LIMIT: usize = 32;

/// The expansion of a name, with or without its semicolon (`amp;`, `amp`, but only `hellip;`).
pub(super) fn named(name: &str) -> Option<&'static str> {
    let mut key = Vec::with_capacity(name.len() + 1);
    key.push(b'&');
    key.extend_from_slice(name.as_bytes());
    let expansion = htmlize::ENTITIES.get(key.as_slice())?;
    Some(std::str::from_utf8(expansion).expect("expansions are text"))
}

/// The text with every character reference resolved once.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (used, expansion) = reference(rest);
        if let Some(expansion) = expansion {
            out.push_str(&expansion);
        } else {
            out.push('&');
            out.push_str(&rest[..used]);
        }
        rest = &rest[used..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads one reference after its `&`: bytes used, and what they stand for.
fn reference(text: &str) -> (usize, Option<String>) {
    if let Some(number) = text.strip_prefix('#') {
        return numeric(number).map_or((0, None), |(used, found)| (used + 1, Some(found)));
    }
    let end = text
        .char_indices()
        .enumerate()
        .find(|(count, (_, c))| {
            *count == NAME_LIMIT || matches!(c, '\t' | '\n' | '\x0C' | ' ' | '<' | '&' | '#' | ';')
        })
        .map_or(text.len(), |(_, (at, _))| at);
    if end == 0 {
        return (0, None);
    }
    let used = end + usize::from(text[end..].starts_with(';'));
    let name = &text[..used];
    if let Some(expansion) = named(name) {
        return (used, Some(expansion.to_owned()));
    }
    // The longest known beginning, down to two characters.
    let starts: Vec<usize> = name.char_indices().map(|(at, _)| at).skip(2).collect();
    for &cut in starts.iter().rev() {
        if let Some(expansion) = named(&name[..cut]) {
            return (used, Some(format!("{expansion}{}", &name[cut..])));
        }
    }
    (used, None)
}

/// Reads a number after `&#`: bytes used, and its character (nothing, for an invalid one).
fn numeric(text: &str) -> Option<(usize, String)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    let count = digits
        .bytes()
        .take_while(|b| (*b as char).is_digit(radix))
        .count();
    if count == 0 {
        return None;
    }
    let mut used = text.len() - digits.len() + count;
    if text[used..].starts_with(';') {
        used += 1;
    }
    // A number too large for u32 is beyond Unicode like any other such number.
    let number = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
    Some((used, character(number)))
}

/// What a numeric reference stands for: HTML's replacements for 0, carriage return and the
/// Windows-1252 range, U+FFFD for surrogates and beyond Unicode, nothing for control characters
/// and noncharacters.
fn character(number: u32) -> String {
    match number {
        0 => '\u{fffd}'.to_string(),
        0x0d => '\r'.to_string(),
        0x80..=0x9f => WINDOWS_1252[number as usize - 0x80].to_string(),
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => String::new(),
        _ if number & 0xfffe == 0xfffe && number <= 0x10_ffff => String::new(),
        _ => char::from_u32(number).unwrap_or('\u{fffd}').to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn names_need_no_semicolon_where_html_says_so() {
        assert_eq!(
            unescape("&amp; &ampx &hellip; &hellip &notit; &notin;"),
            "& &x … &hellip ¬it; ∉"
        );
    }

    #[test]
    fn numbers_follow_the_html_replacements() {
        assert_eq!(
            unescape("&#65;&#x41&#0;&#128;&#1;|&#xD800;&#x110000;&#99999999999;"),
            "AA\u{fffd}€|\u{fffd}\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn what_is_no_reference_stays() {
        assert_eq!(
            unescape("a & b &; &# &#x; &zzz; &"),
            "a & b &; &# &#x; &zzz; &"
        );
    }
}
