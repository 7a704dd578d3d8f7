//! What goes wrong, and the status that says so.

use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vlpt_adapter::AdapterError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A prompt that cannot be served.
    #[error("{0}")]
    Prompt(#[from] AdapterError),
    /// Two prompts of one name.
    #[error("two prompts are called `{name}`: {first} and {second}")]
    SameName {
        /// The name.
        name: String,
        /// A folder.
        first: String,
        /// Another folder.
        second: String,
    },
    /// A name that a path of a URL cannot hold.
    #[error(
        "`{name}` cannot be a prompt's name: letters, digits, `.`, `_` and `-` make one, and `zero-shot` is the model's own"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Nothing to serve.
    #[error("no prompt to serve, and no folder to watch for some")]
    Nothing,
    /// Threads or sockets that the system does not give.
    #[error("the server stopped: {0}")]
    Io(#[from] std::io::Error),
}

impl ServeError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
                Some("another program listens there; choose another with --listen".to_owned())
            }
            Self::Listen { .. } | Self::Io(_) => None,
            Self::Prompt(error) => error.hint(),
            Self::SameName { .. } | Self::Name { .. } => {
                Some("name it yourself: NAME=FOLDER".to_owned())
            }
            Self::Nothing => Some("give prompt folders, or --watch FOLDER".to_owned()),
        }
    }
}

/// Why a request is not answered as asked. Its text goes to the one who asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RequestError {
    /// No such prompt, output, or path.
    #[error("{0}")]
    NotFound(String),
    /// A body that is not what it should be.
    #[error("{0}")]
    Bad(String),
    /// A body, or an image, beyond the limits.
    #[error("{0}")]
    TooLarge(String),
    /// No token, or a wrong one.
    #[error("a token is needed: `Authorization: Bearer TOKEN`")]
    Token,
    /// As many requests as the server takes are at work.
    #[error("{0} requests are at work or waiting; try again soon")]
    Full(usize),
    /// Longer than a request may take.
    #[error("the request took longer than {0} s")]
    Late(u64),
    /// The server is about to end.
    #[error("the server is ending")]
    Ending,
    /// A fault of the server's own.
    #[error("{0}")]
    Own(String),
}

impl RequestError {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Full(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Late(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Ending => StatusCode::SERVICE_UNAVAILABLE,
            Self::Own(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "error": self.to_string() }));
        let mut response = (self.status(), body).into_response();
        let extra = match self {
            Self::Full(_) | Self::Ending => Some((header::RETRY_AFTER, "1")),
            Self::Token => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = extra {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
