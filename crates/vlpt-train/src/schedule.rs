//! Learning rates, epoch by epoch or step by step.

use std::f64::consts::PI;

use crate::{ScheduleName, TrainConfig, Warmup};

/// How the rate falls after the warm-up, as a factor of the peak.
#[derive(Debug, Clone, PartialEq)]
pub enum Decay {
    /// Always the peak.
    Constant,
    /// Half a cosine over all epochs, from 1 towards 0: `(1 + cos(pi e / epochs)) / 2`.
    Cosine,
    /// Times `gamma` at each of the `milestones`.
    Steps {
        /// Epochs, counted from 0, from which on the rate is multiplied once more.
        milestones: Vec<usize>,
        /// The factor.
        gamma: f64,
    },
}

/// A learning rate for every epoch, after the schedulers of the Dassl toolbox
/// (`dassl/optim/lr_scheduler.py`), which stand on PyTorch's. A schedule by steps is the same with
/// steps in the place of epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The largest rate.
    pub peak: f64,
    /// The rate that a cosine falls to (`eta_min` of PyTorch's); of no use to others.
    pub floor: f64,
    /// Number of epochs of the run.
    pub epochs: usize,
    /// What follows the warm-up.
    pub decay: Decay,
    /// How the first epochs are warmed up.
    pub warmup: Warmup,
    /// Number of those epochs.
    pub warmup_epochs: usize,
    /// Rate of a constant warm-up; rate of a linear warm-up's first epoch.
    pub warmup_lr: f64,
    /// Whether the decay counts its epochs from the end of the warm-up (Dassl's
    /// `WARMUP_RECOUNT`, on by default there). The cosine's length stays `epochs`, so with a
    /// warm-up the last epoch never comes close to 0. If not, the decay skips as many of its own
    /// epochs as the warm-up has, but starts at the peak all the same.
    pub recount: bool,
}

impl Schedule {
    /// The schedule of a configuration, for a run of `epochs` epochs.
    pub fn of(config: &TrainConfig, epochs: usize) -> Self {
        Self::by(config, epochs, 1)
    }

    /// The schedule of a configuration by steps, for a run of `steps` steps, of which `per_epoch` are
    /// an epoch of its warm-up and milestones.
    pub fn by_steps(config: &TrainConfig, steps: usize, per_epoch: usize) -> Self {
        Self::by(config, steps, per_epoch)
    }

    fn by(config: &TrainConfig, length: usize, epoch: usize) -> Self {
        let (decay, floor) = match config.schedule {
            ScheduleName::Constant => (Decay::Constant, 0.0),
            ScheduleName::Cosine => (Decay::Cosine, config.lr_min),
            ScheduleName::Steps => {
                let milestones = config.milestones.iter();
                let decay = Decay::Steps {
                    milestones: milestones
                        .map(|epochs| epochs.saturating_mul(epoch))
                        .collect(),
                    gamma: config.gamma,
                };
                (decay, 0.0)
            }
        };
        Self {
            peak: config.lr,
            floor,
            epochs: length,
            decay,
            warmup: config.warmup,
            warmup_epochs: config.warmup_epochs.saturating_mul(epoch),
            warmup_lr: config.warmup_lr,
            recount: true,
        }
    }

    /// How many epochs are warmed up.
    pub fn warm(&self) -> usize {
        match self.warmup {
            Warmup::None => 0,
            Warmup::Constant | Warmup::Linear => self.warmup_epochs,
        }
    }

    /// The rate of an epoch, counted from 0.
    ///
    /// Constant warm-up of `w` epochs: `warmup_lr`. Linear: `warmup_lr` in epoch 0, then
    /// `peak e / w`. After it, with `r(e) = floor + (peak - floor) f(e)` of the decay's factor `f`:
    /// `r(e - w)` with recount, `peak r(e) / r(w)` without.
    pub fn rate(&self, epoch: usize) -> f64 {
        let w = self.warm();
        if epoch < w {
            return match self.warmup {
                Warmup::Linear if epoch > 0 => self.peak * epoch as f64 / w as f64,
                _ => self.warmup_lr,
            };
        }
        if self.recount || w == 0 {
            return self.falling(epoch - w);
        }
        let skipped = self.falling(w) / self.peak;
        if skipped == 0.0 {
            0.0
        } else {
            self.falling(epoch) / skipped
        }
    }

    fn falling(&self, epoch: usize) -> f64 {
        self.floor + (self.peak - self.floor) * self.factor(epoch)
    }

    fn factor(&self, epoch: usize) -> f64 {
        match &self.decay {
            Decay::Constant => 1.0,
            Decay::Cosine => {
                let length = self.epochs.max(1) as f64;
                f64::midpoint(1.0, (PI * epoch as f64 / length).cos())
            }
            Decay::Steps { milestones, gamma } => {
                let passed = milestones
                    .iter()
                    .filter(|&&milestone| milestone <= epoch)
                    .count();
                gamma.powi(passed as i32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn coop() -> Schedule {
        Schedule::of(&TrainConfig::default(), 50)
    }

    #[test]
    fn coop_starts_with_one_small_epoch_and_never_ends_at_zero() {
        let schedule = coop();
        assert_eq!(schedule.rate(0), 1e-5);
        assert_eq!(schedule.rate(1), 0.002);
        let last = 0.5 * 0.002 * (1.0 + (PI * 48.0 / 50.0).cos());
        assert!((schedule.rate(49) - last).abs() < 1e-18);
    }

    #[test]
    fn the_rates_are_those_of_pytorchs_schedulers() {
        #[derive(Deserialize)]
        struct Case {
            peak: f64,
            epochs: usize,
            decay: String,
            milestones: Vec<usize>,
            gamma: f64,
            warmup: Warmup,
            warmup_epochs: usize,
            warmup_lr: f64,
            recount: bool,
            #[serde(default)]
            floor: f64,
            rates: Vec<f64>,
        }
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/golden/schedules.json")).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let decay = match case.decay.as_str() {
                "constant" => Decay::Constant,
                "cosine" => Decay::Cosine,
                _ => Decay::Steps {
                    milestones: case.milestones,
                    gamma: case.gamma,
                },
            };
            let schedule = Schedule {
                peak: case.peak,
                floor: case.floor,
                epochs: case.epochs,
                decay,
                warmup: case.warmup,
                warmup_epochs: case.warmup_epochs,
                warmup_lr: case.warmup_lr,
                recount: case.recount,
            };
            for (epoch, expected) in case.rates.iter().enumerate() {
                let found = schedule.rate(epoch);
                let fits = (found - expected).abs() <= 1e-12 * expected.abs() + 1e-17;
                assert!(
                    fits,
                    "{schedule:?}, epoch {epoch}: {found}, expected {expected}"
                );
            }
        }
    }
}
