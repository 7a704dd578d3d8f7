//! Bodies: bounded, and read as what they say they are.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::answer::App;
use crate::error::RequestError;

/// How many times the limit is read of a body that nobody wants any more, see [`super::unread`].
pub(super) const READ_ON: usize = 8;

/// All of a body.
///
/// # Errors
/// More bytes than the limit, before they are read where the head says so; or a connection that broke.
pub(super) async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, RequestError> {
    let limit = app.options.body;
    let too_large = || RequestError::TooLarge(format!("the body is larger than {limit} bytes"));
    let said = headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(all) => Ok(all.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(RequestError::Bad(format!(
            "the body did not arrive whole: {error}"
        ))),
    }
}

/// Whether a body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
}

/// A body of JSON.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RequestError> {
    serde_json::from_slice(bytes).map_err(|error| RequestError::Bad(format!("the body: {error}")))
}

/// An image in base64, with or without the head of a `data:` URL.
///
/// # Errors
/// A URL of another kind, which is never fetched, or what is no base64.
pub(super) fn image(text: &str) -> Result<Bytes, RequestError> {
    let text = text.trim();
    if text.starts_with("http://") || text.starts_with("https://") || text.starts_with("file:") {
        return Err(RequestError::Bad(
            "an image is sent, not named: its bytes in base64; no URL is fetched".to_owned(),
        ));
    }
    let plain = match text.strip_prefix("data:") {
        Some(rest) => match rest.split_once(";base64,") {
            Some((_, data)) => data,
            None => {
                return Err(RequestError::Bad(
                    "a data: URL without `;base64,`".to_owned(),
                ));
            }
        },
        None => text,
    };
    let bytes = STANDARD.decode(plain);
    let bytes = bytes.map_err(|error| RequestError::Bad(format!("the image's base64: {error}")))?;
    Ok(Bytes::from(bytes))
}

/// The bytes of an image that is the body itself.
///
/// # Errors
/// A body of nothing.
pub(super) fn raw(bytes: Bytes) -> Result<Bytes, RequestError> {
    if bytes.is_empty() {
        return Err(RequestError::Bad(
            "no body: send an image's bytes, as curl --data-binary @photo.jpg does".to_owned(),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_base64_and_never_a_place() {
        assert_eq!(image("aGk=").unwrap().as_ref(), b"hi");
        assert_eq!(image("data:image/png;base64,aGk=").unwrap().as_ref(), b"hi");
        for text in [
            "http://x/y.png",
            "https://x",
            "file:///etc/passwd",
            "data:,hi",
            "!",
        ] {
            assert!(matches!(image(text), Err(RequestError::Bad(_))), "{text}");
        }
    }
}
