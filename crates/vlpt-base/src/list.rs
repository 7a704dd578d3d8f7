//! Lists in messages, as long as somebody reads them.

/// Items of a list that a message shows.
pub const SHOWN: usize = 20;

/// The first [`SHOWN`] items with `separator` between them, and how many more there are.
pub fn cut<S: AsRef<str>>(items: &[S], separator: &str) -> String {
    let shown: Vec<&str> = items.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let text = shown.join(separator);
    match items.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}{separator}and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(cut(&["a", "b"], ", "), "a, b");
        let many = vec!["x"; SHOWN + 3];
        let text = cut(&many, "; ");
        assert!(text.ends_with("x; and 3 more"), "{text}");
        assert_eq!(text.matches('x').count(), SHOWN);
    }
}
