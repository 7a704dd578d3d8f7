//! Cleaning of text before it is cut: the published order of steps.

use super::{html, repair};

/// Repaired text, character references resolved twice, white space collapsed, lower case.
pub(super) fn clean(text: &str) -> String {
    let fixed = repair::fix_text(text);
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

/// White space as Python's `str.isspace` has it: Unicode's, and the four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn white_space_of_any_kind_becomes_one_space() {
        assert_eq!(clean("  a\u{a0}\t\r\n b\u{3000}\u{2003}c  "), "a b c");
        assert_eq!(clean(" \n "), "");
    }

    #[test]
    fn references_escaped_twice_are_resolved() {
        assert_eq!(clean("Tom &amp;amp; Jerry"), "tom & jerry");
    }

    #[test]
    fn lower_case_knows_the_final_sigma_and_the_dotted_i() {
        assert_eq!(clean("ΣΊΣΥΦΟΣ İ"), "σίσυφος i\u{307}");
    }
}
