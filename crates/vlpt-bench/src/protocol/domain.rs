//! Domain generalisation (Zhou et al., 2022): learned on ImageNet, judged on four sets of the same classes
//! in other dress. Each variant is judged among its own classes: of ImageNet-A and ImageNet-R these are 200,
//! whose names come by WordNet id from the same list as ImageNet's, so that a head over all thousand
//! has its part for them.

use vlpt_data::catalogue::{self, Suite};
use vlpt_data::{ClassSubset, FewShotRule};

use super::{IMAGENET, Protocol, Role, Wanted, plain_label, suite};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "domain",
    summary: "trained on ImageNet, judged on ImageNetV2, ImageNet-Sketch, ImageNet-A and ImageNet-R",
    recipes: &["-cross-dataset", "-base2new", "-paper", ""],
    shots: &[16],
    seeds: &[1, 2, 3],
    tasks: || {
        let source = catalogue::find_in(Suite::Coop, IMAGENET);
        let source = source.map(|entry| Wanted {
            entry,
            role: Role::Source,
        });
        let variants = suite(Suite::Imagenet, Role::Target);
        let variants = variants
            .into_iter()
            .filter(|task| task.entry.train.is_none());
        source.into_iter().chain(variants).collect()
    },
    parts: &[ClassSubset::All],
    rule: FewShotRule::Coop,
    closed_classes: true,
    prompts_only: false,
    one_source: true,
    jobs: super::Bench::of_one_source,
    label: plain_label,
    published: ("domain", "average of 4"),
    without: "",
};
