//! How a run is computed: number format, threads, memory, pace.

use serde::{Deserialize, Serialize};
use vlpt_adapter::{DEFAULT_IMAGE_BATCH, PrecisionSetting};
use vlpt_data::image::set_memory_budget;

/// How a run is computed; of these, only `precision` and a small `memory_mb` may change a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComputeConfig {
    /// Number format of the towers.
    pub precision: PrecisionSetting,
    /// Threads; 0: those of the program, which are one for each processor core unless it is told
    /// otherwise.
    pub threads: usize,
    /// Memory for what the towers keep for their backward passes, and for decoded pixels, in MiB; 0: a
    /// quarter of what is free, and at least [`LEAST_MEMORY_MB`].
    pub memory_mb: usize,
    /// Images in the image tower at once.
    pub image_batch: usize,
    /// Seconds between checkpoints; 0: after every step.
    pub checkpoint_seconds: u64,
}

/// The least that `memory_mb` comes to where it is left open: with it each part of it (see
/// docs/concepts/frozen-towers.md) holds the tape of a chunk, so that no result depends on what is free (and no run needs to write it down).
pub const LEAST_MEMORY_MB: usize = 2048;

impl ComputeConfig {
    /// Bounds what is held of images while they are decoded by `memory_mb`, where it is given; see
    /// [`set_memory_budget`].
    pub(crate) fn bound_decoding(&self) {
        if self.memory_mb > 0 {
            set_memory_budget((self.memory_mb as u64).saturating_mul(1 << 20));
        }
    }

    /// `memory_mb`, or what it comes to on this machine now where it is left open.
    pub fn resolved_memory_mb(&self) -> usize {
        if self.memory_mb > 0 {
            return self.memory_mb;
        }
        ((free_memory() / 4) >> 20).max(LEAST_MEMORY_MB)
    }
}

/// Bytes that are free on this machine, or inside the limits of the container that this runs in; 0 where
/// nobody knows.
fn free_memory() -> usize {
    let Ok(mut system) = sysinfo::System::new() else {
        return 0;
    };
    system.refresh_memory();
    let here = system.available_memory();
    let limited = system
        .cgroup_limits()
        .map_or(here, |limits| limits.free_memory);
    usize::try_from(here.min(limited)).unwrap_or(usize::MAX)
}

impl Default for ComputeConfig {
    fn default() -> Self {
        Self {
            precision: PrecisionSetting::Auto,
            threads: 0,
            memory_mb: 0,
            image_batch: DEFAULT_IMAGE_BATCH,
            checkpoint_seconds: 10,
        }
    }
}
