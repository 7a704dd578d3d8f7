//! A comparison as tables.

use super::Comparison;
use crate::Table;
use crate::stats::{Summary, least_p, shown_p};

impl Comparison {
    /// A row for each method: its value on each task, the averages, and the average rank.
    pub fn values(&self) -> Table {
        let averages = self
            .averages
            .iter()
            .map(|average| match &average.without[..] {
                [] => format!("average of {}", average.tasks),
                without => format!("average without {}", without.join(", ")),
            });
        let mut head = self.head("method");
        head.extend(averages);
        if let Some(ranking) = &self.ranking {
            head.push(format!("rank over {}", ranking.tasks.len()));
        }
        let row = |(at, method): (usize, &String)| {
            let mut row = vec![method.clone()];
            row.extend(self.cells[at].iter().map(|value| cell(value.as_ref())));
            row.extend(
                self.averages
                    .iter()
                    .map(|average| cell(average.methods[at].as_ref())),
            );
            row.extend(
                self.ranking
                    .iter()
                    .map(|ranking| format!("{:.2}", ranking.ranks.average[at])),
            );
            row
        };
        Table {
            caption: self.caption(),
            head,
            rows: self.methods.iter().enumerate().map(row).collect(),
        }
    }

    /// A row for each method: mean seconds of a training on each task.
    pub fn seconds(&self) -> Table {
        let seconds = |value: &Option<f64>| match value {
            Some(value) if *value < 10.0 => format!("{value:.1}"),
            Some(value) => format!("{value:.0}"),
            None => "-".to_owned(),
        };
        let rows = self.methods.iter().zip(&self.seconds).map(|(method, row)| {
            let cells = row.iter().map(seconds);
            std::iter::once(method.clone()).chain(cells).collect()
        });
        Table {
            caption: format!(
                "Seconds of a training with {}, mean over seeds.",
                self.shots_in_words()
            ),
            head: self.head("seconds"),
            rows: rows.collect(),
        }
    }

    /// A row for each method that was tested against the reference.
    pub fn tests(&self) -> Table {
        let row = |pair: &super::Pair| {
            vec![
                pair.method.clone(),
                format!("{:+.1}", pair.difference),
                pair.tasks.to_string(),
                shown_p(pair.p),
                shown_p(pair.corrected),
            ]
        };
        let reference = self.pairs.first().map_or("", |pair| &pair.reference);
        let fewest = self.pairs.iter().map(|pair| pair.tasks).min().unwrap_or(0);
        let floor = least_p(fewest);
        let floor = if floor < 1e-4 {
            format!("{floor:.0e}")
        } else {
            format!("{floor:.4}")
        };
        Table {
            caption: format!(
                "Points above {reference} with {}, mean over n tasks; p of the paired permutation test over \
                 tasks, two-sided, and corrected by Holm's method for {} comparisons. With {fewest} tasks no p can \
                 be below {floor}.",
                self.shots_in_words(),
                self.pairs.len()
            ),
            head: ["method", "points", "n", "p", "p corrected"]
                .map(str::to_owned)
                .to_vec(),
            rows: self.pairs.iter().map(row).collect(),
        }
    }

    /// "1 shot", "16 shots".
    pub fn shots_in_words(&self) -> String {
        match self.shots.as_str() {
            "1" => "1 shot".to_owned(),
            several => format!("{several} shots"),
        }
    }

    fn head(&self, first: &str) -> Vec<String> {
        std::iter::once(first.to_owned())
            .chain(self.tasks.iter().cloned())
            .collect()
    }

    /// What the numbers are, and how many stand behind them.
    fn caption(&self) -> String {
        let counts = self.cells.iter().flatten().flatten().map(|cell| cell.count);
        let (fewest, most) =
            counts.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
        let seeds = if fewest == most {
            format!("{most}")
        } else {
            format!("{fewest} to {most}")
        };
        let mut text = format!(
            "Percent with {}; n = {} tasks, {seeds} seeds a cell; ± is half of Student's 95 % interval over seeds.",
            self.shots_in_words(),
            self.tasks.len()
        );
        if let Some(ranking) = &self.ranking {
            text += &format!(
                " Ranks are averages over the {} tasks that every method has",
                ranking.tasks.len()
            );
            text += &match ranking.ranks.critical_difference {
                Some(difference) => {
                    format!("; apart by {difference:.2} they differ (Nemenyi, 5 %).")
                }
                None => ".".to_owned(),
            };
        }
        text
    }
}

/// Mean and half of the interval, where there is one that is not 0.
fn cell(value: Option<&Summary>) -> String {
    let Some(value) = value else {
        return "-".to_owned();
    };
    match value.half() {
        Some(half) if half >= 0.05 => format!("{:.1} ± {half:.1}", value.mean),
        _ => format!("{:.1}", value.mean),
    }
}
