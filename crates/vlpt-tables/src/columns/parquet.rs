//! A table as a Parquet file.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::{Column, Columns};
use crate::{Result, TablesError};

/// The table as Parquet; `path` is named in errors.
pub(super) fn bytes(table: &Columns, path: &Path) -> Result<Vec<u8>> {
    encode(table).map_err(|error| TablesError::File {
        path: path.to_owned(),
        what: error.to_string(),
        hint: "this is a fault of the program".to_owned(),
    })
}

fn encode(table: &Columns) -> parquet::errors::Result<Vec<u8>> {
    let fields = table
        .columns
        .iter()
        .map(|(name, column)| schema(column, name));
    let schema = Type::group_type_builder("schema")
        .with_fields(fields.collect::<parquet::errors::Result<_>>()?)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("vlpt".to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in &table.columns {
        write(column, &mut group)?;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

fn schema(column: &Column, name: &str) -> parquet::errors::Result<TypePtr> {
    let (physical, logical, repetition) = match column {
        Column::Text(_) => (
            Physical::BYTE_ARRAY,
            Some(LogicalType::String),
            Repetition::REQUIRED,
        ),
        Column::Whole(_) => (Physical::INT64, None, Repetition::REQUIRED),
        Column::Number(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
    };
    let column = Type::primitive_type_builder(name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(column))
}

fn write(
    values: &Column,
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
) -> parquet::errors::Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Err(parquet::errors::ParquetError::General(
            "no column".to_owned(),
        ));
    };
    match values {
        Column::Text(values) => {
            let values: Vec<ByteArray> = values.iter().map(|v| v.as_str().into()).collect();
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, None, None)?;
        }
        Column::Whole(values) => {
            column
                .typed::<Int64Type>()
                .write_batch(values, None, None)?;
        }
        Column::Number(values) => {
            let there: Vec<f64> = values.iter().flatten().copied().collect();
            let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
            column
                .typed::<DoubleType>()
                .write_batch(&there, Some(&levels), None)?;
        }
    }
    column.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn parquet_reads_back_the_same_rows() {
        let table = Columns::new(vec![
            ("name", Column::text(["a,b", "c"].into_iter())),
            ("count", Column::whole([1, -2].into_iter())),
            ("score", Column::number([Some(0.1), None].into_iter())),
        ]);
        let file = bytes(&table, Path::new("t.parquet")).unwrap();
        assert_eq!(file, bytes(&table, Path::new("t.parquet")).unwrap());
        let reader = SerializedFileReader::new(::bytes::Bytes::from(file)).unwrap();
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
