//! A table of numbers between named tasks.

use serde::{Deserialize, Serialize};

use crate::{Result, StudyError};

/// Numbers between tasks: a row for each source, a column for each target. What is missing is not
/// a number (NaN) in here, `null` in JSON, and an empty field in tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    rows: Vec<String>,
    columns: Vec<String>,
    #[serde(with = "nullable")]
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of `rows.len() * columns.len()` values, row after row.
    ///
    /// # Errors
    /// Another number of values.
    pub fn new(rows: Vec<String>, columns: Vec<String>, values: Vec<f64>) -> Result<Self> {
        if rows.len() * columns.len() == values.len() {
            return Ok(Self {
                rows,
                columns,
                values,
            });
        }
        Err(StudyError::numbers(
            "matrix",
            format!("{} values", values.len()),
            format!("{} rows of {}", rows.len(), columns.len()),
        ))
    }

    /// A matrix whose values are made from the places of its row and column.
    pub fn from_fn(
        rows: Vec<String>,
        columns: Vec<String>,
        mut value: impl FnMut(usize, usize) -> f64,
    ) -> Self {
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for i in 0..rows.len() {
            values.extend((0..columns.len()).map(|j| value(i, j)));
        }
        Self {
            rows,
            columns,
            values,
        }
    }

    /// Names of the rows: sources.
    pub fn rows(&self) -> &[String] {
        &self.rows
    }

    /// Names of the columns: targets.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// All values, row after row; NaN where missing.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value at a place, if it is there.
    pub fn get(&self, row: usize, column: usize) -> Option<f64> {
        if column >= self.columns.len() {
            return None;
        }
        let value = *self.values.get(row * self.columns.len() + column)?;
        (!value.is_nan()).then_some(value)
    }

    /// The value between two tasks, if it is there.
    pub fn between(&self, row: &str, column: &str) -> Option<f64> {
        let i = self.rows.iter().position(|name| name == row)?;
        let j = self.columns.iter().position(|name| name == column)?;
        self.get(i, j)
    }
}

/// NaN as `null`: JSON has no other way to say it.
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        let values: Vec<_> = values.iter().map(|v| (!v.is_nan()).then_some(v)).collect();
        values.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(from)?;
        Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stays_missing_through_json() {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let matrix = Matrix::new(names.clone(), names, vec![1.0, f64::NAN, 0.1, 4.0]).unwrap();
        let json = serde_json::to_string(&matrix).unwrap();
        assert!(json.contains("[1.0,null,0.1,4.0]"), "{json}");
        let again: Matrix = serde_json::from_str(&json).unwrap();
        assert_eq!(again.between("a", "b"), None);
        assert_eq!(again.between("b", "a"), Some(0.1));
        assert_eq!(again.get(0, 2), None, "beyond the last column");
    }
}
