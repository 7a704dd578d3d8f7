//! What the tasks did for each other, in sentences that follow from the numbers.

use super::DemoArgs;
use super::printed::points;
use super::settings::method;
use super::together::{Scores, Target, Together};

impl Together {
    /// What was done with the source prompt.
    pub(super) fn told_of_targets(&self) -> String {
        format!(
            "One prompt was learned on {} together. {} then tuned with {}, from that prompt and from \
             scratch, each at the learning rate that suits it; means over the seeds {}.",
            listed(&self.sources),
            match &self.targets[..] {
                [one] => format!("The task {} was", one.task),
                several => {
                    let names: Vec<String> = several.iter().map(|t| t.task.clone()).collect();
                    format!("The tasks {} were", listed(&names))
                }
            },
            images(self.shots),
            listed(
                &self
                    .seeds
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            ),
        )
    }

    /// Whether the source prompt helped, target by target, and what speaks for the reason where it did not.
    pub(super) fn verdict(&self) -> String {
        let mut said: Vec<String> = self.targets.iter().map(Target::verdict).collect();
        let above = self
            .targets
            .iter()
            .filter(|target| target.source > target.zero_shot);
        let above = above.count();
        if above < self.targets.len() && !self.targets.iter().any(Target::surely_gains) {
            said.push(format!(
                "As it is, before any tuning, the source prompt scores above zero-shot on {} of {}: the drawn \
                 tasks have little in common that a prompt could carry over, and a random start makes up for \
                 it with {}.",
                above,
                match self.targets.len() {
                    1 => "one task".to_owned(),
                    several => format!("{several} tasks"),
                },
                images(self.shots),
            ));
        }
        said.join(" ")
    }

    /// What the matrix shows.
    pub(super) fn told_of_matrix(&self) -> String {
        format!(
            "Which task helps which: accuracy in % of a prompt learned on the task of the row with {}, \
             on the task of the column, as it is; means over the seeds {}.",
            images(self.matrix.shots),
            listed_seeds(&self.matrix.seeds)
        )
    }
}

impl Target {
    /// Whether its gain's interval is above none.
    fn surely_gains(&self) -> bool {
        self.gain.interval.is_some_and(|(low, _)| low > 0.0)
    }

    fn verdict(&self) -> String {
        let (task, gain) = (&self.task, points(self.gain.mean));
        let sure = match self.gain.interval {
            Some(_) if self.surely_gains() => "with these seeds a gain beyond chance",
            Some((_, high)) if high < 0.0 => "with these seeds a loss beyond chance",
            _ => "which these seeds cannot tell from none",
        };
        format!("{task}: {gain} points by the source prompt, {sure}.")
    }
}

impl Scores {
    /// How often a task helped another.
    pub(super) fn verdict(&self) -> String {
        format!(
            "Of {} pairs of different tasks, {} score above zero-shot, {} above the prompt of the \
             target itself.",
            self.pairs, self.over_zero_shot, self.over_own
        )
    }
}

impl DemoArgs {
    /// What the runs over several tasks had.
    pub(super) fn told_of_training(&self) -> String {
        format!(
            "{}, one context of 16 vectors for all classes, 30 epochs; the source prompt with {}, its \
             targets with {}, the study with {}",
            method().name,
            images(self.shots),
            images(self.few()),
            images(self.studied())
        )
    }
}

fn images(shots: u16) -> String {
    match shots {
        1 => "1 image of each class".to_owned(),
        several => format!("{several} images of each class"),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn listed_seeds(seeds: &[u64]) -> String {
    listed(&seeds.iter().map(ToString::to_string).collect::<Vec<_>>())
}
