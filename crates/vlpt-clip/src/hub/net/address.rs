//! Where a redirect leads, and who may see the token.

use ureq::http::Uri;

use super::failure::Failure;

/// An address that may be asked: `http` or `https`, with a host.
pub(super) fn parse(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// Scheme, host and port.
fn origin(uri: &Uri) -> (&str, String, u16) {
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    (scheme, host, port)
}

/// Whether both are the same server, asked in the same way.
pub(super) fn same_server(one: &Uri, other: &Uri) -> bool {
    origin(one) == origin(other)
}

/// The address that a redirect from `from` names.
///
/// # Errors
/// When it names none, one that is no web address, or one that gives up encryption.
pub(super) fn redirected(from: &Uri, location: Option<&str>) -> Result<Uri, Failure> {
    let wrong = |what: String| Failure::Answer(what);
    let Some(location) = location else {
        return Err(wrong(
            "the hub redirects without saying where to".to_owned(),
        ));
    };
    // what follows # is for the reader of a page
    let place = location.split('#').next().unwrap_or_default().trim();
    let (scheme, _, _) = origin(from);
    let authority = from.authority().map_or("", |a| a.as_str());
    let absolute = if place.is_empty() {
        String::new()
    } else if let Some(rest) = place.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if place.starts_with('/') {
        format!("{scheme}://{authority}{place}")
    } else if place.contains("://") {
        place.to_owned()
    } else {
        let folder = from
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{place}")
    };
    let Some(to) = parse(&absolute) else {
        return Err(wrong(format!(
            "the hub redirects to {location:?}, no web address"
        )));
    };
    if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
        return Err(wrong(format!(
            "the hub redirects from https to {absolute:?}, which is not encrypted"
        )));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_resolved_and_refused() {
        let from = parse("https://hub.example/a/b/c?x=1").unwrap();
        let to = |location| redirected(&from, Some(location)).map(|uri| uri.to_string());
        for (location, expected) in [
            ("/d?y#z", "https://hub.example/d?y"),
            ("d", "https://hub.example/a/b/d"),
            ("//cdn.example/d", "https://cdn.example/d"),
            ("https://cdn.example/d", "https://cdn.example/d"),
        ] {
            assert_eq!(to(location).unwrap(), expected);
        }
        for (location, expected) in [
            ("", "no web address"),
            ("file:///etc/passwd", "no web address"),
            ("ht!tp://%%%", "no web address"),
            ("http://hub.example/a", "not encrypted"),
        ] {
            let Err(Failure::Answer(what)) = to(location) else {
                panic!("{location} was taken");
            };
            assert!(what.contains(expected), "{what}");
        }
        assert!(redirected(&from, None).is_err());
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let same =
            |one: &str, other: &str| same_server(&parse(one).unwrap(), &parse(other).unwrap());
        assert!(same("https://hub/a", "https://HUB:443/b"));
        assert!(!same("https://hub/a", "http://hub/a"));
        assert!(!same("http://hub/a", "http://hub:81/a"));
        assert!(!same("http://hub/a", "http://hub.example/a"));
    }
}
