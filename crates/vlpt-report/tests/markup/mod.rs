//! A check of markup that is stricter than browsers are.

/// Elements of HTML that have no end.
const VOID: [&str; 3] = ["meta", "img", "br"];

/// Elements nest, attributes are quoted and appear once, references are the five of XML, and no
/// control character stands anywhere.
pub(crate) fn check(markup: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        text(&rest[..start], open.last() == Some(&"style"))?;
        // a quoted value may hold the end of a tag
        let (mut end, mut quoted) = (start, false);
        for (i, c) in rest[start..].char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = start + i;
                    break;
                }
                _ => {}
            }
        }
        if end == start {
            return Err(format!("a tag without an end: {}", first(&rest[start..])));
        }
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag == "!doctype html" {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let expected = open.pop();
            if expected != Some(name) {
                return Err(format!("</{name}> ends {expected:?}"));
            }
            continue;
        }
        let closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(format!("no name of an element: {}", first(tag)));
        }
        check_attributes(attributes)?;
        if !closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    text(rest, false)?;
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("never ended: {open:?}"))
    }
}

fn check_attributes(mut rest: &str) -> Result<(), String> {
    let mut names: Vec<&str> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(());
        }
        let bad = || format!("no attribute with a quoted value: {}", first(rest));
        let (name, after) = rest.split_once("=\"").ok_or_else(bad)?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(bad());
        }
        if names.contains(&name) {
            return Err(format!("{name} twice"));
        }
        names.push(name);
        let (value, after) = after.split_once('"').ok_or_else(bad)?;
        text(value, false)?;
        rest = after;
    }
}

fn text(text: &str, style: bool) -> Result<(), String> {
    if text.contains('<')
        || text
            .chars()
            .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(format!("no text: {}", first(text)));
    }
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        if !style && !known.iter().any(|reference| part.starts_with(reference)) {
            return Err(format!("no reference: &{}", first(part)));
        }
    }
    Ok(())
}

fn first(text: &str) -> String {
    text.chars().take(60).collect()
}

#[test]
fn broken_markup_is_found() {
    for good in [
        "<a b=\"c\">d &amp; e</a>",
        "<a b=\"x>y\"/>",
        "<!doctype html>\n<meta b=\"c\">",
    ] {
        check(good).unwrap();
    }
    for bad in [
        "<a>",
        "<a></b>",
        "<a b=c/>",
        "<a b=\"1\" b=\"2\"/>",
        "a & b",
        "<a b=\"<\"/>",
        "\u{1}",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}
