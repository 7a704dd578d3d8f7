//! A table of columns, as CSV and, with the feature `parquet`, as Parquet.

use std::path::Path;

use crate::{Result, StudyError};

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    Text(Vec<String>),
    Whole(Vec<i64>),
    /// `None`: an empty field in CSV, a null in Parquet.
    Number(Vec<Option<f64>>),
}

impl Column {
    pub(crate) fn text<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        Self::Text(values.map(str::to_owned).collect())
    }

    pub(crate) fn whole(values: impl Iterator<Item = i64>) -> Self {
        Self::Whole(values.collect())
    }

    pub(crate) fn number(values: impl Iterator<Item = Option<f64>>) -> Self {
        Self::Number(values.collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Whole(values) => values.len(),
            Self::Number(values) => values.len(),
        }
    }

    /// The field in CSV: numbers in the shortest form that reads back as the same number.
    fn field(&self, row: usize) -> String {
        match self {
            Self::Text(values) => values[row].clone(),
            Self::Whole(values) => values[row].to_string(),
            Self::Number(values) => values[row].map_or_else(String::new, |v| v.to_string()),
        }
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(super) columns: Vec<(&'static str, Column)>,
}

impl Table {
    pub(crate) fn new(columns: Vec<(&'static str, Column)>) -> Self {
        debug_assert!(
            columns
                .windows(2)
                .all(|pair| pair[0].1.len() == pair[1].1.len())
        );
        Self { columns }
    }

    /// The table as CSV; `path` is named in errors.
    pub(crate) fn to_csv(&self, path: &Path) -> Result<String> {
        let failed = |what: String| StudyError::Table {
            path: path.to_owned(),
            what,
        };
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self.columns.first().map_or(0, |(_, column)| column.len());
        writer
            .write_record(self.columns.iter().map(|(name, _)| *name))
            .map_err(|e| failed(e.to_string()))?;
        for row in 0..rows {
            writer
                .write_record(self.columns.iter().map(|(_, column)| column.field(row)))
                .map_err(|e| failed(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(vec![
            ("name", Column::text(["a,b", "c"].into_iter())),
            ("count", Column::whole([1, -2].into_iter())),
            ("score", Column::number([Some(0.1), None].into_iter())),
        ])
    }

    #[test]
    fn csv_quotes_what_needs_it_and_leaves_missing_numbers_empty() {
        let text = table().to_csv(Path::new("t.csv")).unwrap();
        assert_eq!(text, "name,count,score\n\"a,b\",1,0.1\nc,-2,\n");
    }
}
