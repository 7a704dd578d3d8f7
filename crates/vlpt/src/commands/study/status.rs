//! `vlpt study status`: how far a study is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_study::{Counts, JobState, Kind, Spent, Status, status};

use super::time;
use crate::console::{Console, table};
use crate::error::CliError;

/// Messages of failures that are shown without --failures.
const SHOWN: usize = 5;

/// Flags of `vlpt study status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    dir: PathBuf,
    /// Show every failure, not only the first few
    #[arg(long)]
    failures: bool,
}

#[derive(Debug, Serialize)]
struct Document {
    all: Row,
    kinds: Vec<Row>,
    failures: Vec<Failed>,
    seconds_done: f64,
    seconds_left: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Row {
    kind: String,
    method: String,
    done: usize,
    running: usize,
    failed: usize,
    blocked: usize,
    missing: usize,
    seconds: f64,
    seconds_of_training: f64,
}

#[derive(Debug, Serialize)]
struct Failed {
    job: String,
    title: String,
    message: String,
    attempts: u32,
}

/// Looks and prints.
pub(crate) fn run(args: &StatusArgs, console: &Console) -> Result<(), CliError> {
    let found = status(&args.dir)?;
    let of = |key: &(Kind, String)| found.spent.get(key).copied().unwrap_or_default();
    let spent = found
        .spent
        .values()
        .fold(Spent::default(), |sum, one| Spent {
            seconds: sum.seconds + one.seconds,
            training: sum.training + one.training,
        });
    let document = Document {
        all: Row::of("all", "", found.counts(), spent),
        kinds: found
            .by_kind()
            .into_iter()
            .map(|(key, counts)| Row::of(key.0.name(), &key.1, counts, of(&key)))
            .collect(),
        failures: failures(&found),
        seconds_done: found.seconds_done,
        seconds_left: found.seconds_left,
    };
    console.result(&document, || document.text(args.failures))
}

fn failures(status: &Status) -> Vec<Failed> {
    let failed = status.jobs.iter().filter_map(|job| match &job.state {
        JobState::Failed { message, attempts } => Some(Failed {
            job: job.id.to_string(),
            title: job.title.clone(),
            message: message.clone(),
            attempts: *attempts,
        }),
        _ => None,
    });
    failed.collect()
}

impl Row {
    fn of(kind: &str, method: &str, counts: Counts, spent: Spent) -> Self {
        Self {
            kind: kind.to_owned(),
            method: method.to_owned(),
            done: counts.done,
            running: counts.running,
            failed: counts.failed,
            blocked: counts.blocked,
            missing: counts.missing,
            seconds: spent.seconds,
            seconds_of_training: spent.training,
        }
    }

    fn cells(&self) -> Vec<String> {
        let name = format!("{} {}", self.kind, self.method);
        let counts = [
            self.done,
            self.running,
            self.failed,
            self.blocked,
            self.missing,
        ];
        let counts = counts.iter().map(ToString::to_string);
        std::iter::once(name.trim().to_owned())
            .chain(counts)
            .chain([self.seconds, self.seconds_of_training].map(time))
            .collect()
    }
}

impl Document {
    fn text(&self, every: bool) -> String {
        let head = [
            "jobs", "done", "running", "failed", "blocked", "missing", "took", "training",
        ];
        let rows = self.kinds.iter().chain([&self.all]);
        let rows: Vec<Vec<String>> = rows.map(Row::cells).collect();
        let mut text = table(&head, &rows);
        text += &format!("\n\n{} of work done", time(self.seconds_done));
        let unfinished = self.all.done < rows_total(&self.all);
        if let Some(left) = self.seconds_left.filter(|_| unfinished) {
            text += &format!(", about {} left, one job after another", time(left));
        }
        let shown = if every { self.failures.len() } else { SHOWN };
        let mut messages: BTreeMap<&str, Vec<&Failed>> = BTreeMap::new();
        for failed in &self.failures {
            messages.entry(&failed.message).or_default().push(failed);
        }
        for (message, jobs) in messages.iter().take(shown) {
            let more = match jobs.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text += &format!("\n\nfailed: {}{more}\n  {message}", jobs[0].title);
        }
        if messages.len() > shown {
            let more = messages.len() - shown;
            text += &format!("\n\n{more} other messages; --failures shows them");
        }
        text
    }
}

fn rows_total(row: &Row) -> usize {
    row.done + row.running + row.failed + row.blocked + row.missing
}
