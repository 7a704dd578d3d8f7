//! The page for people: drop photos, pick prompts, see bars and what the model looked at. Its files are
//! in the program; nothing comes from elsewhere.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use super::extract::Path;
use crate::error::RequestError;

/// `GET /`.
pub(super) async fn index() -> Html<&'static str> {
    Html(include_str!("../page/index.html"))
}

/// `GET /docs`.
pub(super) async fn docs() -> Html<&'static str> {
    Html(include_str!("../page/docs.html"))
}

/// `GET /page/{file}`.
pub(super) async fn file(Path(file): Path<String>) -> Result<Response, RequestError> {
    let script = "text/javascript; charset=utf-8";
    let (kind, text) = match file.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("../page/style.css")),
        "index.js" => (script, include_str!("../page/index.js")),
        "docs.js" => (script, include_str!("../page/docs.js")),
        _ => return Err(RequestError::NotFound("no such file".to_owned())),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
