//! The frame of a page: head, style, title and foot.

use crate::escape::escape;

/// The whole style: one for screen in light and dark, and for paper.
const STYLE: &str = include_str!("style.css");

/// A complete document around sections that are HTML already; `title` and `lead` are plain text.
pub(crate) fn page(title: &str, lead: &str, sections: &str) -> String {
    let (title, lead) = (escape(title), escape(lead));
    let version = env!("CARGO_PKG_VERSION");
    // The policy says what the file promises: nothing is loaded, nothing runs.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title}</h1>\n<p class=\"lead\">{lead}</p>\n</header>\n<main>\n{sections}</main>\n\
         <footer>Made by vlpt {version}. This file is complete in itself: it loads nothing and runs \
         nothing.</footer>\n</body>\n</html>\n"
    )
}
