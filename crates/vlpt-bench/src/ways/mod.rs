//! Ways of published code that can be taken or left: those that make a result too good, or another than
//! its name says, are off unless they are asked for; those that only differ from what others do are on in
//! the protocols that had them, unless they are left.

mod effect;

use vlpt_data::FewShotRule;

pub(crate) use effect::Asked;

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

    pub(crate) fn keeps(&self, way: Customary) -> bool {
        !self.without.contains(&way)
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
}
