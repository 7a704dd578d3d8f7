//! In the place of downloads, where the program was built without the feature `hub`.

use std::path::PathBuf;

use super::cache::Repo;
use super::settings::HubSettings;
use super::waits::HubWaits;
use crate::error::{ClipError, Result};
use crate::progress::Progress;

/// Says what is missing.
pub(super) fn fetch(
    _: &HubSettings,
    _: HubWaits,
    cached: &Repo,
    _: &dyn Progress,
    _: &mut Vec<String>,
) -> Result<PathBuf> {
    Err(ClipError::Hub {
        repo: format!("{}@{}", cached.id, cached.revision),
        what: "not whole in the cache, and this build cannot download: it lacks the feature `hub`"
            .to_owned(),
        hint: Some(
            "build it with the feature: `cargo install --path crates/vlpt --locked --features hub`, \
             or give the model's folder"
                .to_owned(),
        ),
    })
}
