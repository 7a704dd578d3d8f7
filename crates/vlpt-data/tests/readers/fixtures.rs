//! Small data sets, made in a folder that goes away with the test.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;
use vlpt_data::image::Limits;
use vlpt_data::{DataError, Format, OpenOptions, Split, Task, open};

/// A 4 x 3 PNG of one colour that `seed` chooses.
pub(crate) fn png(seed: u8) -> Vec<u8> {
    let colour = image::Rgb([seed, 255 - seed, seed.wrapping_mul(7)]);
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(4, 3, colour)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG is written to memory");
    bytes.into_inner()
}

/// A folder under construction.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn bytes(&self, path: &str, bytes: &[u8]) -> &Self {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs_err::write(path, bytes).expect("a file");
        self
    }

    pub(crate) fn text(&self, path: &str, text: &str) -> &Self {
        self.bytes(path, text.as_bytes())
    }

    pub(crate) fn image(&self, path: &str, seed: u8) -> &Self {
        self.bytes(path, &png(seed))
    }

    pub(crate) fn folder(&self, path: &str) -> &Self {
        fs_err::create_dir_all(self.path(path)).expect("folders");
        self
    }

    /// A zip of images; every other member is deflated.
    pub(crate) fn zip(&self, path: &str, members: &[(&str, u8)]) -> &Self {
        let members: Vec<(String, Vec<u8>)> = members
            .iter()
            .map(|(name, seed)| ((*name).to_owned(), png(*seed)))
            .collect();
        self.zip_of(path, &members)
    }

    /// A zip of any files; every other member is deflated.
    pub(crate) fn zip_of(&self, path: &str, members: &[(String, Vec<u8>)]) -> &Self {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (i, (name, bytes)) in members.iter().enumerate() {
            let method = [
                zip::CompressionMethod::Stored,
                zip::CompressionMethod::Deflated,
            ][i % 2];
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file(&**name, options).expect("a member");
            zip.write_all(bytes).expect("its bytes");
        }
        let bytes = zip.finish().expect("a zip").into_inner();
        self.bytes(path, &bytes)
    }

    pub(crate) fn tar(&self, path: &str, members: &[(&str, Vec<u8>)]) -> &Self {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, &bytes[..])
                .expect("a member");
        }
        let bytes = tar.into_inner().expect("a tar");
        if path.ends_with("gz") {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&bytes).expect("it packs");
            return self.bytes(path, &gzip.finish().expect("a gzip"));
        }
        self.bytes(path, &bytes)
    }

    /// A Parquet file with an image struct and two columns of numbers, as Hugging Face writes it,
    /// with `group` rows in each row group.
    pub(crate) fn parquet(
        &self,
        path: &str,
        rows: &[(u8, i64)],
        features: &str,
        group: usize,
    ) -> &Self {
        let schema = "message schema {
            optional group image { optional binary bytes; optional binary path (STRING); }
            optional int64 label;
            optional int64 coarse;
        }";
        let schema = std::sync::Arc::new(parse_message_type(schema).expect("a schema"));
        let pairs = vec![KeyValue::new("huggingface".to_owned(), features.to_owned())];
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(pairs))
            .build();
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, std::sync::Arc::new(properties))
                .expect("a writer");
        for rows in rows.chunks(group) {
            let mut row_group = writer.next_row_group().expect("a row group");
            let images: Vec<ByteArray> = rows.iter().map(|(s, _)| png(*s).into()).collect();
            let labels: Vec<i64> = rows.iter().map(|(_, label)| *label).collect();
            let coarse: Vec<i64> = labels.iter().map(|label| label / 2).collect();
            let levels = vec![2; rows.len()];
            let mut column = row_group.next_column().expect("a column").expect("bytes");
            column
                .typed::<ByteArrayType>()
                .write_batch(&images, Some(&levels), None)
                .expect("rows");
            column.close().expect("closed");
            let mut column = row_group.next_column().expect("a column").expect("path");
            let nulls = vec![1; rows.len()];
            column
                .typed::<ByteArrayType>()
                .write_batch(&[], Some(&nulls), None)
                .expect("rows");
            column.close().expect("closed");
            for values in [&labels, &coarse] {
                let levels = vec![1; rows.len()];
                let mut column = row_group.next_column().expect("a column").expect("numbers");
                column
                    .typed::<Int64Type>()
                    .write_batch(values, Some(&levels), None)
                    .expect("rows");
                column.close().expect("closed");
            }
            row_group.close().expect("closed");
        }
        let bytes = writer.into_inner().expect("a file");
        self.bytes(path, &bytes)
    }

    pub(crate) fn open(&self) -> Result<Task, DataError> {
        open(self.0.path(), &OpenOptions::default())
    }

    pub(crate) fn open_as(&self, format: Format) -> Result<Task, DataError> {
        open(
            self.0.path(),
            &OpenOptions {
                format: Some(format),
                ..OpenOptions::default()
            },
        )
    }

    pub(crate) fn open_with(&self, options: &OpenOptions) -> Result<Task, DataError> {
        open(self.0.path(), options)
    }

    /// The message of the error that opening gives, with this folder written as `DIR`.
    pub(crate) fn error(&self, options: &OpenOptions) -> String {
        let error = open(self.0.path(), options).expect_err("the set is wrong");
        self.told(&error)
    }

    pub(crate) fn told(&self, error: &DataError) -> String {
        error
            .to_string()
            .replace(&self.0.path().display().to_string(), "DIR")
    }
}

/// Ids and labels of a split.
pub(crate) fn rows(split: &Split) -> Vec<(String, Vec<u32>)> {
    split
        .samples
        .iter()
        .map(|item| (item.image.id(), item.labels.clone()))
        .collect()
}

/// Ids and single labels of a split, short enough to compare with a literal.
pub(crate) fn singles(split: &Split) -> Vec<(String, u32)> {
    rows(split)
        .into_iter()
        .map(|(id, labels)| (id, labels[0]))
        .collect()
}

/// The first pixel of each image: which image it is, whatever the file around it.
pub(crate) fn pixels(split: &Split) -> Vec<[u8; 3]> {
    let first = |item: &vlpt_data::Sample| {
        let image = item.load(&Limits::default()).expect("the image decodes");
        [image.data[0], image.data[1], image.data[2]]
    };
    split.samples.iter().map(first).collect()
}

/// The pixel that [`png`] paints.
pub(crate) fn pixel(seed: u8) -> [u8; 3] {
    [seed, 255 - seed, seed.wrapping_mul(7)]
}

/// What Hugging Face writes about the columns, with class names for `label`, and for `coarse` where
/// `both` is set.
pub(crate) fn features(classes: &[&str], both: bool) -> String {
    let names = serde_json::to_string(classes).expect("JSON");
    let coarse = if both {
        r#","coarse":{"names":["x","y"],"_type":"ClassLabel"}"#
    } else {
        r#","coarse":{"dtype":"int64","_type":"Value"}"#
    };
    format!(
        r#"{{"info":{{"features":{{"image":{{"_type":"Image"}},"label":{{"names":{names},"_type":"ClassLabel"}}{coarse}}}}}}}"#
    )
}
