//! What a run may keep in memory, and for what.

use vlpt_clip::MemoryBudget;

use crate::RunConfig;

/// How `compute.memory_mb` is shared.
///
/// Without visual prompts all of it is for what the text tower keeps between forward and backward.
/// With visual prompts half of it is for pixels; the other half is for what the towers keep, equal
/// parts where both have learned prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryPlan {
    /// Of the text tower.
    pub(crate) text: MemoryBudget,
    /// Of the image tower.
    pub(crate) image: MemoryBudget,
    /// Of the pixels, in bytes.
    pub(crate) pixels: usize,
}

impl MemoryPlan {
    /// The shares of a run, by the towers that have learned prompts.
    pub(crate) fn of(config: &RunConfig, text: bool, visual: bool) -> Self {
        let all = config.compute.resolved_memory_mb().saturating_mul(1 << 20);
        let (towers, pixels) = if visual { (all / 2, all / 2) } else { (all, 0) };
        let each = if text && visual { towers / 2 } else { towers };
        let budget = |learned| MemoryBudget::new(if learned { each } else { 0 });
        Self {
            text: budget(text),
            image: budget(visual),
            pixels,
        }
    }
}
