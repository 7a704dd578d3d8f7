//! Cleaning of text before it is cut: the published order of steps.

use super::html;

/// Repaired text, character references resolved twice, white space collapsed, lower case.
pub(super) fn clean(text: &str) -> String {
    let fixed = plsfix::fix_text(text, None);
    let once = html::unescape(&fixed);
    let twice = html::unescape(&once);
    let mut out = String::with_capacity(twice.len());
    for word in twice.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out.to_lowercase()
}

/// White space as Python's `str.isspace` and Unicode have it.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
