//! Parquet and Arrow files of a few KB with a hole of gigabytes: what they claim lies within the file,
//! and is refused all the same before memory is taken for it.

use std::io::{Seek, SeekFrom, Write};

use bytes::Bytes;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use vlpt_data::OpenOptions;

use crate::arrow_writer::{Column, Slot, description, stream};
use crate::fixtures::{Dir, features, png};
use crate::parquet_writer::{Column as ParquetColumn, file, properties};

const GIB: i64 = 1 << 30;

/// A file that begins with `head` and ends with `tail`, so many bytes long: the rest is a hole.
fn sparse(dir: &Dir, path: &str, head: &[u8], length: i64, tail: &[u8]) {
    dir.bytes(path, head);
    let mut file = fs_err::OpenOptions::new()
        .write(true)
        .open(dir.path(path))
        .expect("the file");
    file.set_len(length as u64).expect("a hole");
    file.seek(SeekFrom::End(-(tail.len() as i64)))
        .expect("a place");
    file.write_all(tail).expect("its end");
}

/// Two images and two labels.
fn whole() -> Vec<u8> {
    let schema = "message schema { optional binary image; optional int64 label; }";
    let columns = [
        ParquetColumn::bytes(&[png(1), png(2)]),
        ParquetColumn::numbers(&[0, 1]),
    ];
    let properties = properties().set_dictionary_enabled(false);
    file(schema, &features(&["a", "b"], false), properties, &columns)
}

fn footer(file: &[u8]) -> ParquetMetaData {
    let file = Bytes::copy_from_slice(file);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&file);
    footer.expect("a footer")
}

/// The footer with so many rows, whose images lie at `start` and take `length` bytes.
fn changed(footer: &ParquetMetaData, rows: i64, start: i64, length: i64) -> Vec<u8> {
    let group = footer.row_group(0).clone();
    let mut columns = group.columns().to_vec();
    let images = columns[0].clone().into_builder();
    columns[0] = images
        .set_data_page_offset(start)
        .set_total_compressed_size(length)
        .set_num_values(rows)
        .build()
        .expect("a column");
    let group = group
        .into_builder()
        .set_num_rows(rows)
        .set_column_metadata(columns)
        .build()
        .expect("a row group");
    let footer = footer.clone().into_builder().set_row_groups(vec![group]);
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &footer.build())
        .finish()
        .expect("a footer");
    bytes
}

/// A signed number as Thrift writes it.
fn number(value: i64) -> Vec<u8> {
    let mut rest = (value << 1) as u64;
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// The header of a data page of two plain values.
fn page_header(unpacked: i64, stored: i64) -> Vec<u8> {
    let mut bytes = vec![0x15, 0]; // a data page
    for size in [unpacked, stored] {
        bytes.push(0x15);
        bytes.extend(number(size));
    }
    bytes.extend([0x2c, 0x15, 4, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0]);
    bytes
}

#[test]
fn a_parquet_page_that_is_stored_in_a_hole_of_50_gib_is_refused_before_it_is_read() {
    let whole = whole();
    let header = page_header(100, 50 * GIB);
    let start = whole.len() as i64;
    let length = header.len() as i64 + 50 * GIB;
    let tail = changed(&footer(&whole), 2, start, length);
    let dir = Dir::new();
    let all = start + length + tail.len() as i64;
    let head = [&whole[..], &header].concat();
    sparse(&dir, "train.parquet", &head, all, &tail);
    dir.bytes("test.parquet", &whole);
    let task = dir.open().expect("the labels are whole");
    let error = task.train.samples[0].image.read().expect_err("too much");
    let told = format!(
        "train.parquet: cannot be read as Parquet: column `image`: the page at byte {} is stored in 53687091200 bytes, more than the limit of 1073741824",
        head.len()
    );
    assert_eq!(error.to_string(), told);
}

#[test]
fn a_parquet_footer_of_gigabytes_is_refused_before_it_is_read() {
    let dir = Dir::new();
    let tail = [&(64_u32 << 20 | 1).to_le_bytes()[..], b"PAR1"].concat();
    sparse(&dir, "train.parquet", b"PAR1", 5 * GIB, &tail);
    dir.bytes("test.parquet", &whole());
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "train.parquet: cannot be read as Parquet: a footer of 67108865 bytes, more than the limit of 67108864"
    );
}

#[test]
fn parquet_rows_that_only_a_hole_could_hold_are_refused() {
    let whole = whole();
    let footer = footer(&whole);
    let length = footer.row_group(0).column(0).compressed_size();
    let start = footer.row_group(0).column(0).data_page_offset();
    for (rows, length, told) in [
        // the hole belongs to no column
        (GIB, length, "a row group of 1073741824 rows in "),
        // the hole is said to be the images
        (
            8 * GIB,
            8 * GIB,
            "8589934592 rows or more, where one file may have 16777216: write the set as several files",
        ),
    ] {
        let tail = changed(&footer, rows, start, length);
        let dir = Dir::new();
        sparse(&dir, "train.parquet", &whole, 9 * GIB, &tail);
        dir.bytes("test.parquet", &whole);
        let error = dir.error(&OpenOptions::default());
        assert!(
            error.contains(told) && error.contains("train.parquet"),
            "{error}"
        );
    }
}

/// An Arrow stream with the columns of `columns` and one batch of so many rows in a hole, whose
/// parts have `values` values each.
fn arrow(dir: &Dir, columns: Vec<(&str, Column)>, rows: i64, values: &[i64], buffers: usize) {
    let mut head = stream(&[columns], "", None);
    head.truncate(head.len() - 8); // the mark of its end
    let nodes = values.iter().map(|values| (*values, 0)).collect();
    let header = vec![
        Slot::Bytes(rows.to_le_bytes().to_vec()),
        Slot::Pairs(nodes),
        Slot::Pairs(vec![(0, 64 * GIB); buffers]),
        Slot::None,
    ];
    description(3, header, 64 * GIB, &mut head);
    let length = head.len() as i64 + 64 * GIB;
    sparse(dir, "train.arrow", &head, length, &[]);
}

/// What opening says of such a set.
fn arrow_error(dir: &Dir) -> String {
    dir.text("names.txt", "a\nb\n");
    dir.error(&OpenOptions {
        class_file: Some(dir.path("names.txt")),
        ..OpenOptions::default()
    })
}

#[test]
fn arrow_rows_and_values_that_only_a_hole_could_hold_are_refused() {
    let images = || ("image", Column::Binary(vec![Some(png(1))]));
    let dir = Dir::new();
    let columns = vec![images(), ("label", Column::Int(vec![Some(0)]))];
    arrow(&dir, columns, 8 * GIB, &[8 * GIB; 2], 5);
    let error = arrow_error(&dir);
    let told = "train.arrow: cannot be read as Arrow: 8589934593 rows, where one file may have 16777216: write the set as several files";
    assert_eq!(error, told);

    let dir = Dir::new();
    let columns = vec![images(), ("label", Column::Lists(vec![vec![0]]))];
    arrow(&dir, columns, 1, &[1, 1, GIB / 8], 7);
    let error = arrow_error(&dir);
    let told = "a batch with 134217728 values in one column, more than the limit of 16777216";
    assert!(
        error.contains(told) && error.contains("train.arrow"),
        "{error}"
    );
}
