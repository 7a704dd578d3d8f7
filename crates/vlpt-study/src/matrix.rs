//! A table of numbers between named tasks.

use serde::{Deserialize, Serialize};

use crate::{Result, StudyError};

/// Numbers between tasks: a row for each source, a column for each target. What is missing is not
/// a number (NaN) in here, `null` in JSON, and an empty field in tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskMatrix {
    rows: Vec<String>,
    columns: Vec<String>,
    #[serde(with = "nullable")]
    values: Vec<f64>,
}

impl TaskMatrix {
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

impl TaskMatrix {
    /// The matrix as CSV: a column `source`, then a column for each target; what is missing is
    /// empty.
    ///
    /// # Errors
    /// None in practice: the text is made in memory.
    pub fn to_csv(&self) -> Result<String> {
        let failed = |what: String| table_error("matrix", what);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = std::iter::once("source").chain(self.columns.iter().map(String::as_str));
        writer
            .write_record(head)
            .map_err(|e| failed(e.to_string()))?;
        for (i, row) in self.rows.iter().enumerate() {
            let values = (0..self.columns.len())
                .map(|j| self.get(i, j).map_or_else(String::new, |v| v.to_string()));
            writer
                .write_record(std::iter::once(row.clone()).chain(values))
                .map_err(|e| failed(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
    }

    /// Reads what [`TaskMatrix::to_csv`] writes; `name` is named in errors.
    ///
    /// # Errors
    /// No matrix of names and numbers.
    pub fn from_csv(text: &str, name: &str) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let head = reader
            .headers()
            .map_err(|e| table_error(name, e.to_string()))?;
        let columns: Vec<String> = head.iter().skip(1).map(str::to_owned).collect();
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|e| table_error(name, e.to_string()))?;
            let row = record.get(0).unwrap_or_default().to_owned();
            for (field, column) in record.iter().skip(1).zip(&columns) {
                let value = match field.trim() {
                    "" => Ok(f64::NAN),
                    number => number.parse(),
                };
                values.push(value.map_err(|_| {
                    let place = format!("row \"{row}\", column \"{column}\"");
                    table_error(
                        name,
                        format!("{place}: found \"{field}\", expected a number"),
                    )
                })?);
            }
            rows.push(row);
        }
        Self::new(rows, columns, values)
    }
}

fn table_error(name: &str, what: String) -> StudyError {
    StudyError::Table {
        path: name.into(),
        what,
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
        let matrix = TaskMatrix::new(names.clone(), names, vec![1.0, f64::NAN, 0.1, 4.0]).unwrap();
        let json = serde_json::to_string(&matrix).unwrap();
        assert!(json.contains("[1.0,null,0.1,4.0]"), "{json}");
        let again: TaskMatrix = serde_json::from_str(&json).unwrap();
        assert_eq!(again.between("a", "b"), None);
        assert_eq!(again.between("b", "a"), Some(0.1));
        assert_eq!(again.get(0, 2), None, "beyond the last column");
    }

    #[test]
    fn a_matrix_comes_back_from_csv() {
        let rows = vec!["a,b".to_owned(), "c".to_owned()];
        let columns = vec!["x".to_owned(), "y".to_owned()];
        let matrix = TaskMatrix::new(rows, columns, vec![0.1, f64::NAN, -3.0, 4e-20]).unwrap();
        let text = matrix.to_csv().unwrap();
        assert_eq!(text.lines().nth(1), Some("\"a,b\",0.1,"));
        let again = TaskMatrix::from_csv(&text, "t.csv").unwrap();
        assert_eq!(again.to_csv().unwrap(), text);
        let error = TaskMatrix::from_csv("source,x\na,one\n", "t.csv").unwrap_err();
        let expected = "t.csv: row \"a\", column \"x\": found \"one\"";
        assert!(error.to_string().contains(expected), "{error}");
    }
}
