//! Ways of published code that can be taken or left: those that make a result too good, or another than
//! its name says, are off unless they are asked for; those that only differ from what others do are on in
//! the protocols that had them, unless they are left.

use vlpt_data::FewShotRule;

use crate::{BenchError, Result};

/// A published way that is unsound, for comparison only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsound {
    /// The epoch that is kept is the best on the test images: ELEVATER's toolkit.
    BestTestEpoch,
    /// Logits of other tasks' classes are set to 0 and not to minus infinity where tasks are learned
    /// together: MVLPT's mask.
    ZeroMask,
    /// Seed 0 draws the images of seed 1: MVLPT's test for a seed takes 0 for none.
    SeedZeroIgnored,
    /// Hyper-parameters are chosen by the target's test images, and not by validation images: Tip-Adapter and
    /// GDA on ImageNet, MMRL++ for each target.
    TuneOnTarget,
}

/// A published way of ELEVATER's tasks that only differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Customary {
    /// Images become squares whatever their shape, and nothing is cut off: MVLPT on ELEVATER's tasks.
    Squash,
    /// Images are learned from as they are, without views drawn anew: MVLPT on ELEVATER's tasks.
    PlainImages,
    /// Of the images drawn a fifth is for validation: ELEVATER's toolkit and MVLPT.
    Split8020,
}

/// Which published ways are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways {
    /// Unsound ones that are taken all the same.
    pub with: Vec<Unsound>,
    /// Customary ones that are left.
    pub without: Vec<Customary>,
}

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

impl Unsound {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::BestTestEpoch => "best-test-epoch",
            Self::ZeroMask => "zero-mask",
            Self::SeedZeroIgnored => "seed-0-ignored",
            Self::TuneOnTarget => "tune-on-target",
        }
    }

    /// What it makes of the figures.
    fn departure(self) -> &'static str {
        match self {
            Self::BestTestEpoch => {
                "the epoch was chosen by test images, so that figures are too good"
            }
            Self::ZeroMask => "logits of other tasks were 0 and not left out",
            Self::SeedZeroIgnored => "seed 0 drew the images of seed 1",
            Self::TuneOnTarget => {
                "hyper-parameters were chosen by test images, so that figures are too good"
            }
        }
    }
}

impl Customary {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squash => "squash",
            Self::PlainImages => "plain-images",
            Self::Split8020 => "split-80-20",
        }
    }

    fn departure(self) -> &'static str {
        match self {
            Self::Squash => "images cropped to their centre, not squashed",
            Self::PlainImages => "prompts learned from views drawn anew, not from plain images",
            Self::Split8020 => "all images drawn learned from, none for validation",
        }
    }
}

impl Ways {
    /// Whether an unsound way is taken.
    pub fn takes(&self, way: Unsound) -> bool {
        self.with.contains(&way)
    }

    fn keeps(&self, way: Customary) -> bool {
        !self.without.contains(&way)
    }

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
        if let Some(way) = self.without.first()
            && !drawn
        {
            let why = format!("{} has it on no task", asked.protocol);
            return refuse("--without", way.name(), why);
        }
        Ok(())
    }

    /// Settings of a method's runs on tasks whose images are drawn by `rule`. `searched`: trials precede its training, and what is of the
    /// last training alone is in [`Ways::of_last`].
    pub(crate) fn settings(
        &self,
        rule: FewShotRule,
        baseline: bool,
        searched: bool,
    ) -> Vec<&'static str> {
        let mut all = Vec::new();
        if rule == FewShotRule::Elevater {
            all.push(self.resize());
            if !baseline {
                all.push(if self.keeps(Customary::PlainImages) {
                    "views.mode=none"
                } else {
                    "views.mode=online"
                });
            }
            if !self.keeps(Customary::Split8020) {
                all.extend(["few_shot.merge_val=true", "train.select=last"]);
            }
        }
        if !searched {
            all.extend(self.select(baseline));
        }
        if self.takes(Unsound::ZeroMask) {
            all.push("multitask.label_space=zero-mask");
        }
        all
    }

    /// How the epoch, or a fitted method's numbers, are chosen where test images do.
    fn select(&self, baseline: bool) -> Option<&'static str> {
        let way = if baseline {
            Unsound::TuneOnTarget
        } else {
            Unsound::BestTestEpoch
        };
        self.takes(way).then_some("train.select=best_test")
    }

    /// Key and value of what the last training after a search has alone.
    pub(crate) fn of_last(&self) -> Option<(&'static str, &'static str)> {
        self.select(false)?.split_once('=')
    }

    /// How images become squares on ELEVATER's tasks.
    pub(crate) fn resize(&self) -> &'static str {
        if self.keeps(Customary::Squash) {
            "image.resize=squash"
        } else {
            "image.resize=shortest"
        }
    }

    /// The seed that draws the images of a seed.
    pub fn drawing_seed(&self, seed: u64) -> u64 {
        if seed == 0 && self.takes(Unsound::SeedZeroIgnored) {
            1
        } else {
            seed
        }
    }

    /// What stands under the tables.
    pub(crate) fn departures(&self) -> Vec<String> {
        let with = self.with.iter().map(|way| (way.name(), way.departure()));
        let without = self.without.iter().map(|way| (way.name(), way.departure()));
        let with = with.map(|(name, text)| format!("with {name}: {text}"));
        with.chain(without.map(|(name, text)| format!("without {name}: {text}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customary_ways_are_on_for_elevaters_tasks_and_unsound_ones_off() {
        let ways = Ways::default();
        let elevater = FewShotRule::Elevater;
        assert_eq!(
            ways.settings(elevater, false, false),
            ["image.resize=squash", "views.mode=none"]
        );
        assert_eq!(
            ways.settings(elevater, true, false),
            ["image.resize=squash"]
        );
        assert!(ways.settings(FewShotRule::Coop, false, false).is_empty());
        assert_eq!(ways.drawing_seed(0), 0);
        assert!(ways.departures().is_empty());
    }

    #[test]
    fn what_is_asked_for_is_set_and_told() {
        let ways = Ways {
            with: vec![
                Unsound::BestTestEpoch,
                Unsound::ZeroMask,
                Unsound::SeedZeroIgnored,
                Unsound::TuneOnTarget,
            ],
            without: vec![
                Customary::Squash,
                Customary::PlainImages,
                Customary::Split8020,
            ],
        };
        let elevater = FewShotRule::Elevater;
        let all = ways.settings(elevater, false, false);
        // of two settings of one key the later counts
        let select: Vec<&&str> = all
            .iter()
            .filter(|s| s.starts_with("train.select"))
            .collect();
        assert_eq!(select, [&"train.select=last", &"train.select=best_test"]);
        for setting in [
            "image.resize=shortest",
            "views.mode=online",
            "few_shot.merge_val=true",
            "multitask.label_space=zero-mask",
        ] {
            assert!(all.contains(&setting), "{setting}");
        }
        assert_eq!((ways.drawing_seed(0), ways.drawing_seed(2)), (1, 2));
        assert_eq!(ways.of_last(), Some(("train.select", "best_test")));
        assert_eq!(ways.departures().len(), 7);
    }

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
        assert!(without.check(&elevater).is_ok());
        let one = Asked { fitted: 1, ..coop };
        assert!(with(Unsound::BestTestEpoch).check(&one).is_ok());
        assert!(with(Unsound::TuneOnTarget).check(&one).is_ok());
    }
}
