//! Few shots of each task, each task alone: CoOp's eleven sets, and ELEVATER's twenty.

use vlpt_data::catalogue::Suite;
use vlpt_data::{ClassSubset, FewShotRule};
use vlpt_study::Job;

use super::{Bench, Protocol, Role, cross_task, plain_label, suite};

/// CoOp's few-shot experiments (Zhou et al., 2022): 1 to 16 images of each class, accuracy on the whole
/// test set.
pub(super) static COOP: Protocol = FEW_SHOT;

const FEW_SHOT: Protocol = Protocol {
    name: "coop",
    summary: "few shots on CoOp's eleven data sets, each alone",
    recipes: &["-paper", "-few-shot", "-csc", "-base2new", ""],
    shots: &[1, 2, 4, 8, 16],
    seeds: &[1, 2, 3],
    tasks: || suite(Suite::Coop, Role::Target),
    parts: &[ClassSubset::All],
    rule: FewShotRule::Coop,
    closed_classes: true,
    prompts_only: false,
    one_source: false,
    jobs: |bench| Ok(jobs(bench)),
    label: plain_label,
    published: ("few-shot", "average of 11"),
    without: "EuroSAT",
};

/// ELEVATER's image classification track (Li et al., 2022): each task in its own metric, the overall score
/// their mean.
pub(super) static ELEVATER: Protocol = Protocol {
    name: "elevater",
    summary: "few shots on ELEVATER's twenty tasks, each alone or from one prompt for all",
    recipes: &["-mvlpt-elevater", ""],
    shots: &[5, 20, 50],
    seeds: &[0, 1, 2],
    tasks: || suite(Suite::Elevater, Role::Both),
    rule: FewShotRule::Elevater,
    label: cross_task::label,
    published: ("elevater", "average of 20"),
    jobs: |bench| {
        if bench.multitask {
            return cross_task::jobs(bench);
        }
        Ok(jobs(bench))
    },
    ..FEW_SHOT
};

fn jobs(bench: &Bench) -> Vec<Job> {
    let mut jobs = bench.untuned(&bench.targets);
    jobs.extend(bench.singles());
    jobs
}
