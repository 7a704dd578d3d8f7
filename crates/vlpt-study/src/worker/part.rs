//! Which jobs of a plan are a worker's.

use super::limits::RunLimits;
use crate::job::Job;
use crate::plan::Plan;

/// Places of the jobs of a worker's part, and of all they need.
pub(super) fn part(plan: &Plan, limits: &RunLimits) -> Vec<usize> {
    let wanted = |job: &Job| limits.kinds.is_empty() || limits.kinds.contains(&job.kind);
    let places = (0..plan.jobs().len()).filter(|&place| wanted(&plan.jobs()[place]));
    let mut chosen = vec![false; plan.jobs().len()];
    for (number, place) in places.enumerate() {
        chosen[place] = limits.shard.has(number);
    }
    // Needs come before a job in the plan, so one pass from the end finds all.
    for place in (0..chosen.len()).rev() {
        if chosen[place] {
            for need in plan.jobs()[place].needs() {
                if let Some(place) = plan.place(need) {
                    chosen[place] = true;
                }
            }
        }
    }
    (0..chosen.len()).filter(|&place| chosen[place]).collect()
}
