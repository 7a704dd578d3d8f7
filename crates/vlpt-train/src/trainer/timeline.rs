//! How long a run is, stage by stage, and the learning rate of each of its steps.

use std::ops::Range;

use crate::{Result, RunConfig, Schedule, ScheduleBy, TrainError};

/// The stages of a run, one after another. Epochs are counted through; a stage begins with a new one
/// and cuts its last one short where its steps end before it does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline {
    /// Steps of a whole epoch.
    per_epoch: usize,
    stages: Vec<Span>,
}

/// A stage: its epochs, steps and schedule.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    epochs: Range<usize>,
    steps: usize,
    schedule: Schedule,
    by: ScheduleBy,
}

impl Timeline {
    /// The timeline of a configuration, with epochs of `per_epoch` steps. `shares` are those of the
    /// stages of the run's length, none for a single one. With `length` epochs, or steps where the
    /// configuration says these, a stage ends at `int(length * share)`, with the shares of those
    /// before it added.
    ///
    /// # Errors
    /// Fewer epochs, or steps, than stages.
    pub(crate) fn new(config: &RunConfig, shares: &[f64], per_epoch: usize) -> Result<Self> {
        let (length, unit) = match config.steps() {
            Some(steps) => (steps, ScheduleBy::Step),
            None => (config.epochs(), ScheduleBy::Epoch),
        };
        let (mut stages, mut first) = (Vec::new(), 0);
        for own in parts(length, shares, unit)? {
            let (epochs, steps) = match unit {
                ScheduleBy::Step => (own.div_ceil(per_epoch.max(1)), own),
                ScheduleBy::Epoch => (own, own.saturating_mul(per_epoch)),
            };
            let (train, by) = (&config.train, config.train.schedule_by);
            stages.push(Span {
                epochs: first..first + epochs,
                steps,
                schedule: match by {
                    ScheduleBy::Epoch => Schedule::of(train, epochs),
                    ScheduleBy::Step => Schedule::by_steps(train, steps, per_epoch),
                },
                by,
            });
            first += epochs;
        }
        Ok(Self { per_epoch, stages })
    }

    /// Whether the warm-up lasts as long as every stage, so that the rate that was asked for is never reached.
    pub(crate) fn is_all_warm_up(&self) -> bool {
        self.stages.iter().all(|stage| {
            stage.schedule.warm()
                >= match stage.by {
                    ScheduleBy::Epoch => stage.epochs.len(),
                    ScheduleBy::Step => stage.steps,
                }
        })
    }

    /// Number of stages, at least 1.
    pub(crate) fn stages(&self) -> usize {
        self.stages.len()
    }

    /// Number of epochs of all stages.
    pub(crate) fn epochs(&self) -> usize {
        self.stages.last().map_or(0, |stage| stage.epochs.end)
    }

    /// The epochs of a stage.
    pub(crate) fn span(&self, stage: usize) -> Range<usize> {
        self.stages[stage].epochs.clone()
    }

    /// The stage of an epoch; of one after the end, the last.
    pub(crate) fn stage(&self, epoch: usize) -> usize {
        let found = self.stages.iter().position(|own| epoch < own.epochs.end);
        found.unwrap_or(self.stages.len() - 1)
    }

    /// Steps of a whole epoch.
    pub(crate) fn per_epoch(&self) -> usize {
        self.per_epoch
    }

    /// Steps of an epoch.
    pub(crate) fn steps(&self, epoch: usize) -> usize {
        let stage = &self.stages[self.stage(epoch)];
        let before = epoch.saturating_sub(stage.epochs.start) * self.per_epoch;
        self.per_epoch.min(stage.steps.saturating_sub(before))
    }

    /// Steps that are left of a stage, given an epoch of it and how many steps of that are done.
    pub(crate) fn left(&self, stage: usize, epoch: usize, done: usize) -> usize {
        let Span { epochs, steps, .. } = &self.stages[stage];
        let before = epoch.saturating_sub(epochs.start) * self.per_epoch + done;
        steps.saturating_sub(before)
    }

    /// The learning rate of a step of an epoch.
    pub(crate) fn rate(&self, epoch: usize, step: usize) -> f64 {
        let stage = &self.stages[self.stage(epoch)];
        let epoch = epoch - stage.epochs.start;
        stage.schedule.rate(match stage.by {
            ScheduleBy::Epoch => epoch,
            ScheduleBy::Step => epoch * self.per_epoch + step,
        })
    }
}

/// A length cut into stages of these shares.
fn parts(length: usize, shares: &[f64], unit: ScheduleBy) -> Result<Vec<usize>> {
    if shares.len() < 2 {
        return Ok(vec![length]);
    }
    let (mut parts, mut sum, mut first) = (Vec::new(), 0.0, 0);
    for share in &shares[..shares.len() - 1] {
        sum += share;
        let end = (length as f64 * sum) as usize;
        parts.push(end.saturating_sub(first));
        first = end;
    }
    parts.push(length.saturating_sub(first));
    if parts.contains(&0) {
        let key = match unit {
            ScheduleBy::Epoch => "train.epochs",
            ScheduleBy::Step => "train.steps",
        };
        return Err(TrainError::Incompatible {
            what: format!(
                "{key} = {length}: too few for the {} stages of the method, with shares {shares:?}",
                shares.len()
            ),
            hint: Some(format!("give more of them: --set {key}=N")),
        });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn config(train: &str) -> RunConfig {
        let text = format!("[few_shot]\nshots = 2\n[train]\nlr = 1.0\nwarmup = \"none\"\n{train}");
        parse(&text, "test").unwrap()
    }

    fn steps(of: &Timeline) -> Vec<usize> {
        (0..of.epochs()).map(|epoch| of.steps(epoch)).collect()
    }

    #[test]
    fn a_run_of_whole_epochs_has_a_rate_for_each() {
        let of = Timeline::new(&config("epochs = 4"), &[], 3).unwrap();
        assert_eq!((of.stages(), of.epochs()), (1, 4));
        assert_eq!(steps(&of), [3; 4]);
        assert_eq!((of.rate(2, 0), of.rate(2, 2)), (0.5, 0.5));
        assert_eq!(of.left(0, 1, 2), 7);
    }

    #[test]
    fn steps_end_a_run_within_an_epoch() {
        let text = "steps_per_shot = 5\nschedule_by = \"step\"\nlr_min = 0.5";
        let of = Timeline::new(&config(text), &[], 4).unwrap();
        assert_eq!(steps(&of), [4, 4, 2]);
        assert_eq!(of.rate(0, 0), 1.0);
        assert_eq!(of.rate(1, 1), 0.75);
        assert!(of.rate(2, 1) > 0.5);
        assert_eq!((of.left(0, 0, 0), of.left(0, 2, 1)), (10, 1));
    }

    #[test]
    fn a_stage_begins_with_a_new_epoch_and_a_new_schedule() {
        let text = "steps = 10\nschedule_by = \"step\"";
        let of = Timeline::new(&config(text), &[0.6, 0.4], 4).unwrap();
        assert_eq!(steps(&of), [4, 2, 4]);
        assert_eq!((of.span(0), of.span(1)), (0..2, 2..3));
        let stages: Vec<usize> = (0..5).map(|epoch| of.stage(epoch)).collect();
        assert_eq!(stages, [0, 0, 1, 1, 1]);
        assert_eq!((of.rate(0, 0), of.rate(2, 0)), (1.0, 1.0));
        assert!((of.rate(0, 3) - 0.5).abs() < 1e-12);
        assert!((of.rate(2, 2) - 0.5).abs() < 1e-12);
        assert_eq!((of.left(0, 1, 1), of.left(1, 2, 0)), (1, 4));

        let of = Timeline::new(&config("epochs = 5"), &[0.6, 0.4], 4).unwrap();
        assert_eq!((of.span(0), of.span(1)), (0..3, 3..5));
        assert_eq!((of.rate(3, 0), of.rate(4, 0)), (1.0, 0.5));
    }

    #[test]
    fn a_run_that_never_leaves_its_warm_up_is_told() {
        for (text, told) in [
            ("epochs = 4", false),
            ("epochs = 4\nwarmup_epochs = 3", false),
            ("epochs = 1", true),
            ("steps = 4", true),
            ("steps = 5", false),
            ("steps = 4\nschedule_by = \"step\"", true),
            ("steps = 5\nschedule_by = \"step\"", false),
            ("steps = 4\nwarmup = \"none\"", false),
        ] {
            let text = format!("[few_shot]\nshots = 2\n[train]\n{text}");
            let of = Timeline::new(&parse(&text, "test").unwrap(), &[], 4).unwrap();
            assert_eq!(of.is_all_warm_up(), told, "{text}");
        }
    }

    #[test]
    fn published_stages_end_where_the_published_code_ends_them() {
        for shots in [1, 2, 4, 8, 16] {
            let parts = parts(300 * shots, &[0.6, 0.4], ScheduleBy::Step).unwrap();
            assert_eq!(parts, [180 * shots, 120 * shots]);
        }
    }

    #[test]
    fn milestones_are_whole_epochs_whatever_the_schedule_counts() {
        let text = "epochs = 3\nschedule = \"steps\"\nmilestones = [2]\nschedule_by = \"step\"";
        let of = Timeline::new(&config(text), &[], 5).unwrap();
        assert_eq!((of.rate(1, 4), of.rate(2, 0)), (1.0, 0.1));
    }

    #[test]
    fn a_stage_without_a_step_is_refused() {
        for (text, key) in [
            ("epochs = 1", "train.epochs = 1"),
            ("steps = 1", "train.steps = 1"),
        ] {
            let error = Timeline::new(&config(text), &[0.6, 0.4], 4).unwrap_err();
            assert!(error.to_string().starts_with(key), "{error}");
            assert!(error.hint().unwrap().contains("more"));
        }
    }
}
