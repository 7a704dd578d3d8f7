//! What a failure means to the user, and the way out.

use super::super::cache::Repo;
use super::super::net::Failure;
use super::super::settings::HubSettings;
use crate::error::ClipError;

/// What was asked for: a file, or the repository.
pub(super) struct Subject<'a> {
    pub(super) settings: &'a HubSettings,
    pub(super) cached: &'a Repo,
    pub(super) file: Option<&'a str>,
}

impl Subject<'_> {
    /// An error about the repository.
    pub(super) fn failure(&self, what: String, hint: Option<String>) -> ClipError {
        ClipError::Hub {
            repo: format!("{}@{}", self.cached.id, self.cached.revision),
            what,
            hint,
        }
    }

    /// Says what the failure means.
    pub(super) fn error(&self, failure: Failure) -> ClipError {
        let subject = self.file.unwrap_or("the repository");
        let (what, hint) = match failure {
            Failure::Status(status, _) => self.status(subject, status),
            Failure::Disk(error) => (
                format!("writing to {}: {error}", self.cached.root.display()),
                "free some space, or set HF_HUB_CACHE to a folder that can be written to"
                    .to_owned(),
            ),
            Failure::Answer(what) if what.contains("SHA-") => (
                format!("{subject}: {what}"),
                "try again; the damaged file was removed".to_owned(),
            ),
            Failure::Answer(what) => (
                format!("{subject}: {what}"),
                format!(
                    "is {} the hub, or a proxy or login page in front of it? \
                     Else give the model's folder",
                    self.settings.endpoint
                ),
            ),
            Failure::Silent(what) | Failure::Lost(what) if self.file.is_some() => (
                format!("{subject}: {what}"),
                "check the connection and run it again: what has come is kept and taken up"
                    .to_owned(),
            ),
            Failure::Silent(what) | Failure::Lost(what) | Failure::Unreachable(what) => (
                format!("{subject}: {what}"),
                "check the connection; without one, give the model's folder".to_owned(),
            ),
        };
        self.failure(what, Some(hint))
    }

    fn status(&self, subject: &str, status: u16) -> (String, String) {
        let page = format!("{}/{}", self.settings.endpoint, self.cached.id);
        match status {
            401 | 403 if self.settings.token.is_some() => (
                format!("{subject}: refused ({status})"),
                format!(
                    "the token has no access; a gated model's conditions are accepted at {page}"
                ),
            ),
            401 | 403 => (
                format!(
                    "{subject}: refused ({status}): no such repository, or it is private or gated"
                ),
                format!(
                    "check the name; for a gated model accept its conditions at {page} \
                     and set HF_TOKEN"
                ),
            ),
            404 => (
                format!("{subject}: not found (404)"),
                "check the name and the revision".to_owned(),
            ),
            429 => (
                format!("{subject}: too many requests (429)"),
                "wait a while, or set HF_TOKEN".to_owned(),
            ),
            status => (
                format!("{subject}: the hub answers {status}"),
                "try again later".to_owned(),
            ),
        }
    }
}
