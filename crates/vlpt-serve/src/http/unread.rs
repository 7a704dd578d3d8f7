//! What is left of a body when its request is answered already.
//!
//! Many clients send all of a body before they look for an answer. One that is refused by its head, because
//! the server is full or a token is missing, would find its connection closed in the midst of sending, and
//! never read why. So the answer goes out at once, and the rest of the body is read for a while and thrown away.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};

use super::body::READ_ON;
use crate::answer::App;

/// The longest that is waited for the rest.
const LONGEST: Duration = Duration::from_secs(10);

/// A body that two hold: who answers, and who reads what is left.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}

/// Reads what the answer left unread. A client that asks before it sends has sent nothing, and gets no more
/// of the server's time.
pub(super) async fn read_on(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(head, Body::new(shared.clone()));
    let response = next.run(request).await;
    let most = app.options.body.saturating_mul(READ_ON);
    let left = shared.size_hint().lower();
    if !shared.is_end_stream() && left <= most as u64 {
        // nobody waits for it, and what it meets is nobody's error
        drop(tokio::spawn(tokio::time::timeout(
            LONGEST,
            rest(shared, most),
        )));
    }
    response
}

/// Reads and forgets at most so many bytes.
async fn rest(body: Shared, most: usize) {
    let mut body = Limited::new(body, most);
    while let Some(Ok(_)) = body.frame().await {}
}
