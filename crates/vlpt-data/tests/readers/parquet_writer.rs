//! Parquet files of any schema, written column by column.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The values of a column, with the definition levels of a value and of a null.
pub(crate) enum Column {
    Bytes(Vec<Option<Vec<u8>>>, i16, i16),
    Numbers(Vec<Option<i64>>, i16, i16),
    /// Lists of numbers in `optional group { repeated group { optional int64 } }`; `None` is a row
    /// without a list.
    Lists(Vec<Option<Vec<i64>>>),
}

impl Column {
    pub(crate) fn bytes(values: &[Vec<u8>]) -> Self {
        Self::Bytes(values.iter().cloned().map(Some).collect(), 1, 0)
    }

    pub(crate) fn texts(values: &[&str]) -> Self {
        Self::Bytes(
            values.iter().map(|v| Some(v.as_bytes().to_vec())).collect(),
            1,
            0,
        )
    }

    pub(crate) fn numbers(values: &[i64]) -> Self {
        Self::Numbers(values.iter().copied().map(Some).collect(), 1, 0)
    }
}

/// A file of one row group.
pub(crate) fn file(
    schema: &str,
    features: &str,
    properties: WriterPropertiesBuilder,
    columns: &[Column],
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let pairs = vec![KeyValue::new("huggingface".to_owned(), features.to_owned())];
    let properties = properties.set_key_value_metadata(Some(pairs)).build();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    for column in columns {
        let mut out = group.next_column().expect("a column").expect("one more");
        match column {
            Column::Bytes(rows, full, null) => {
                let (levels, values) = split(rows, *full, *null);
                let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                let levels = (*full > 0).then_some(&levels[..]);
                let out = out.typed::<ByteArrayType>();
                out.write_batch(&values, levels, None).expect("rows");
            }
            Column::Numbers(rows, full, null) => {
                let (levels, values) = split(rows, *full, *null);
                let levels = (*full > 0).then_some(&levels[..]);
                let out = out.typed::<Int64Type>();
                out.write_batch(&values, levels, None).expect("rows");
            }
            Column::Lists(rows) => {
                let (mut definition, mut repetition, mut values) = (vec![], vec![], vec![]);
                for row in rows {
                    match row.as_deref() {
                        None => definition.push(0),
                        Some([]) => definition.push(1),
                        Some(numbers) => {
                            definition.extend(numbers.iter().map(|_| 3));
                            values.extend(numbers);
                        }
                    }
                    let more = row.as_ref().map_or(0, |row| row.len().saturating_sub(1));
                    repetition.push(0);
                    repetition.extend(vec![1; more]);
                }
                let out = out.typed::<Int64Type>();
                out.write_batch(&values, Some(&definition), Some(&repetition))
                    .expect("rows");
            }
        }
        out.close().expect("closed");
    }
    group.close().expect("closed");
    writer.into_inner().expect("a file")
}

fn split<T: Clone>(rows: &[Option<T>], full: i16, null: i16) -> (Vec<i16>, Vec<T>) {
    let levels = rows
        .iter()
        .map(|row| if row.is_some() { full } else { null });
    (levels.collect(), rows.iter().flatten().cloned().collect())
}

pub(crate) fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
}
