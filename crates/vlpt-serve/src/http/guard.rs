//! What every request passes: a number for the log, a token, a permit, a limit of time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use vlpt_base::hash::sha256;

use crate::answer::App;
use crate::error::RequestError;

/// The header that names a request, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, counts it, and logs one line of it.
pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = id(request.headers());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    app.metrics.request(&route, status, took);
    let ms = took.as_secs_f64() * 1e3;
    tracing::info!(request_id = id, %method, path, status, ms, "answered");
    response
}

/// The name that a request brings, where it is plain, or a new one.
fn id(headers: &HeaderMap) -> String {
    let plain = |text: &&str| {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        (1..=64).contains(&text.len()) && text.chars().all(part)
    };
    let brought = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    brought.filter(plain).map_or_else(new_id, str::to_owned)
}

/// A name that no other request of this server has, nor likely one of another.
fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_micros() as u64);
    format!("{now:x}-{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Browsers take an answer for what it says it is, and load nothing from elsewhere.
pub(super) async fn no_sniffing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets a request pass that brings the token, where there is one.
pub(super) async fn token(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Some(token) = &app.options.token {
        let brought = request.headers().get(header::AUTHORIZATION);
        let brought = brought.and_then(|value| value.to_str().ok());
        let brought = brought.and_then(|value| value.split_once(' '));
        let right = brought.is_some_and(|(kind, brought)| {
            // the time of comparing hashes tells nothing of the token
            kind.eq_ignore_ascii_case("bearer")
                && sha256(brought.trim().as_bytes()) == sha256(token.as_bytes())
        });
        if !right {
            return RequestError::Token.into_response();
        }
    }
    next.run(request).await
}

/// Lets a request pass that finds a permit, for as long as a request may take. It is given back
/// when the answer is there or the one who asked has gone.
pub(super) async fn permit(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.permits.try_acquire() else {
        return RequestError::Full(app.options.queue).into_response();
    };
    let limit = app.options.timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => RequestError::Late(limit.as_secs()).into_response(),
    }
}
