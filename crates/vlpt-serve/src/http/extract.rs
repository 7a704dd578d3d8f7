//! What axum reads of a path and its query, refused in JSON as all else is.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::RequestError;

/// The parts of a path that have names, [`axum::extract::Path`].
pub(super) struct Path<T>(pub(super) T);

/// What stands behind the `?` of a URL, [`axum::extract::Query`].
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = RequestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RequestError> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        let bad = |error: axum::extract::rejection::PathRejection| {
            RequestError::Bad(format!("the path: {}", error.body_text()))
        };
        read.map(|axum::extract::Path(value)| Self(value))
            .map_err(bad)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = RequestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RequestError> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        let bad = |error: axum::extract::rejection::QueryRejection| {
            RequestError::Bad(format!("the query: {}", error.body_text()))
        };
        read.map(|axum::extract::Query(value)| Self(value))
            .map_err(bad)
    }
}
