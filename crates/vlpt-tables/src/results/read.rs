//! Results out of CSV files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Results, SCORE, Score};
use crate::{Result, TablesError};

const COLUMNS: &str = "expected the columns task, method, seed, shots, value (percent, or shares \
                       from 0 to 1, of a measure), and seconds and measure where there are several; others are ignored";
#[derive(Debug, Deserialize)]
struct Row {
    task: String,
    method: String,
    seed: u64,
    shots: String,
    value: f64,
    seconds: Option<f64>,
    measure: Option<String>,
}

impl Results {
    /// Reads a CSV with the columns `task`, `method`, `seed`, `shots` and `value`; `seconds` and
    /// `measure` may be there too. Values are percentages, or, where all of a measure lie from 0 to 1, shares.
    ///
    /// # Errors
    /// [`TablesError::File`]: a file that cannot be read, lacks a column, has no row, a cell that is no
    /// finite number, an empty name, or the same measurement twice; with the line.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |what: String, hint: &str| TablesError::File {
            path: path.to_owned(),
            what,
            hint: hint.to_owned(),
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|e| wrong(format!("cannot be read: {e}"), "check the path"))?;
        let mut scores = Vec::new();
        let unread = |error: csv::Error| wrong(error.to_string(), COLUMNS);
        let head = reader.headers().map_err(unread)?.clone();
        for record in reader.records() {
            let record = record.map_err(unread)?;
            let line = record.position().map_or(0, csv::Position::line);
            let row: Row = record.deserialize(Some(&head)).map_err(unread)?;
            if row.task.is_empty() || row.method.is_empty() || row.shots.is_empty() {
                return Err(wrong(
                    format!("line {line}: a name or the shots are empty"),
                    COLUMNS,
                ));
            }
            if !row.value.is_finite() || row.seconds.is_some_and(|s| !s.is_finite()) {
                let what = format!("line {line}: a value is not finite");
                return Err(wrong(what, "leave out runs that have no result"));
            }
            scores.push(Score {
                task: row.task,
                method: row.method,
                seed: row.seed,
                shots: row.shots,
                measure: row
                    .measure
                    .filter(|m| !m.is_empty())
                    .unwrap_or_else(|| SCORE.to_owned()),
                value: row.value,
                seconds: row.seconds,
            });
        }
        if scores.is_empty() {
            return Err(wrong("has no rows".to_owned(), COLUMNS));
        }
        let mut shares: BTreeMap<String, bool> = BTreeMap::new();
        for Score { measure, value, .. } in &scores {
            let all = shares.entry(measure.clone()).or_insert(true);
            *all &= (0.0..=1.0).contains(value);
        }
        for score in scores.iter_mut().filter(|score| shares[&score.measure]) {
            score.value *= 100.0;
        }
        Self::new(scores).map_err(|what| wrong(what, "keep one line for each measurement"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Results> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("results.csv");
        std::fs::write(&path, text).expect("a file");
        Results::read(&path)
    }

    #[test]
    fn shares_become_percentages_and_order_is_kept() {
        let results = read(
            "task,method,seed,shots,zero_shot,value,seconds\nb,m,0,16,0.1,0.5,2\na,m,0,2,0.1,1.0,\n",
        )
        .expect("a table");
        assert_eq!(results.tasks(), ["b", "a"]);
        assert_eq!(results.shots(), ["2", "16"]);
        let values: Vec<_> = results
            .scores()
            .iter()
            .map(|s| (s.value, s.seconds))
            .collect();
        assert_eq!(values, [(50.0, Some(2.0)), (100.0, None)]);
    }

    #[test]
    fn each_measure_has_a_unit_of_its_own() {
        let results = read(
            "task,method,seed,shots,measure,value\na,m,0,16,accuracy,0.85\na,n,0,16,accuracy,1\n\
             a,m,0,16,nll,2.3\na,n,0,16,nll,0.4\na,m,0,16,ece,1.2\n",
        )
        .expect("a table");
        let values: Vec<f64> = results.scores().iter().map(|score| score.value).collect();
        assert_eq!(values, [85.0, 100.0, 2.3, 0.4, 1.2]);
    }

    #[test]
    fn what_cannot_be_a_result_is_refused_with_its_line() {
        let head = "task,method,seed,shots,value\n";
        for (rows, what) in [
            ("a,m,0,16,nan\n", "line 2: a value is not finite"),
            (",m,0,16,1\n", "line 2: a name or the shots are empty"),
            (
                "\"a\nb\",m,0,16,1\na,m,1,,1\n",
                "line 4: a name or the shots are empty",
            ),
            (
                "a,m,0,16,1\na,m,0,16,2\n",
                "a with m, seed 0, 16 shots is there twice",
            ),
            ("a,m,x,16,1\n", "line: 2"),
            ("", "has no rows"),
        ] {
            let error = read(&format!("{head}{rows}")).expect_err(rows);
            assert!(error.to_string().contains(what), "{error}");
            assert!(error.hint().is_some());
        }
        let error = read("task,method,value\na,m,1\n").expect_err("columns are missing");
        assert!(error.hint().expect("a hint").contains("seed"), "{error}");
    }
}
