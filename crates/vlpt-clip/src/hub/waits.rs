//! How long the hub is waited for.

use std::time::Duration;

/// Bounds on waiting for the hub. Nothing is waited for longer than these say, whatever the hub, or
/// a proxy on the way to it, does or does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubWaits {
    /// For a connection, and then for the whole head of an answer.
    pub answer: Duration,
    /// For the next bytes of a file: 1 KiB for each second of this time.
    pub progress: Duration,
    /// Attempts in a row, the first one counted, that may fail without bringing much: 1 MiB before
    /// the connection breaks, 16 MiB before it falls silent.
    pub attempts: u32,
    /// Before the second attempt; doubled for each one after it.
    pub pause: Duration,
}

impl Default for HubWaits {
    /// Ten seconds, as `huggingface_hub`; four attempts; half a second.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            progress: Duration::from_secs(10),
            attempts: 4,
            pause: Duration::from_millis(500),
        }
    }
}

/// The longest wait, in seconds: a year.
const LONGEST: u64 = 365 * 24 * 3600;

impl HubWaits {
    /// `HF_HUB_ETAG_TIMEOUT` and `HF_HUB_DOWNLOAD_TIMEOUT`, whole seconds, as `huggingface_hub`
    /// reads them; what is not set, or no number above zero, keeps its default.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let seconds = |name: &str| {
            let seconds: u64 = variable(name)?.trim().parse().ok().filter(|&s| s > 0)?;
            // What is longer cannot be added to a clock everywhere.
            Some(Duration::from_secs(seconds.min(LONGEST)))
        };
        let default = Self::default();
        Self {
            answer: seconds("HF_HUB_ETAG_TIMEOUT").unwrap_or(default.answer),
            progress: seconds("HF_HUB_DOWNLOAD_TIMEOUT").unwrap_or(default.progress),
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_as_huggingface_hub_reads_them() {
        assert!(
            std::time::Instant::now()
                .checked_add(Duration::from_secs(LONGEST))
                .is_some()
        );
        let read = |value: &str| {
            let value = value.to_owned();
            HubWaits::from_variables(move |name| {
                (name == "HF_HUB_DOWNLOAD_TIMEOUT").then(|| value.clone())
            })
        };
        assert_eq!(read("30").progress, Duration::from_secs(30));
        assert_eq!(read("30").answer, HubWaits::default().answer);
        for wrong in ["", "0", "soon", "-3"] {
            assert_eq!(read(wrong), HubWaits::default(), "{wrong}");
        }
    }
}
