//! Runs compared image by image, on the same test images.

mod read;

use std::collections::BTreeMap;

use serde::Serialize;
use vlpt_base::random::Stream;
use vlpt_base::stats::percentile;

use crate::stats::{holm, permutation_test, shown_p};
use crate::{Result, Table, TablesError};

/// Confidence of intervals.
const LEVEL: f64 = 0.95;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;

/// Which test images a run answered right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The run.
    pub name: String,
    /// Whether each image's answer is right, by the image's name.
    pub right: BTreeMap<String, bool>,
}

/// Runs side by side on the same images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswersComparison {
    /// Number of images that every run answered.
    pub images: usize,
    /// The runs.
    pub runs: Vec<RunAccuracy>,
    /// Every pair of runs, or every run with the reference.
    pub pairs: Vec<RunPair>,
}

/// Accuracy of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunAccuracy {
    /// The run.
    pub name: String,
    /// In percent.
    pub accuracy: f64,
    /// Ends of the bootstrap interval over images, in percent.
    pub interval: (f64, f64),
}

/// Two runs on the same images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPair {
    /// The run.
    pub run: String,
    /// What it is compared with.
    pub reference: String,
    /// Images that it alone has right, and the reference alone.
    pub alone: (usize, usize),
    /// Difference of their accuracies, in points.
    pub difference: f64,
    /// Ends of the paired bootstrap interval over images, in points.
    pub interval: (f64, f64),
    /// Two-sided p of the paired permutation test over images, which is the exact McNemar test.
    pub p: f64,
    /// The same, corrected by Holm's method for all pairs.
    pub corrected: f64,
}

impl AnswersComparison {
    /// Compares runs on the images that all of them answered. `reference` is the run that others are compared
    /// with; none: every pair.
    ///
    /// # Errors
    /// Fewer than two runs, two of one name, no image in common, or images that some lack: runs on different
    /// images are not paired.
    pub fn new(runs: &[Answers], reference: Option<&str>) -> Result<Self> {
        check(runs, reference)?;
        let right: Vec<Vec<bool>> = runs
            .iter()
            .map(|run| run.right.values().copied().collect())
            .collect();
        let images = right[0].len();
        let mut draws = Draws::new(runs.len());
        let mut stream = Stream::new(0, "tables.answers");
        for _ in 0..RESAMPLES {
            draws.add(&right, &mut stream);
        }
        let share = |run: &[bool]| percent(run.iter().filter(|&&r| r).count(), images);
        let scores = runs.iter().zip(&right).enumerate();
        let scores = scores.map(|(at, (run, right))| RunAccuracy {
            name: run.name.clone(),
            accuracy: share(right),
            interval: draws.interval(|accuracies| accuracies[at]),
        });
        let mut pairs = Vec::new();
        for (a, run) in runs.iter().enumerate() {
            for (b, other) in runs.iter().enumerate() {
                let wanted = match reference {
                    Some(reference) => other.name == reference && a != b,
                    None => b < a,
                };
                if !wanted {
                    continue;
                }
                let both = right[a].iter().zip(&right[b]);
                let differences: Vec<f64> = both
                    .map(|(a, b)| f64::from(u8::from(*a)) - f64::from(u8::from(*b)))
                    .collect();
                let test = permutation_test(&differences, 0);
                let count = |sign: f64| differences.iter().filter(|&&d| d == sign).count();
                pairs.push(RunPair {
                    run: run.name.clone(),
                    reference: other.name.clone(),
                    alone: (count(1.0), count(-1.0)),
                    difference: share(&right[a]) - share(&right[b]),
                    interval: draws.interval(|accuracies| accuracies[a] - accuracies[b]),
                    p: test.map_or(1.0, |test| test.p),
                    corrected: 1.0,
                });
            }
        }
        let corrected = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
        for (pair, p) in pairs.iter_mut().zip(corrected) {
            pair.corrected = p;
        }
        Ok(Self {
            images,
            runs: scores.collect(),
            pairs,
        })
    }

    /// A row for each run.
    pub fn accuracies(&self) -> Table {
        let row = |run: &RunAccuracy| {
            let (low, high) = run.interval;
            vec![
                run.name.clone(),
                format!("{:.2}", run.accuracy),
                format!("{low:.2}"),
                format!("{high:.2}"),
            ]
        };
        Table {
            caption: format!(
                "Accuracy in percent on n = {} test images; ends of the 95 % bootstrap interval over images.",
                self.images
            ),
            head: ["run", "accuracy", "low", "high"]
                .map(str::to_owned)
                .to_vec(),
            rows: self.runs.iter().map(row).collect(),
        }
    }

    /// A row for each pair.
    pub fn tests(&self) -> Table {
        let row = |pair: &RunPair| {
            let (low, high) = pair.interval;
            vec![
                format!("{} - {}", pair.run, pair.reference),
                format!("{:+.2}", pair.difference),
                format!("{low:+.2}"),
                format!("{high:+.2}"),
                format!("{} / {}", pair.alone.0, pair.alone.1),
                shown_p(pair.p),
                shown_p(pair.corrected),
            ]
        };
        Table {
            caption: format!(
                "Points of the first run above the second on n = {} test images, with the paired 95 % bootstrap interval \
                 over images; images that one of them alone has right; p of the paired permutation test over images \
                 (exact McNemar test), two-sided, and corrected by Holm's method for {} comparisons. One training of \
                 each: the scatter over seeds is not in it.",
                self.images,
                self.pairs.len()
            ),
            head: [
                "runs",
                "points",
                "low",
                "high",
                "alone right",
                "p",
                "p corrected",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: self.pairs.iter().map(row).collect(),
        }
    }
}

fn percent(count: usize, of: usize) -> f64 {
    100.0 * count as f64 / of as f64
}

fn check(runs: &[Answers], reference: Option<&str>) -> Result<()> {
    let refuse = |what: String, hint: &str| {
        Err(TablesError::Choice {
            what,
            hint: hint.to_owned(),
        })
    };
    let [first, others @ ..] = runs else {
        return refuse("no run to compare".to_owned(), "name two or more");
    };
    if others.is_empty() {
        return refuse(
            format!("{} alone", first.name),
            "name another run to compare it with",
        );
    }
    for (at, run) in runs.iter().enumerate() {
        if runs[..at].iter().any(|known| known.name == run.name) {
            return refuse(
                format!("two runs are called {}", run.name),
                "name each once",
            );
        }
        let missing = first
            .right
            .keys()
            .filter(|image| !run.right.contains_key(*image));
        let more = run
            .right
            .keys()
            .filter(|image| !first.right.contains_key(*image));
        let (missing, more) = (missing.count(), more.count());
        if missing + more > 0 {
            return refuse(
                format!(
                    "{} answered other images than {}: {missing} are missing, {more} more are there",
                    run.name, first.name
                ),
                "compare runs on the same test images",
            );
        }
    }
    if first.right.is_empty() {
        return refuse(
            format!("{} answered no image", first.name),
            "evaluate it on test images",
        );
    }
    match reference {
        Some(name) if runs.iter().all(|run| run.name != name) => refuse(
            format!("no run is called {name}"),
            "name one as the table of runs does",
        ),
        _ => Ok(()),
    }
}

/// Accuracies of every run on resampled images.
struct Draws(Vec<Vec<f64>>);

impl Draws {
    fn new(runs: usize) -> Self {
        Self(Vec::with_capacity(runs))
    }

    /// One draw with replacement, the same for all runs.
    fn add(&mut self, right: &[Vec<bool>], stream: &mut Stream) {
        let images = right[0].len();
        let mut counts = vec![0_usize; right.len()];
        for _ in 0..images {
            // the high half of a product: even enough for any number of images
            let image = ((u128::from(stream.next_u64()) * images as u128) >> 64) as usize;
            for (count, right) in counts.iter_mut().zip(right) {
                *count += usize::from(right[image]);
            }
        }
        self.0
            .push(counts.iter().map(|&count| percent(count, images)).collect());
    }

    fn interval(&self, of: impl Fn(&[f64]) -> f64) -> (f64, f64) {
        let mut values: Vec<f64> = self.0.iter().map(|draw| of(draw)).collect();
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - LEVEL) / 2.0;
        (percentile(&values, tail), percentile(&values, 1.0 - tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, right: impl Fn(usize) -> bool) -> Answers {
        Answers {
            name: name.to_owned(),
            right: (0..200).map(|i| (format!("{i:03}"), right(i))).collect(),
        }
    }

    #[test]
    fn runs_are_compared_on_the_same_images() {
        // a has 15 right that b has wrong, b has 5 that a has wrong
        let a = run("a", |i| i < 150);
        let b = run("b", |i| (i < 135) || (150..155).contains(&i));
        let found = AnswersComparison::new(&[b, a], None).expect("two runs");
        let [pair] = &found.pairs[..] else {
            panic!("one pair")
        };
        assert_eq!((&*pair.run, pair.alone), ("a", (15, 5)));
        assert!((pair.difference - 5.0).abs() < 1e-12);
        // scipy.stats.binomtest(15, 20).pvalue
        assert!(
            (pair.p - 0.041_389_465_332_031_25).abs() < 1e-9,
            "{}",
            pair.p
        );
        assert!(
            pair.interval.0 > 0.0 && pair.interval.1 < 11.0,
            "{:?}",
            pair.interval
        );
        // the paired interval is narrower than what two unpaired ones would say
        let of = |at: usize| found.runs[at].interval.1 - found.runs[at].interval.0;
        assert!(pair.interval.1 - pair.interval.0 < of(0) + of(1));
        assert_eq!(found.runs[1].accuracy, 75.0);
        assert_eq!(found.tests().rows.len(), 1);
    }

    #[test]
    fn equal_runs_differ_in_nothing_and_other_images_are_refused() {
        let same = [
            run("a", |i| i % 3 > 0),
            run("b", |i| i % 3 > 0),
            run("c", |_| true),
        ];
        let found = AnswersComparison::new(&same, Some("a")).expect("three runs");
        assert_eq!(found.pairs.len(), 2);
        assert_eq!(
            (found.pairs[0].p, found.pairs[0].interval),
            (1.0, (0.0, 0.0))
        );
        assert!(found.pairs[1].corrected < 1e-9);
        let mut other = run("d", |_| true);
        other.right.remove("007");
        let error =
            AnswersComparison::new(&[run("a", |_| true), other], None).expect_err("other images");
        assert!(
            error.to_string().contains("1 are missing, 0 more"),
            "{error}"
        );
        assert!(AnswersComparison::new(&same[..1], None).is_err());
        assert!(AnswersComparison::new(&same, Some("x")).is_err());
    }
}
