//! In what a benchmark is not the published one.

use super::Request;
use crate::check::{Checked, State};
use crate::method::BenchMethod;
use crate::ways::Unsound;

impl Request {
    /// In what this is not the published protocol.
    pub(super) fn departures(&self, survey: &[Checked], methods: &[BenchMethod]) -> Vec<String> {
        let mut all = Vec::new();
        let missing: Vec<&str> = survey
            .iter()
            .filter(|task| task.state != State::Found)
            .map(|task| task.name.as_str())
            .collect();
        if !missing.is_empty() {
            all.push(format!("without {}", missing.join(", ")));
        }
        let other = survey.iter().filter(|task| {
            let own = task.counts.unwrap_or_default();
            let differs = |(own, expected): (usize, Option<u64>)| {
                expected.is_some_and(|expected| expected != own as u64)
            };
            task.state == State::Found && own.into_iter().zip(task.expected).any(differs)
        });
        let other: Vec<&str> = other.map(|task| task.name.as_str()).collect();
        if !other.is_empty() {
            all.push(format!(
                "other numbers of classes or images in {}",
                other.join(", ")
            ));
        }
        if !self.only.is_empty() {
            let whole = (self.protocol.tasks)().len();
            all.push(format!(
                "{} of the {whole} tasks were asked for",
                survey.len()
            ));
        }
        if let Some(images) = self.test_images {
            all.push(format!("at most {images} test images of each task"));
        }
        if let Some(source) = &self.source {
            all.push(format!("trained on {source}"));
        }
        let own: Vec<&str> = methods
            .iter()
            .filter(|method| method.from.is_none() && !method.config.method.is_baseline())
            .map(|method| method.name.as_str())
            .collect();
        if !own.is_empty() {
            all.push(format!("the program's own values for {}", own.join(", ")));
        }
        if !self.settings.is_empty() || self.config.is_some() {
            all.push("settings over the recipes".to_owned());
        }
        if self.search.is_some() {
            let judged = if self.ways.takes(Unsound::TuneOnTarget) {
                "test"
            } else {
                "validation"
            };
            all.push(format!("hyper-parameters searched on {judged} images"));
        }
        all.extend(self.ways.departures());
        all
    }
}
