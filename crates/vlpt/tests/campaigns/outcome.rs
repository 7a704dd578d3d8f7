//! What came of a campaign.

use crate::child::{End, Ended};

/// How a promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Panic,
    Hang,
    Memory,
    WrongAccept,
    Lost,
}

impl Broken {
    const ALL: [Self; 5] = [
        Self::Panic,
        Self::Hang,
        Self::Memory,
        Self::WrongAccept,
        Self::Lost,
    ];
}

/// Counts, and a line for each failure.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) tried: usize,
    broken: Vec<Broken>,
    pub(crate) failures: Vec<String>,
    /// What was left out, and why; a word on the result.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// Counts a broken promise.
    pub(crate) fn broke(&mut self, how: Broken, what: impl std::fmt::Display) {
        self.broken.push(how);
        self.failures.push(format!("{how:?}: {what}"));
    }

    /// Says, loudly, that the campaign was not run here.
    pub(crate) fn skipped(&mut self, why: &str) {
        eprintln!("SKIPPED: {why}");
        self.notes.push(format!("SKIPPED: {why}"));
    }

    /// Counts a child, and what it broke whatever it was asked to do.
    pub(crate) fn child(&mut self, what: &str, child: &Ended) {
        self.tried += 1;
        let said = child.said();
        match child.end {
            End::TimedOut => self.broke(Broken::Hang, what),
            End::Signal(signal) => {
                self.broke(Broken::Memory, format!("{what}: signal {signal}: {said}"));
            }
            End::Code(101) => self.broke(Broken::Panic, format!("{what}: {said}")),
            End::Code(_) if said.contains("panicked at") => {
                self.broke(Broken::Panic, format!("{what}: {said}"));
            }
            End::Code(0..=3) => {}
            End::Code(code) => {
                self.broke(Broken::Lost, format!("{what}: exit code {code}: {said}"));
            }
        }
    }

    fn count(&self, how: Broken) -> usize {
        self.broken.iter().filter(|broken| **broken == how).count()
    }
}

/// The outcomes, each with the seconds that it took, as a table in Markdown.
pub(crate) fn table(rows: &[(&str, Outcome, f64)]) -> String {
    let mut text = String::from(
        "| campaign | tried | panics | hangs | memory | wrong accepts | lost | notes | seconds |\n\
         |---|---:|---:|---:|---:|---:|---:|---|---:|\n",
    );
    for (name, outcome, seconds) in rows {
        let counts = Broken::ALL.map(|how| outcome.count(how).to_string());
        text += &format!(
            "| {name} | {} | {} | {} | {seconds:.*} |\n",
            outcome.tried,
            counts.join(" | "),
            outcome.notes.join("; "),
            usize::from(*seconds < 1.0),
        );
    }
    text
}
