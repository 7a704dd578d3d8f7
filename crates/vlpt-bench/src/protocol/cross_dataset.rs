//! Transfer to other data sets (Zhou et al., 2022b): one prompt, learned on ImageNet, on ten other sets.

use vlpt_data::catalogue::Suite;
use vlpt_data::{ClassSubset, FewShotRule};

use super::{IMAGENET, Protocol, Role, plain_label, suite};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "cross-dataset",
    summary: "trained on ImageNet (or --source), judged as it is on CoOp's other data sets",
    recipes: &["-cross-dataset", "-base2new", "-paper", ""],
    shots: &[16],
    seeds: &[1, 2, 3],
    tasks: || {
        let mut tasks = suite(Suite::Coop, Role::Target);
        for task in &mut tasks {
            if task.entry.name == IMAGENET {
                task.role = Role::Source;
            }
        }
        tasks
    },
    parts: &[ClassSubset::All],
    rule: FewShotRule::Coop,
    closed_classes: false,
    prompts_only: false,
    one_source: true,
    jobs: super::Bench::of_one_source,
    label: plain_label,
    published: ("cross-dataset", "average of 10"),
    without: "",
};
