//! How a run is computed: number format, threads, memory, pace.

use serde::{Deserialize, Serialize};
use vlpt_clip::{MemoryBudget, Precision};

/// How a run is computed; of these, only `precision` and `memory_mb` may change a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComputeConfig {
    /// Number format of the towers.
    pub precision: PrecisionSetting,
    /// Threads; 0: those of the program, which are one for each processor core unless it is told
    /// otherwise.
    pub threads: usize,
    /// Memory for what the text tower keeps for its backward pass, in MiB.
    pub memory_mb: usize,
    /// Images in the image tower at once.
    pub image_batch: usize,
    /// Seconds between checkpoints; 0: after every step.
    pub checkpoint_seconds: u64,
}

impl Default for ComputeConfig {
    fn default() -> Self {
        Self {
            precision: PrecisionSetting::Auto,
            threads: 0,
            memory_mb: MemoryBudget::default().bytes >> 20,
            image_batch: 32,
            checkpoint_seconds: 10,
        }
    }
}

/// The number format of the towers as it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionSetting {
    /// What the processor is fastest with: see [`Precision::fastest`]. A run replaces it by what
    /// that is when it starts.
    #[default]
    Auto,
    /// 32-bit floats, the reference.
    F32,
    /// Factors of products rounded to 16-bit floats.
    Bf16,
}

impl PrecisionSetting {
    /// The number format asked for; none where the choice is left open.
    pub fn named(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
        }
    }

    /// The number format that this comes to on this machine.
    pub fn resolve(self) -> Precision {
        self.named().unwrap_or_else(Precision::fastest)
    }
}

impl From<Precision> for PrecisionSetting {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}
