//! A table of columns, as CSV and as Parquet.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

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

    fn schema(&self, name: &str) -> parquet::errors::Result<TypePtr> {
        let (physical, logical, repetition) = match self {
            Self::Text(_) => (
                Physical::BYTE_ARRAY,
                Some(LogicalType::String),
                Repetition::REQUIRED,
            ),
            Self::Whole(_) => (Physical::INT64, None, Repetition::REQUIRED),
            Self::Number(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        };
        let column = Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(column))
    }

    fn write(
        &self,
        group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    ) -> parquet::errors::Result<()> {
        let Some(mut column) = group.next_column()? else {
            return Err(parquet::errors::ParquetError::General(
                "no column".to_owned(),
            ));
        };
        match self {
            Self::Text(values) => {
                let values: Vec<ByteArray> = values.iter().map(|v| v.as_str().into()).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)?;
            }
            Self::Whole(values) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(values, None, None)?;
            }
            Self::Number(values) => {
                let there: Vec<f64> = values.iter().flatten().copied().collect();
                let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
                column
                    .typed::<DoubleType>()
                    .write_batch(&there, Some(&levels), None)?;
            }
        }
        column.close()
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Column)>,
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

    /// The table as Parquet; `path` is named in errors.
    pub(crate) fn to_parquet(&self, path: &Path) -> Result<Vec<u8>> {
        self.parquet().map_err(|error| StudyError::Table {
            path: path.to_owned(),
            what: error.to_string(),
        })
    }

    fn parquet(&self) -> parquet::errors::Result<Vec<u8>> {
        let fields = self
            .columns
            .iter()
            .map(|(name, column)| column.schema(name));
        let schema = Type::group_type_builder("schema")
            .with_fields(fields.collect::<parquet::errors::Result<_>>()?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("vlpt-study".to_owned())
            .build();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for (_, column) in &self.columns {
            column.write(&mut group)?;
        }
        group.close()?;
        writer.close()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

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

    #[test]
    fn parquet_reads_back_the_same_rows() {
        let bytes = table().to_parquet(Path::new("t.parquet")).unwrap();
        assert_eq!(bytes, table().to_parquet(Path::new("t.parquet")).unwrap());
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        let expected = [
            "{name: \"a,b\", count: 1, score: 0.1}",
            "{name: \"c\", count: -2, score: null}",
        ];
        assert_eq!(rows, expected);
    }
}
