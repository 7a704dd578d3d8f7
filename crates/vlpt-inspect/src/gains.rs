//! Gains over zero-shot, read from a table of results.
//!
//! The table is a CSV with the columns `task`, `method`, `seed`, `shots`, `zero_shot` and `value`;
//! others are ignored. `zero_shot` and `value` are shares from 0 to 1, or all percentages; a table
//! with any of them above 1.5 is taken for percentages.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_methods::{Family, first_of};

use crate::{InspectError, Result};

/// The three families of the UPT paper, each by one method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Families {
    /// The method that stands for text prompts.
    pub text: String,
    /// The method that stands for visual prompts.
    pub visual: String,
    /// The method that stands for unified prompts.
    pub unified: String,
}

impl Default for Families {
    /// The first method of each family.
    fn default() -> Self {
        let first = |family| first_of(family).map_or_else(String::new, |spec| spec.name.to_owned());
        Self {
            text: first(Family::Text),
            visual: first(Family::Visual),
            unified: first(Family::Unified),
        }
    }
}

impl Families {
    /// Names of the families with their methods, text first.
    pub fn named(&self) -> [(&'static str, &str); 3] {
        [
            ("text", &self.text),
            ("visual", &self.visual),
            ("unified", &self.unified),
        ]
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Row {
    task: String,
    method: String,
    shots: String,
    zero_shot: f64,
    value: f64,
}

/// The gain of a method on a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// Number of rows, one a seed.
    pub seeds: usize,
    /// Mean over the seeds of value - zero-shot, in points of a percent.
    pub points: f64,
}

/// Gains by task and method at one number of shots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gains {
    /// The number of shots, as the table spells it.
    pub shots: String,
    by_task: BTreeMap<String, BTreeMap<String, Gain>>,
}

impl Gains {
    /// Reads a table; with several numbers of shots in it, `shots` says which one counts.
    ///
    /// # Errors
    /// [`InspectError::Results`]: a file that cannot be read, lacks a column, has a cell that is no
    /// number or no row for those shots, or several numbers of shots and none chosen.
    pub fn read(path: &Path, shots: Option<&str>) -> Result<Self> {
        let wrong = |what: String, hint: &str| InspectError::Results {
            path: path.to_owned(),
            what,
            hint: Some(hint.to_owned()),
        };
        let layout = "expected the columns task, method, seed, shots, zero_shot, value";
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|e| wrong(format!("cannot be read: {e}"), "check the path"))?;
        let rows: Vec<Row> = reader
            .deserialize()
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| wrong(e.to_string(), layout))?;
        if let Some(row) = rows
            .iter()
            .find(|r| !(r.zero_shot.is_finite() && r.value.is_finite()))
        {
            let what = format!("{} with {}: a value is not finite", row.task, row.method);
            return Err(wrong(what, "leave out runs that have no result"));
        }
        let mut known: Vec<&str> = rows.iter().map(|row| &*row.shots).collect();
        known.sort_unstable();
        known.dedup();
        let shots = match (shots, &known[..]) {
            (_, []) => return Err(wrong("has no rows".to_owned(), layout)),
            (Some(shots), known) if known.contains(&shots) => shots,
            (None, [only]) => only,
            (given, known) => {
                let found = known.join(", ");
                let what = match given {
                    Some(given) => format!("has no rows with {given} shots, but with {found}"),
                    None => format!("has rows with different shots: {found}"),
                };
                return Err(wrong(what, "say which ones count with --shots"));
            }
        };
        let percent = rows.iter().any(|r| r.zero_shot > 1.5 || r.value > 1.5);
        let scale = if percent { 1.0 } else { 100.0 };
        let mut all: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.shots == shots) {
            let of_task = all.entry(plain(&row.task)).or_default();
            let gains = of_task.entry(row.method.clone()).or_default();
            gains.push(scale * (row.value - row.zero_shot));
        }
        let mean = |gains: Vec<f64>| Gain {
            seeds: gains.len(),
            points: gains.iter().sum::<f64>() / gains.len() as f64,
        };
        let means = |of_task: BTreeMap<String, Vec<f64>>| {
            let pairs = of_task.into_iter();
            pairs.map(|(method, gains)| (method, mean(gains))).collect()
        };
        let by_task = all.into_iter().map(|(task, of)| (task, means(of)));
        Ok(Self {
            shots: shots.to_owned(),
            by_task: by_task.collect(),
        })
    }

    /// The gain of a method on a task, whose name is compared without case and punctuation.
    pub fn get(&self, task: &str, method: &str) -> Option<&Gain> {
        self.by_task.get(&plain(task))?.get(method)
    }

    /// All methods of the table.
    pub fn methods(&self) -> Vec<&str> {
        let mut methods: Vec<&str> = self
            .by_task
            .values()
            .flat_map(|of| of.keys().map(|m| &**m))
            .collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// Letters and digits alone, in lower case.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "task,method,seed,shots,zero_shot,value,note\n";

    fn read(rows: &str, shots: Option<&str>) -> Result<Gains> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        std::fs::write(&path, format!("{HEAD}{rows}")).unwrap();
        Gains::read(&path, shots)
    }

    #[test]
    fn a_gain_is_the_mean_over_seeds_in_points() {
        let rows = "EuroSAT, coop, 0, 16, 0.25, 0.5, x\nEuroSAT, coop, 1, 16, 0.25, 0.75, y\n";
        let gains = read(rows, None).unwrap();
        let gain = gains.get("euro-sat", "coop").unwrap();
        assert_eq!((gain.seeds, gain.points), (2, 37.5));
        assert_eq!(gains.get("eurosat", "vpt"), None);
        assert_eq!(
            (gains.shots.as_str(), gains.methods()),
            ("16", vec!["coop"])
        );
    }

    #[test]
    fn percentages_are_points_as_they_are() {
        let gains = read("a,coop,0,16,1.0,40.5,\na,vpt,0,16,1.0,0.5,\n", None).unwrap();
        assert_eq!(gains.get("a", "coop").unwrap().points, 39.5);
        assert_eq!(gains.get("a", "vpt").unwrap().points, -0.5);
    }

    #[test]
    fn one_number_of_shots_has_to_be_chosen() {
        let rows = "a,coop,0,1,0.1,0.2,\na,coop,0,16,0.1,0.4,\n";
        let error = read(rows, None).unwrap_err();
        assert!(error.to_string().contains("different shots: 1, 16"));
        assert!(error.hint().unwrap().contains("--shots"));
        let gains = read(rows, Some("16")).unwrap();
        assert!((gains.get("a", "coop").unwrap().points - 30.0).abs() < 1e-9);
        let error = read(rows, Some("4")).unwrap_err().to_string();
        assert!(error.contains("no rows with 4 shots"), "{error}");
    }

    #[test]
    fn a_table_that_cannot_be_used_is_refused() {
        assert!(read("", None).is_err());
        assert!(read("a,coop,0,16,NaN,0.2,\n", None).is_err());
        assert!(read("a,coop,0,16,zero,0.2,\n", None).is_err());
        let absent = Gains::read(Path::new("absent.csv"), None).unwrap_err();
        assert!(absent.to_string().contains("absent.csv"));
    }
}
