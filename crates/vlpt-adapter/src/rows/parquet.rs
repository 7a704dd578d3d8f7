//! Rows as a Parquet file, written group by group.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::flat::{Cell, Column};
use super::target::Target;

/// Cells that are held before a group is written.
const GROUP_CELLS: usize = 1 << 18;

/// The values of a column that are there, and for each row whether one is.
enum Held {
    Texts(Vec<ByteArray>, Vec<i16>),
    Numbers(Vec<f32>, Vec<i16>),
}

/// A Parquet file being written.
pub(super) struct ParquetRows {
    writer: SerializedFileWriter<Target>,
    held: Vec<Held>,
    rows: usize,
}

impl ParquetRows {
    pub(super) fn new(file: Target, columns: &[Column]) -> Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("schema")
            .with_fields(fields)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("vlpt".to_owned())
            .build();
        let held = columns.iter().map(|column| {
            if column.number {
                Held::Numbers(Vec::new(), Vec::new())
            } else {
                Held::Texts(Vec::new(), Vec::new())
            }
        });
        Ok(Self {
            writer: SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?,
            held: held.collect(),
            rows: 0,
        })
    }

    pub(super) fn push(&mut self, cells: &[Cell]) -> Result<()> {
        for (held, cell) in self.held.iter_mut().zip(cells) {
            match (held, cell) {
                (Held::Texts(values, there), Cell::Text(text)) => {
                    values.extend(text.iter().map(|text| ByteArray::from(text.as_ref())));
                    there.push(i16::from(text.is_some()));
                }
                (Held::Numbers(values, there), Cell::Number(number)) => {
                    values.extend(number);
                    there.push(i16::from(number.is_some()));
                }
                _ => return Err(ParquetError::General("a cell of another kind".to_owned())),
            }
        }
        self.rows += 1;
        if self.rows * self.held.len() >= GROUP_CELLS {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for held in &mut self.held {
            let Some(mut column) = group.next_column()? else {
                return Err(ParquetError::General("no column".to_owned()));
            };
            match held {
                Held::Texts(values, there) => {
                    let column = column.typed::<ByteArrayType>();
                    column.write_batch(values, Some(there), None)?;
                    values.clear();
                    there.clear();
                }
                Held::Numbers(values, there) => {
                    let column = column.typed::<FloatType>();
                    column.write_batch(values, Some(there), None)?;
                    values.clear();
                    there.clear();
                }
            }
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Target> {
        if self.rows > 0 {
            self.write_group()?;
        }
        let mut file = self.writer.into_inner()?;
        file.flush()?;
        Ok(file)
    }
}

fn field(column: &Column) -> Result<TypePtr> {
    let physical = if column.number {
        Physical::FLOAT
    } else {
        Physical::BYTE_ARRAY
    };
    let logical = (!column.number).then_some(LogicalType::String);
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(field))
}
