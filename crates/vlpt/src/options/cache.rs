//! Where image features are kept.

use std::path::PathBuf;

use clap::Args;

/// Where features are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheArgs {
    /// Where image features are kept; safe to delete [default: vlpt below the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "VLPT_CACHE_DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Compute image features anew and keep none, whatever the environment says
    #[arg(long)]
    pub(crate) no_cache: bool,
}

impl CacheArgs {
    /// The folder to use, if any.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        if self.no_cache {
            None
        } else {
            self.cache.clone().or_else(vlpt_adapter::default_cache_dir)
        }
    }
}
