//! Where what can be made again is kept.

use std::path::PathBuf;

/// The folder for caches when nobody says where: `$VLPT_CACHE_DIR`, else `vlpt` in
/// `$XDG_CACHE_HOME`, else `~/.cache/vlpt`; nowhere when none of these is known.
pub fn default_cache_dir() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set("VLPT_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("vlpt")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache").join("vlpt")))
}
