//! Damaged and hostile Parquet files: errors, never a panic, and no more room than is due.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaDataReader;
use vlpt_data::CPython;

use crate::fixtures::{Dir, features, png};
use crate::parquet_writer::{Column, file, properties};

const SCHEMA: &str = "message schema { optional binary image; optional int64 label; }";

fn small(compression: Compression, rows: usize, image: &[u8]) -> Vec<u8> {
    let images = vec![image.to_vec(); rows];
    let labels: Vec<i64> = (0..rows as i64).map(|row| row % 2).collect();
    let columns = [Column::bytes(&images), Column::numbers(&labels)];
    let properties = properties()
        .set_compression(compression)
        .set_dictionary_enabled(false);
    file(SCHEMA, &features(&["a", "b"], false), properties, &columns)
}

/// Opens and reads everything; the number of errors.
fn tried(dir: &Dir) -> usize {
    match dir.open() {
        Err(_) => 1,
        Ok(task) => {
            let samples = task.train.samples.iter().chain(&task.test.samples);
            samples
                .filter(|sample| sample.image.read().is_err())
                .count()
        }
    }
}

#[test]
fn three_thousand_mutants_never_panic() {
    let mut random = CPython::new(7);
    let mut wrong = 0;
    for (kind, compression) in [
        (0, Compression::UNCOMPRESSED),
        (1, Compression::SNAPPY),
        (2, Compression::LZ4_RAW),
    ] {
        let whole = small(compression, 6, &png(kind));
        // the footer is where places and sizes stand
        let footer = whole.len()
            - 8
            - u32::from_le_bytes(
                whole[whole.len() - 8..whole.len() - 4]
                    .try_into()
                    .expect("four"),
            ) as usize;
        for round in 0..1000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.randbelow(3) {
                let from = if round % 2 == 0 { footer } else { 0 };
                let at = from + random.randbelow((bytes.len() - from) as u64) as usize;
                bytes[at] = random.randbelow(256) as u8;
            }
            let dir = Dir::new();
            dir.bytes("train.parquet", &bytes)
                .bytes("test.parquet", &whole);
            let outcome = catch_unwind(AssertUnwindSafe(|| tried(&dir)));
            wrong += outcome.unwrap_or_else(|_| panic!("{compression} {round} panics"));
        }
    }
    assert!(wrong > 500, "{wrong}");
}

#[test]
fn a_place_before_the_file_is_told() {
    // zigzag of 4, where the first page begins, is 8; 7 is zigzag of -4
    let whole = small(Compression::UNCOMPRESSED, 2, &png(1));
    let mut told = 0;
    for at in whole.len() / 2..whole.len() - 9 {
        if whole[at] != 8 {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[at] = 7;
        let dir = Dir::new();
        dir.bytes("train.parquet", &bytes)
            .bytes("test.parquet", &whole);
        if let Ok(task) = dir.open()
            && let Err(error) = task.train.samples[0].image.read()
        {
            let places =
                "train.parquet: cannot be read as Parquet: column `image`: the footer places";
            told += usize::from(error.to_string().starts_with(places));
        }
    }
    assert!(told > 0);
}

#[test]
fn a_row_group_that_claims_more_rows_than_bytes_is_refused() {
    let whole = small(Compression::UNCOMPRESSED, 3, &png(1));
    let mut refused = 0;
    for at in whole.len() / 2..whole.len() - 9 {
        if whole[at] != 6 {
            continue; // zigzag of 3 rows
        }
        let mut bytes = whole.clone();
        bytes[at] = 0x7e; // 63 rows
        let dir = Dir::new();
        dir.bytes("train.parquet", &bytes)
            .bytes("test.parquet", &whole);
        let error = dir
            .open()
            .err()
            .map_or(String::new(), |error| error.to_string());
        refused +=
            usize::from(error.contains("values for 63 rows") || error.contains("contradicts"));
    }
    assert!(refused > 0);
}

#[test]
fn every_row_of_a_row_group_of_one_page_is_read() {
    // one page a row group, as pyarrow writes images
    let image = vec![7; 64 << 10];
    let dir = Dir::new();
    dir.bytes("train.parquet", &small(Compression::SNAPPY, 100, &image))
        .bytes("test.parquet", &small(Compression::SNAPPY, 2, &png(1)));
    let task = dir.open().expect("it opens");
    for sample in &task.train.samples {
        assert_eq!(sample.image.read().expect("it reads"), image);
    }
}

#[test]
fn a_page_that_unpacks_to_more_than_the_limit_is_refused_before_it_is_read() {
    // a header may claim what it likes: the size that a page unpacks to is field 2 of its header
    let whole = small(Compression::SNAPPY, 2, &vec![0; 5000]);
    let header = &whole[4..24];
    assert_eq!(header[0], 0x15, "field 1, an i32");
    assert_eq!(header[2], 0x15, "field 2, an i32");
    let end = 3 + header[3..]
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("an end");
    let claim = 0x9999_9998_u32; // 1,288,490,188 in zigzag
    let mut number = Vec::new();
    let mut rest = claim;
    while rest > 0x7f {
        number.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    number.push(rest as u8);
    let mut bytes = whole.clone();
    bytes.splice(7..=4 + end, number);
    // the header has grown: take as many bytes from the end of its page
    let grown = bytes.len() - whole.len();
    let footer = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(whole.clone()));
    let footer = footer.expect("a footer");
    let (start, length) = footer.row_group(0).column(0).byte_range();
    let end = (start + length) as usize;
    bytes.drain(end..end + grown);
    let dir = Dir::new();
    dir.bytes("train.parquet", &bytes)
        .bytes("test.parquet", &whole);
    let task = dir.open().expect("labels are whole");
    let error = task.train.samples[0].image.read().expect_err("too much");
    let told = "unpacks to 1288490188 bytes, more than the limit of 1073741824";
    assert!(error.to_string().contains(told), "{error}");
}
