//! The few requests that the hub is asked, over `ureq`.

mod address;
mod body;
mod failure;

use std::time::Duration;

use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

pub(super) use self::body::Metered;
pub(super) use self::failure::Failure;
use super::settings::HubSettings;
use super::waits::HubWaits;

/// Redirects that are followed for one request.
const REDIRECTS: usize = 10;
/// Longest wait that the hub may ask for before the next attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Asks the hub: bounded in time and redirects, the token for the endpoint alone.
pub(super) struct Client {
    agent: Agent,
    endpoint: Uri,
    token: Option<String>,
    pub(super) waits: HubWaits,
}

/// The last answer to a request, and what the hub's own answers on the way to it said.
pub(super) struct Answer {
    response: Response<Body>,
    hub: Vec<(&'static str, String)>,
    /// The answer comes from the endpoint itself.
    from_endpoint: bool,
}

/// What only the hub itself may say of a file, wherever the bytes come from.
const OF_THE_HUB: [&str; 3] = ["x-repo-commit", "x-linked-etag", "x-linked-size"];

impl Client {
    /// A client for the endpoint of the settings; `None` when that is no web address.
    pub(super) fn new(settings: &HubSettings, waits: HubWaits) -> Option<Self> {
        let endpoint = address::parse(&settings.endpoint)?;
        let agent = Agent::config_builder()
            .user_agent(concat!("vlpt/", env!("CARGO_PKG_VERSION")))
            // bytes as they are: their number and hash are known
            .accept_encoding("identity")
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_resolve(Some(waits.answer))
            .timeout_connect(Some(waits.answer))
            .timeout_send_request(Some(waits.answer))
            .timeout_recv_response(Some(waits.answer))
            .timeout_per_read(Some(waits.progress.max(waits.answer)))
            .build()
            .new_agent();
        Some(Self {
            agent,
            endpoint,
            token: settings.token.clone(),
            waits,
        })
    }

    /// One request, `range` in the form `bytes=0-0`, redirects followed. Where `known` says that
    /// what the hub's answers have told so far is enough, the redirect after them is not followed.
    ///
    /// # Errors
    /// When no usable answer comes, or its status is not one of success.
    pub(super) fn get(
        &self,
        url: &str,
        range: Option<&str>,
        known: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Failure> {
        let unusable = || Failure::Answer(format!("{url:?} is no web address"));
        let mut uri = address::parse(url).ok_or_else(unusable)?;
        let mut hub = Vec::new();
        for _ in 0..=REDIRECTS {
            let from_endpoint = address::same_server(&uri, &self.endpoint);
            let mut request = self.agent.get(uri.clone());
            if let Some(range) = range {
                request = request.header("Range", range);
            }
            // nobody else may have it, wherever the hub sends us
            if let Some(token) = self.token.as_ref().filter(|_| from_endpoint) {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let response = request.call().map_err(Failure::of_request)?;
            if from_endpoint {
                for name in OF_THE_HUB {
                    if let Some(value) = text(&response, name) {
                        hub.push((name, value));
                    }
                }
            }
            let status = response.status().as_u16();
            let answer = Answer {
                response,
                hub,
                from_endpoint,
            };
            match status {
                200 | 206 => return answer.plain(),
                301 | 302 | 303 | 307 | 308 if known(&answer) => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => {
                    let location = text(&answer.response, "location");
                    uri = address::redirected(&uri, location.as_deref())?;
                    hub = answer.hub;
                }
                other => return Err(Failure::Status(other, retry_after(&answer.response))),
            }
        }
        Err(Failure::Answer(format!("more than {REDIRECTS} redirects")))
    }

    /// Runs `attempt` until it goes well, fails for good, or has failed too often.
    pub(super) fn persist<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut failed = 0;
        loop {
            match attempt() {
                Err(failure) if failure.passing() => {
                    failed += 1;
                    self.pause(failed, failure)?;
                }
                done => return done,
            }
        }
    }

    /// Waits after the attempt that was the `failed`-th to fail.
    ///
    /// # Errors
    /// The failure itself when that was the last attempt.
    pub(super) fn pause(&self, failed: u32, failure: Failure) -> Result<(), Failure> {
        if failed >= self.waits.attempts {
            return Err(failure);
        }
        let own = self.waits.pause.saturating_mul(1 << (failed - 1).min(6));
        let wanted = failure.wanted_pause().unwrap_or_default();
        std::thread::sleep(own.max(wanted.min(LONGEST_PAUSE)));
        Ok(())
    }
}

impl Answer {
    /// Refuses bytes that are not those of the file.
    fn plain(self) -> Result<Self, Failure> {
        match text(&self.response, "content-encoding") {
            Some(encoding) if !encoding.is_empty() && encoding != "identity" => {
                Err(Failure::Answer(format!(
                    "the answer is encoded as {encoding:?}, which was not asked for"
                )))
            }
            _ => Ok(self),
        }
    }

    /// What the hub said on the way; the first answer that says it counts.
    pub(super) fn hub(&self, name: &str) -> Option<&str> {
        let found = self.hub.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The file's name in the cache: `X-Linked-Etag`, else the `ETag` of the hub itself, for that
    /// of another server says nothing that the hub vouches for.
    pub(super) fn etag(&self) -> Option<String> {
        let own = || text(&self.response, "etag").filter(|_| self.from_endpoint);
        let etag = self.hub("x-linked-etag").map(str::to_owned).or_else(own)?;
        Some(etag.trim_start_matches("W/").replace('"', ""))
    }

    /// A header of the last answer.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        text(&self.response, name)
    }

    /// Whether the answer is a part of the file.
    pub(super) fn is_part(&self) -> bool {
        self.response.status().as_u16() == 206
    }

    /// The body, which ends in an error after `most` bytes, or when it comes too slowly.
    pub(super) fn body(self, most: u64, waits: &HubWaits) -> Metered {
        Metered::new(
            self.response.into_body().into_reader(),
            most,
            waits.progress,
        )
    }
}

/// A header as text.
fn text(response: &Response<Body>, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(|text| text.trim().to_owned())
}

/// `Retry-After` in seconds; a date is as good as nothing for so short a wait.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    text(response, "retry-after")?
        .parse()
        .ok()
        .map(Duration::from_secs)
}
