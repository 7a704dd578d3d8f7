//! Which ways would change nothing of a benchmark.

use vlpt_data::FewShotRule;

use super::{Customary, Unsound, Ways};
use crate::{BenchError, Result};

/// What a benchmark has that ways could change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The protocol's name.
    pub(crate) protocol: &'a str,
    /// How it draws images.
    pub(crate) rule: FewShotRule,
    /// Whether tasks are learned together.
    pub(crate) staged: bool,
    /// Whether one task is trained on and others are judged.
    pub(crate) one_source: bool,
    /// Its seeds.
    pub(crate) seeds: &'a [u64],
    /// Whether trials precede each training.
    pub(crate) searched: bool,
    /// How many methods there are.
    pub(crate) methods: usize,
    /// How many of them are fitted and not tuned.
    pub(crate) fitted: usize,
}

impl Ways {
    /// Refuses ways that would change nothing.
    ///
    /// # Errors
    /// One that has no effect, with the reason.
    pub(crate) fn check(&self, asked: &Asked<'_>) -> Result<()> {
        let refuse = |flag: &str, name: &str, why: String| {
            Err(BenchError::choice(
                format!("{flag} {name} has no effect here: {why}"),
                "leave it out",
            ))
        };
        let drawn = asked.rule == FewShotRule::Elevater;
        for way in &self.with {
            let why = match way {
                Unsound::BestTestEpoch if asked.fitted == asked.methods => {
                    "no method here has epochs to choose among"
                }
                Unsound::ZeroMask if !asked.staged => "each task is learned alone",
                Unsound::SeedZeroIgnored if !drawn => "only ELEVATER's draw took seed 0 for none",
                Unsound::SeedZeroIgnored if !asked.seeds.contains(&0) => {
                    "seed 0 is none of the seeds"
                }
                Unsound::TuneOnTarget if asked.one_source => {
                    "what is trained on is not the target, and test images of targets choose nothing"
                }
                Unsound::TuneOnTarget if !asked.searched && asked.fitted == 0 => {
                    "prompts have hyper-parameters to choose with --search alone"
                }
                _ => continue,
            };
            return refuse("--with", way.name(), why.to_owned());
        }
        let whole = !self.keeps(Customary::Split8020);
        if drawn && whole && asked.searched && !self.takes(Unsound::TuneOnTarget) {
            return Err(BenchError::choice(
                format!(
                    "--without {} leaves --search no validation images to choose by",
                    Customary::Split8020.name()
                ),
                "leave one of the two out",
            ));
        }
        if let Some(way) = self.without.first()
            && !drawn
        {
            let why = format!("{} has it on no task", asked.protocol);
            return refuse("--without", way.name(), why);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_changes_nothing_is_refused() {
        let with = |way| Ways {
            with: vec![way],
            ..Ways::default()
        };
        let elevater = Asked {
            protocol: "elevater",
            rule: FewShotRule::Elevater,
            staged: false,
            one_source: false,
            seeds: &[1, 2],
            searched: false,
            methods: 2,
            fitted: 0,
        };
        let coop = Asked {
            protocol: "coop",
            rule: FewShotRule::Coop,
            seeds: &[0],
            ..elevater
        };
        let domain = Asked {
            one_source: true,
            ..coop
        };
        let fitted = Asked {
            fitted: 2,
            ..elevater
        };
        for (way, asked, what) in [
            (Unsound::ZeroMask, elevater, "alone"),
            (Unsound::SeedZeroIgnored, coop, "ELEVATER's draw"),
            (Unsound::SeedZeroIgnored, elevater, "none of the seeds"),
            (Unsound::TuneOnTarget, elevater, "--search"),
            (Unsound::TuneOnTarget, domain, "not the target"),
            (Unsound::BestTestEpoch, fitted, "no method here has epochs"),
        ] {
            let refused = with(way).check(&asked).unwrap_err();
            assert!(refused.to_string().contains(what), "{refused}");
        }
        let without = Ways {
            without: vec![Customary::Squash],
            ..Ways::default()
        };
        assert!(without.check(&coop).is_err());
        let whole = Ways {
            without: vec![Customary::Split8020],
            ..Ways::default()
        };
        let searched = Asked {
            searched: true,
            ..elevater
        };
        let refused = whole.check(&searched).unwrap_err().to_string();
        assert!(refused.contains("no validation images"), "{refused}");
        assert!(whole.check(&elevater).is_ok());
        assert!(without.check(&elevater).is_ok());
        let one = Asked { fitted: 1, ..coop };
        assert!(with(Unsound::BestTestEpoch).check(&one).is_ok());
        assert!(with(Unsound::TuneOnTarget).check(&one).is_ok());
    }
}
