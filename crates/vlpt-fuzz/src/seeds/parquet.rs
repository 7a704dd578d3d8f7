//! Data sets in Parquet, as Hugging Face writes them.

use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::errors::Result;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::good_png;

const SCHEMA: &str = "message schema {
    optional group image { optional binary bytes; optional binary path (STRING); }
    optional int64 label;
    optional int64 coarse;
}";

/// What `datasets` keeps about the columns, here and in Arrow files.
pub(super) const FEATURES: &str = r#"{"info": {"features": {"image": {"_type": "Image"},
"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "coarse": {"dtype": "int64", "_type": "Value"}}}}"#;

pub(crate) fn parquets() -> Vec<Vec<u8>> {
    [
        (Compression::UNCOMPRESSED, 1),
        (Compression::SNAPPY, 2),
        (Compression::LZ4_RAW, 3),
        (Compression::GZIP(::parquet::basic::GzipLevel::default()), 3),
    ]
    .into_iter()
    .map(|(compression, group)| file(compression, group).expect("memory takes every byte"))
    .collect()
}

/// Three rows in groups of `group`.
fn file(compression: Compression, group: usize) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_created_by("vlpt-fuzz".to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "huggingface".to_owned(),
            FEATURES.to_owned(),
        )]))
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    for labels in [0i64, 1, 1].chunks(group) {
        let mut rows = writer.next_row_group()?;
        let images: Vec<ByteArray> = labels.iter().map(|_| good_png().into()).collect();
        let (present, absent) = (vec![2; labels.len()], vec![1; labels.len()]);
        for (values, levels) in [(&images[..], &present), (&[][..], &absent)] {
            let mut column = rows.next_column()?.expect("the schema has it");
            column
                .typed::<ByteArrayType>()
                .write_batch(values, Some(levels), None)?;
            column.close()?;
        }
        for _ in 0..2 {
            let mut column = rows.next_column()?.expect("the schema has it");
            column
                .typed::<Int64Type>()
                .write_batch(labels, Some(&absent), None)?;
            column.close()?;
        }
        rows.close()?;
    }
    writer.into_inner()
}
