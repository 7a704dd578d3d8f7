//! What the demo prints: numbers for programs, tables for people.

use std::path::PathBuf;

use serde::Serialize;
use vlpt_report::{TaskResult, TaskSection};

use super::mean;
use super::together::{Target, Together};
use crate::console::table;

/// What the demo measured, as `--json` prints it; shares are from 0 to 1.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    tasks: Vec<Row>,
    mean_zero_shot: f64,
    mean_tuned: f64,
    /// The tasks together; absent with one task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) together: Option<Together>,
    pub(super) report: PathBuf,
}

#[derive(Debug, Serialize)]
struct Row {
    task: String,
    classes: usize,
    test_images: usize,
    zero_shot: f64,
    tuned: f64,
    low: f64,
    high: f64,
}

impl Row {
    fn of(result: &TaskResult) -> Self {
        Self {
            task: result.name.clone(),
            classes: result.classes,
            test_images: result.images,
            zero_shot: result.zero_shot.value,
            tuned: result.tuned.value,
            low: result.tuned.low,
            high: result.tuned.high,
        }
    }
}

impl Measured {
    pub(super) fn of(tasks: &[TaskSection], together: Option<Together>, report: PathBuf) -> Self {
        let results = || tasks.iter().map(|section| &section.result);
        Self {
            mean_zero_shot: mean(results().map(|r| r.zero_shot.value)),
            mean_tuned: mean(results().map(|r| r.tuned.value)),
            tasks: results().map(Row::of).collect(),
            together,
            report,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut rows: Vec<Vec<String>> = self
            .tasks
            .iter()
            .map(|row| {
                vec![
                    row.task.clone(),
                    row.classes.to_string(),
                    share(row.zero_shot),
                    share(row.tuned),
                    format!("{} to {}", share(row.low), share(row.high)),
                    points(row.tuned - row.zero_shot),
                ]
            })
            .collect();
        rows.push(vec![
            "mean".to_owned(),
            String::new(),
            share(self.mean_zero_shot),
            share(self.mean_tuned),
            String::new(),
            points(self.mean_tuned - self.mean_zero_shot),
        ]);
        let header = [
            "task",
            "classes",
            "zero-shot %",
            "tuned %",
            "95 % interval",
            "gain",
        ];
        let mut parts = vec![table(&header, &rows)];
        if let Some(together) = &self.together {
            parts.extend([
                together.told_of_targets(),
                together.targets_table(),
                together.verdict(),
                together.told_of_matrix(),
                together.matrix.table(),
                together.matrix.verdict(),
            ]);
        }
        let mut end = format!("report: {}", self.report.display());
        if let Some(together) = &self.together {
            end += &format!("\nstudy:  {}", together.study.display());
        }
        parts.push(end);
        let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
        parts.join("\n\n")
    }
}

impl Together {
    fn targets_table(&self) -> String {
        let row = |target: &Target| {
            let gain = target.gain.interval;
            vec![
                target.task.clone(),
                share(target.zero_shot),
                share(target.source),
                share(target.scratch.mean),
                share(target.adapted.mean),
                points(target.gain.mean),
                gain.map_or_else(String::new, |(low, high)| {
                    format!("{} to {}", points(low), points(high))
                }),
            ]
        };
        let rows: Vec<Vec<String>> = self.targets.iter().map(row).collect();
        let header = [
            "task",
            "zero-shot %",
            "source prompt %",
            "from scratch %",
            "from the source prompt %",
            "gain",
            "95 % interval",
        ];
        table(&header, &rows)
    }
}

impl super::together::Scores {
    fn table(&self) -> String {
        let mut header = vec!["learned on"];
        header.extend(self.tasks.iter().map(String::as_str));
        let rows = self.tasks.iter().zip(&self.rows).map(|(task, row)| {
            let cells = row
                .iter()
                .map(|score| score.map_or_else(|| "-".to_owned(), share));
            std::iter::once(task.clone()).chain(cells).collect()
        });
        table(&header, &rows.collect::<Vec<_>>())
    }
}

/// A share in per cent.
pub(super) fn share(value: f64) -> String {
    format!("{:.1}", 100.0 * value)
}

/// A difference of shares in points.
pub(super) fn points(value: f64) -> String {
    format!("{:+.1}", 100.0 * value)
}
