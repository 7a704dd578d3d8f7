//! Requests to the server.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use vlpt_clip::{Clip, ModelFiles};
use vlpt_serve::{NamedFolder, ServeOptions, Server};

use super::prompts::folder;
use crate::parts::split;
use crate::promise::told;
use crate::scratch::Scratch;
use crate::seeds;

/// The name under which the server has its only prompt.
pub(crate) const PROMPT: &str = "pets";
/// More than any answer has.
const LONGEST_ANSWER: usize = 4 << 20;

struct Served {
    runtime: Runtime,
    router: Router,
    /// Whose paths these are; it listens nowhere that anybody knows.
    _server: Server,
    _folder: Scratch,
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let clip = Clip::load(&ModelFiles::mini()).expect("it is part of the program");
        let seeds = seeds::prompt_folders();
        let folder = folder(&seeds[0]);
        let prompt = NamedFolder {
            name: PROMPT.to_owned(),
            folder: folder.path().to_owned(),
        };
        let options = ServeOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            wait: Duration::ZERO,
            body: 1 << 20,
            pixels: 1 << 20,
            ..ServeOptions::default()
        };
        let server = Server::start(Arc::new(clip), &[prompt], options).expect("a prompt of ours");
        Served {
            runtime: Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a test needs threads"),
            router: server.router(),
            _server: server,
            _folder: folder,
        }
    })
}

/// Sends a request: a line of method and path, a line for each header, then the body.
pub(super) fn run(bytes: &[u8]) -> bool {
    let [head, body] = split::<2>(bytes);
    let Some(request) = request(head, body) else {
        return false;
    };
    let served = served();
    served.runtime.block_on(async {
        let router = served.router.clone();
        let Ok(response) = router.oneshot(request).await;
        judge(response).await
    })
}

fn request(head: &[u8], body: &[u8]) -> Option<Request<Body>> {
    let mut lines = head.split(|&byte| byte == b'\n');
    let mut words = lines.next()?.splitn(2, |&byte| byte == b' ');
    let mut request = Request::builder().method(words.next()?).uri(words.next()?);
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Body::from(body.to_vec())).ok()
}

/// No fault of the server's own, and every refusal in words.
async fn judge(response: Response) -> bool {
    let status = response.status();
    let json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = to_bytes(response.into_body(), LONGEST_ANSWER).await;
    let body = body.expect("an answer ends");
    let text = String::from_utf8_lossy(&body);
    assert!(
        !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS,
        "{status}: {text}"
    );
    if status.is_success() {
        return true;
    }
    assert!(json, "{status} without JSON: {text}");
    let error: serde_json::Value = serde_json::from_slice(&body).expect("an error is JSON");
    told(&error["error"].as_str().unwrap_or_default(), None)
}
