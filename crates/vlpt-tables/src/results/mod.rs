//! What was measured.

mod read;

use std::collections::BTreeSet;

use crate::{Column, Columns, Result, TablesError};

/// The measure of a table that names none: the task's own metric.
pub const SCORE: &str = "score";

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The data set.
    pub task: String,
    /// The method.
    pub method: String,
    /// The seed of training images and initial values.
    pub seed: u64,
    /// Training images a class, as the table spells it: `16`, `all`.
    pub shots: String,
    /// What the value is: `score` is the task's own metric, others are named in files.
    pub measure: String,
    /// The measure on the task's test images, in percent.
    pub value: f64,
    /// Seconds that the training took, where they were measured.
    pub seconds: Option<f64>,
}

/// Measured values, in the order of the file; one for each task, method, seed and number of shots.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    scores: Vec<Score>,
}

impl Results {
    /// Takes values that are each there once.
    ///
    /// # Errors
    /// What is there twice, in words.
    pub fn new(scores: Vec<Score>) -> std::result::Result<Self, String> {
        let mut seen = BTreeSet::new();
        for score in &scores {
            let key = (
                &score.task,
                &score.method,
                score.seed,
                &score.shots,
                &score.measure,
            );
            if !seen.insert(key) {
                let measure = match &*score.measure {
                    SCORE => String::new(),
                    other => format!(" ({other})"),
                };
                return Err(format!(
                    "{} with {}, seed {}, {} shots{measure} is there twice",
                    score.task, score.method, score.seed, score.shots
                ));
            }
        }
        Ok(Self { scores })
    }

    /// All values.
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// The tasks, in the order in which they first come.
    pub fn tasks(&self) -> Vec<&str> {
        firsts(self.scores.iter().map(|score| &*score.task))
    }

    /// The methods, in the order in which they first come.
    pub fn methods(&self) -> Vec<&str> {
        firsts(self.scores.iter().map(|score| &*score.method))
    }

    /// The numbers of shots, smallest first; words after numbers.
    pub fn shots(&self) -> Vec<&str> {
        let mut shots = firsts(self.scores.iter().map(|score| &*score.shots));
        shots.sort_by_key(|shots| (shots.parse::<u64>().unwrap_or(u64::MAX), *shots));
        shots
    }

    /// The values of one number of shots.
    ///
    /// # Errors
    /// [`TablesError::Choice`] where there is none.
    pub fn at(&self, shots: &str) -> Result<Self> {
        let scores: Vec<Score> = self
            .scores
            .iter()
            .filter(|s| s.shots == shots)
            .cloned()
            .collect();
        if scores.is_empty() {
            return Err(TablesError::Choice {
                what: format!("no result with {shots} shots"),
                hint: format!("there are results with {}", self.shots().join(", ")),
            });
        }
        Ok(Self { scores })
    }

    /// The measures, in the order in which they first come.
    pub fn measures(&self) -> Vec<&str> {
        firsts(self.scores.iter().map(|score| &*score.measure))
    }

    /// The values of one measure; none named: of the only one, or of [`SCORE`].
    ///
    /// # Errors
    /// [`TablesError::Choice`] where there is none, or several and none is the score.
    pub fn measured(&self, measure: Option<&str>) -> Result<Self> {
        let there = self.measures();
        let chosen = match (measure, &there[..]) {
            (Some(measure), _) => measure,
            (None, [only]) => only,
            (None, _) => SCORE,
        };
        if !there.contains(&chosen) {
            return Err(TablesError::Choice {
                what: match measure {
                    Some(measure) => format!("no result with the measure {measure}"),
                    None => "there are several measures".to_owned(),
                },
                hint: format!("choose with --measure one of {}", there.join(", ")),
            });
        }
        let own = |score: &&Score| score.measure == chosen;
        Ok(Self {
            scores: self.scores.iter().filter(own).cloned().collect(),
        })
    }

    /// The values of one method on one task, by seed.
    pub fn of<'a>(&'a self, method: &'a str, task: &'a str) -> impl Iterator<Item = &'a Score> {
        let own = move |score: &&Score| score.method == method && score.task == task;
        self.scores.iter().filter(own)
    }

    /// The values as columns, to be written as CSV and Parquet and read again.
    pub fn columns(&self) -> Columns {
        let scores = &self.scores;
        let text = |of: fn(&Score) -> &str| Column::text(scores.iter().map(of));
        let seeds = scores.iter().map(|score| score.seed as i64);
        let mut columns = vec![
            ("task", text(|score| &score.task)),
            ("method", text(|score| &score.method)),
            ("seed", Column::whole(seeds)),
            ("shots", text(|score| &score.shots)),
            ("measure", text(|score| &score.measure)),
            (
                "value",
                Column::number(scores.iter().map(|score| Some(score.value))),
            ),
        ];
        if scores.iter().any(|score| score.seconds.is_some()) {
            let seconds = scores.iter().map(|score| score.seconds);
            columns.push(("seconds", Column::number(seconds)));
        }
        Columns::new(columns)
    }

    /// Without some methods.
    #[must_use]
    pub fn without(&self, methods: &[String]) -> Self {
        let stays = |score: &&Score| !methods.contains(&score.method);
        Self {
            scores: self.scores.iter().filter(stays).cloned().collect(),
        }
    }
}

/// Each word once, where it first comes.
fn firsts<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    words.filter(|word| seen.insert(*word)).collect()
}
