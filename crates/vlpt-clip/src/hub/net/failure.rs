//! What can go wrong on the way to the hub, and whether trying again may help.

use std::io;
use std::time::Duration;

/// Why a request, or the body of its answer, failed.
#[derive(Debug)]
pub(in crate::hub) enum Failure {
    /// The hub refuses, or cannot now; with the time after which it wants to be asked again.
    Status(u16, Option<Duration>),
    /// Nothing came for as long as is waited.
    Silent(String),
    /// The connection broke.
    Lost(String),
    /// There is no connection.
    Unreachable(String),
    /// What came cannot be used; it would be the same again.
    Answer(String),
    /// The file cannot be written here.
    Disk(io::Error),
}

impl Failure {
    /// Whether the same request may go well a moment later.
    pub(in crate::hub) fn passing(&self) -> bool {
        match self {
            Self::Status(status, _) => matches!(status, 408 | 429 | 500..=599),
            Self::Silent(_) | Self::Lost(_) => true,
            Self::Unreachable(_) | Self::Answer(_) | Self::Disk(_) => false,
        }
    }

    /// How long the hub wants to be left alone.
    pub(in crate::hub) fn wanted_pause(&self) -> Option<Duration> {
        match self {
            Self::Status(_, pause) => *pause,
            _ => None,
        }
    }

    /// Tells apart what a request's error means.
    pub(super) fn of_request(error: ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::StatusCode(status) => Self::Status(status, None),
            Error::Timeout(what) => Self::Silent(format!("the hub does not answer ({what})")),
            Error::Io(error) => Self::of_connection(&error),
            Error::HostNotFound => Self::Unreachable("host not found".to_owned()),
            Error::ConnectionFailed => Self::Unreachable("no connection".to_owned()),
            Error::Protocol(error) => Self::Answer(format!("the answer is no HTTP: {error}")),
            Error::LargeResponseHeader(..) => {
                Self::Answer("the head of the answer is too large".to_owned())
            }
            other => Self::Unreachable(other.to_string()),
        }
    }

    /// Tells apart what an error of a connection means.
    pub(super) fn of_connection(error: &io::Error) -> Self {
        use io::ErrorKind;
        let request = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<ureq::Error>());
        match (error.kind(), request) {
            (ErrorKind::TimedOut, _) | (_, Some(ureq::Error::Timeout(_))) => {
                Self::Silent("the hub has stopped sending".to_owned())
            }
            (_, Some(ureq::Error::Protocol(inner))) => {
                Self::Answer(format!("the answer is no HTTP: {inner}"))
            }
            (
                ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected,
                _,
            ) => Self::Lost("the connection was closed".to_owned()),
            (
                ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::AddrNotAvailable,
                _,
            ) => Self::Unreachable(error.to_string()),
            _ => Self::Lost(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    /// For errors of files; those of connections come through [`Failure::of_connection`].
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}
