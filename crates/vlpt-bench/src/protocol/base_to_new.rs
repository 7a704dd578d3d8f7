//! Generalisation from base to new classes (Zhou et al., 2022b): half of each set's classes are learned,
//! and each half is judged among its own classes.

use vlpt_data::catalogue::Suite;
use vlpt_data::{ClassSubset, FewShotRule};
use vlpt_study::Kind;

use super::{Protocol, Role, plain_label, suite};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "base-to-new",
    summary: "trained on half of a set's classes, judged on either half; harmonic means",
    recipes: &["-base2new", "-paper", ""],
    shots: &[16],
    seeds: &[1, 2, 3],
    tasks: || suite(Suite::Coop, Role::Target),
    parts: &[ClassSubset::Base, ClassSubset::New],
    rule: FewShotRule::Coop,
    closed_classes: false,
    prompts_only: false,
    one_source: false,
    jobs: |bench| {
        let mut jobs = bench.untuned(&bench.targets);
        // both halves of a set stand one after the other
        bench.each(|shots, seed, method| {
            for halves in bench.targets.chunks_exact(2) {
                let mut job = bench.job_on(Kind::Train, method, &halves[0], (shots, seed));
                job.evaluate_on.extend(halves.iter().cloned());
                jobs.push(job);
            }
        });
        Ok(jobs)
    },
    label: plain_label,
    published: ("base-to-new", "average of 11"),
    without: "EuroSAT",
};
