//! Which units of a plan are a worker's.

use super::limits::RunLimits;
use crate::plan::Plan;
use crate::unit::Unit;

/// Places of the units of a worker's part, and of all they need.
pub(super) fn part(plan: &Plan, limits: &RunLimits) -> Vec<usize> {
    let wanted = |unit: &Unit| limits.kinds.is_empty() || limits.kinds.contains(&unit.kind);
    let places = (0..plan.units().len()).filter(|&place| wanted(&plan.units()[place]));
    let mut chosen = vec![false; plan.units().len()];
    for (number, place) in places.enumerate() {
        chosen[place] = limits.shard.has(number);
    }
    // Needs come before a unit in the plan, so one pass from the end finds all.
    for place in (0..chosen.len()).rev() {
        if chosen[place] {
            for need in plan.units()[place].needs() {
                if let Some(place) = plan.place(need) {
                    chosen[place] = true;
                }
            }
        }
    }
    (0..chosen.len()).filter(|&place| chosen[place]).collect()
}
