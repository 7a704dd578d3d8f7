//! Text made safe for HTML and SVG, within elements and within quoted attributes.

/// `text` with the five characters that mean something to a parser replaced, and the control
/// characters that XML forbids shown as a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' => safe.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_quotes_become_text() {
        assert_eq!(
            escape(r#"<script>alert("a&b")</script> it's"#),
            "&lt;script&gt;alert(&quot;a&amp;b&quot;)&lt;/script&gt; it&#39;s"
        );
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        assert_eq!(escape("a\0b\u{1b}c"), "a\u{FFFD}b\u{FFFD}c");
    }
}
