//! Flags for published ways that can be taken or left.

use clap::{Args, ValueEnum};
use vlpt_bench::{Customary, Unsound, Ways};

/// Flags for published ways.
#[derive(Debug, Args)]
pub(super) struct WayArgs {
    /// Do as published where that is unsound, for comparison; none of these is on by itself
    #[arg(long, value_enum, value_name = "WAY,WAY", value_delimiter = ',')]
    with: Vec<UnsoundArg>,
    /// Leave a published way of ELEVATER's tasks that only differs; all of these are on by themselves
    #[arg(long, value_enum, value_name = "WAY,WAY", value_delimiter = ',')]
    without: Vec<CustomaryArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UnsoundArg {
    /// Keep the epoch that is best on the test images, as ELEVATER's toolkit does
    BestTestEpoch,
    /// Where tasks are learned together, set logits of other tasks' classes to 0 and not to minus
    /// infinity, as MVLPT's mask does
    ZeroMask,
    /// Draw the images of seed 1 for seed 0, as MVLPT does, which takes seed 0 for none
    #[value(name = "seed-0-ignored")]
    SeedZeroIgnored,
    /// Choose hyper-parameters of --search, and of methods fitted to features, by the test images of the
    /// target, as Tip-Adapter and GDA did on ImageNet
    TuneOnTarget,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CustomaryArg {
    /// Squash images to a square; left: the shorter side is resized and the centre cut out
    Squash,
    /// Learn prompts from images as they are; left: from views drawn anew in every epoch
    PlainImages,
    /// Part the images drawn 80 to 20, the smaller part for validation; left: all are learned from and
    /// the last epoch is kept
    #[value(name = "split-80-20")]
    Split8020,
}

impl WayArgs {
    /// Which ways are taken.
    pub(super) fn ways(&self) -> Ways {
        let unsound = |way: &UnsoundArg| match way {
            UnsoundArg::BestTestEpoch => Unsound::BestTestEpoch,
            UnsoundArg::ZeroMask => Unsound::ZeroMask,
            UnsoundArg::SeedZeroIgnored => Unsound::SeedZeroIgnored,
            UnsoundArg::TuneOnTarget => Unsound::TuneOnTarget,
        };
        let customary = |way: &CustomaryArg| match way {
            CustomaryArg::Squash => Customary::Squash,
            CustomaryArg::PlainImages => Customary::PlainImages,
            CustomaryArg::Split8020 => Customary::Split8020,
        };
        Ways {
            with: self.with.iter().map(unsound).collect(),
            without: self.without.iter().map(customary).collect(),
        }
    }
}
