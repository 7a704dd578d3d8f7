//! How many pages are unpacked to read a file from front to back.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{ParquetTable, WindowCache};
use crate::archive::Root;

thread_local! {
    /// Pages that this thread has unpacked.
    pub(super) static PAGES: Cell<usize> = const { Cell::new(0) };
}

/// Three row groups of 100 images of 64 KiB each, so many images a page.
fn write(path: &Path, rows_of_a_page: usize) {
    let schema = Arc::new(parse_message_type("message schema { required binary image; }").unwrap());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_write_batch_size(1)
        .set_data_page_size_limit(1 << 30)
        .set_data_page_row_count_limit(rows_of_a_page)
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for group in 0..3_u32 {
        let images: Vec<ByteArray> = (0..100)
            .map(|row| vec![(group * 100 + row) as u8; 64 << 10].into())
            .collect();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let bytes = column.typed::<ByteArrayType>();
        bytes.write_batch(&images, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn reading_from_front_to_back_unpacks_each_page_once() {
    // one page a row group, as pyarrow writes images; some pages a window; one page a row
    for (rows_of_a_page, pages) in [(100, 3), (10, 30), (1, 300)] {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("a.parquet"), rows_of_a_page);
        let root = Root::open(dir.path()).unwrap();
        let cache = Arc::new(WindowCache::default());
        let table = ParquetTable::open(&root, "a.parquet", 0, &cache).unwrap();
        assert_eq!(table.rows(), 300);
        let before = PAGES.get();
        for row in 0..300 {
            let image = table.read(row).unwrap();
            assert!(image.len() == 64 << 10 && image[0] == row as u8);
        }
        assert_eq!(PAGES.get() - before, pages);
    }
}
