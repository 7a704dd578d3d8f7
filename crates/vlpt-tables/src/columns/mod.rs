//! Named columns of plain values, as CSV and, with the feature `parquet`, as Parquet: for programs to read
//! on, where a [`Table`](crate::Table) is for people.

#[cfg(feature = "parquet")]
mod parquet;

use std::path::{Path, PathBuf};

use vlpt_base::files::write_atomic;

use crate::{Result, TablesError};

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts.
    Text(Vec<String>),
    /// Whole numbers.
    Whole(Vec<i64>),
    /// `None`: an empty field in CSV, a null in Parquet.
    Number(Vec<Option<f64>>),
}

impl Column {
    /// Texts.
    pub fn text<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        Self::Text(values.map(str::to_owned).collect())
    }

    /// Whole numbers.
    pub fn whole(values: impl Iterator<Item = i64>) -> Self {
        Self::Whole(values.collect())
    }

    /// Numbers, some of which may be missing.
    pub fn number(values: impl Iterator<Item = Option<f64>>) -> Self {
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
pub struct Columns {
    pub(crate) columns: Vec<(&'static str, Column)>,
}

impl Columns {
    /// These columns.
    pub fn new(columns: Vec<(&'static str, Column)>) -> Self {
        debug_assert!(
            columns
                .windows(2)
                .all(|pair| pair[0].1.len() == pair[1].1.len())
        );
        Self { columns }
    }

    /// The columns as CSV; `path` is named in errors.
    ///
    /// # Errors
    /// What the writer refuses.
    pub fn to_csv(&self, path: &Path) -> Result<String> {
        let failed = |what: String| TablesError::File {
            path: path.to_owned(),
            what,
            hint: "this is a fault of the program".to_owned(),
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

    /// The columns as Parquet; `path` is named in errors.
    ///
    /// # Errors
    /// What the writer refuses.
    #[cfg(feature = "parquet")]
    pub fn to_parquet(&self, path: &Path) -> Result<Vec<u8>> {
        parquet::bytes(self, path)
    }

    /// Writes `NAME.csv` into a folder, and `NAME.parquet` where the feature `parquet` is built in; gives the
    /// paths.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
        let put = |path: &Path, bytes: &[u8]| {
            write_atomic(path, bytes).map_err(|error| TablesError::File {
                path: path.to_owned(),
                what: format!("cannot be written: {error}"),
                hint: "check that the folder is there and can be written".to_owned(),
            })
        };
        let path = folder.join(format!("{name}.csv"));
        put(&path, self.to_csv(&path)?.as_bytes())?;
        #[cfg_attr(
            not(feature = "parquet"),
            expect(unused_mut, reason = "nothing follows")
        )]
        let mut paths = vec![path];
        #[cfg(feature = "parquet")]
        {
            let path = folder.join(format!("{name}.parquet"));
            put(&path, &self.to_parquet(&path)?)?;
            paths.push(path);
        }
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Columns {
        Columns::new(vec![
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
