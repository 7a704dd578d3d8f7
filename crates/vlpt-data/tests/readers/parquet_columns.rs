//! Columns called otherwise, paths in the place of bytes, lists of labels, and every encoding.

use parquet::basic::{Compression, Encoding, GzipLevel};
use parquet::file::properties::{WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;
use vlpt_data::OpenOptions;

use crate::fixtures::{Dir, features, pixel, pixels, png, rows, singles};
use crate::parquet_writer::{Column, file, properties};

fn both(dir: &Dir, bytes: &[u8]) {
    dir.bytes("train.parquet", bytes)
        .bytes("test.parquet", bytes);
}

fn pngs(seeds: &[u8]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| png(*seed)).collect()
}

#[test]
fn columns_of_other_names_are_found() {
    for (image, label) in [
        ("img", "target"),
        ("jpg", "class_name"),
        ("picture", "category"),
        ("anything", "label"),
    ] {
        let schema = format!(
            "message schema {{ optional binary {image}; optional binary {label} (STRING); optional int64 width; }}"
        );
        let columns = [
            Column::bytes(&pngs(&[1, 2])),
            Column::texts(&["cat", "dog"]),
            Column::numbers(&[4, 4]),
        ];
        let dir = Dir::new();
        both(&dir, &file(&schema, "{}", properties(), &columns));
        let task = dir.open().expect("it opens");
        assert_eq!(task.classes, ["cat", "dog"]);
        assert_eq!(pixels(&task.train), [1, 2].map(pixel));
    }
}

#[test]
fn what_cannot_be_read_is_told_with_all_columns_and_their_types() {
    let schema = "message schema {
        optional group pixel_values (LIST) { repeated group list { optional int64 element; } }
        optional binary caption (STRING); }";
    let columns = [Column::Lists(vec![Some(vec![1, 2])]), Column::texts(&["x"])];
    let dir = Dir::new();
    both(&dir, &file(schema, "{}", properties(), &columns));
    let error = dir.error(&OpenOptions::default());
    let told = "no column holds images (a struct with `bytes` and `path`, bytes, or paths of files); the file has pixel_values.list.element (INT64, in a list), caption (BYTE_ARRAY, text)";
    assert!(error.ends_with(told), "{error}");
}

#[test]
fn paths_lead_to_files_in_the_set() {
    for (column, base) in [
        ("image_path", ""),
        ("file_name", "images/"),
        ("image", "data/photos/"),
    ] {
        let schema = format!(
            "message schema {{ optional binary {column} (STRING); optional int64 label; }}"
        );
        let columns = [
            Column::texts(&["a/1.png", "b/2.png"]),
            Column::numbers(&[0, 1]),
        ];
        let bytes = file(
            &schema,
            &features(&["cat", "dog"], false),
            properties(),
            &columns,
        );
        let dir = Dir::new();
        dir.bytes("data/train.parquet", &bytes)
            .bytes("data/test.parquet", &bytes);
        dir.image(&format!("{base}a/1.png"), 1)
            .image(&format!("{base}b/2.png"), 2);
        let task = dir.open().expect("it opens");
        assert_eq!(pixels(&task.train), [1, 2].map(pixel));
        assert_eq!(singles(&task.train)[1], (format!("{base}b/2.png"), 1));
    }
}

#[test]
fn missing_files_and_paths_that_climb_are_named() {
    let schema = "message schema { optional binary path (STRING); optional int64 label; }";
    for (path, told) in [
        (
            "b/2.png",
            "DIR/train.parquet: row 1 names the image `b/2.png`, which does not exist (1 of 2",
        ),
        (
            "../../etc/hostname",
            "DIR/train.parquet: row 1: refused the path `../../etc/hostname`",
        ),
    ] {
        let columns = [Column::texts(&["a/1.png", path]), Column::numbers(&[0, 1])];
        let dir = Dir::new();
        both(
            &dir,
            &file(
                schema,
                &features(&["cat", "dog"], false),
                properties(),
                &columns,
            ),
        );
        dir.image("a/1.png", 1);
        let error = dir.error(&OpenOptions::default());
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn a_struct_without_bytes_leads_to_its_path() {
    let schema = "message schema {
        optional group image { optional binary bytes; optional binary path (STRING); }
        optional int64 label; }";
    let image = Column::Bytes(vec![None, Some(png(2)), None], 2, 1);
    let path = Column::Bytes(
        vec![
            Some(b"1.png".to_vec()),
            Some(b"x.png".to_vec()),
            Some(b"3.png".to_vec()),
        ],
        2,
        1,
    );
    let columns = [image, path, Column::numbers(&[0, 1, 1])];
    let dir = Dir::new();
    both(
        &dir,
        &file(
            schema,
            &features(&["cat", "dog"], false),
            properties(),
            &columns,
        ),
    );
    dir.image("1.png", 1).image("3.png", 3);
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.train), [1, 2, 3].map(pixel));
    let ids: Vec<String> = rows(&task.train).into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["1.png", "train.parquet@1", "3.png"]);
}

#[test]
fn a_list_of_labels_makes_a_multi_label_task() {
    let schema = "message schema { optional binary image;
        optional group labels (LIST) { repeated group list { optional int64 element; } } }";
    let features = r#"{"info":{"features":{"labels":{"feature":{"names":["a","b","c"],"_type":"ClassLabel"},"_type":"List"}}}}"#;
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        let lists = vec![Some(vec![2, 0]), Some(vec![]), None, Some(vec![1])];
        let columns = [Column::bytes(&pngs(&[1, 2, 3, 4])), Column::Lists(lists)];
        let dir = Dir::new();
        both(
            &dir,
            &file(
                schema,
                features,
                properties().set_writer_version(version),
                &columns,
            ),
        );
        let task = dir.open().expect("it opens");
        assert!(task.multi_label);
        assert_eq!(task.classes, ["a", "b", "c"]);
        let labels: Vec<Vec<u32>> = rows(&task.train).into_iter().map(|row| row.1).collect();
        assert_eq!(labels, [vec![0, 2], vec![], vec![1]]);
        let note = "1 rows of the train split have no label and were left out";
        assert!(task.provenance.notes.iter().any(|n| n == note));
    }
}

#[test]
fn every_compression_and_encoding_gives_the_same_rows() {
    let schema = "message schema { optional binary image; optional int64 label; optional binary word (STRING); }";
    let seeds: Vec<u8> = (0..120).collect();
    let labels: Vec<i64> = seeds.iter().map(|seed| i64::from(seed % 3)).collect();
    let words: Vec<&str> = seeds
        .iter()
        .map(|seed| ["one", "only", "other"][usize::from(seed % 3)])
        .collect();
    let path = |name: &str| ColumnPath::from(name);
    let encoded = |bytes: Encoding, numbers: Encoding| -> WriterPropertiesBuilder {
        properties()
            .set_dictionary_enabled(false)
            .set_column_encoding(path("image"), bytes)
            .set_column_encoding(path("word"), bytes)
            .set_column_encoding(path("label"), numbers)
    };
    let ways = [
        properties(),
        properties().set_compression(Compression::SNAPPY),
        properties().set_compression(Compression::GZIP(GzipLevel::default())),
        properties().set_compression(Compression::LZ4_RAW),
        properties().set_compression(Compression::LZ4),
        properties()
            .set_data_page_row_count_limit(7)
            .set_write_batch_size(7),
        properties().set_dictionary_enabled(false),
        encoded(
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BINARY_PACKED,
        ),
        encoded(Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_BINARY_PACKED),
    ];
    for (number, way) in ways.into_iter().enumerate() {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let columns = [
                Column::bytes(&pngs(&seeds)),
                Column::numbers(&labels),
                Column::texts(&words),
            ];
            let way = way.clone().set_writer_version(version);
            let dir = Dir::new();
            both(
                &dir,
                &file(schema, &features(&["a", "b", "c"], false), way, &columns),
            );
            let task = dir.open().expect("it opens");
            let want: Vec<[u8; 3]> = seeds.iter().map(|seed| pixel(*seed)).collect();
            assert_eq!(pixels(&task.train), want, "way {number} {version:?}");
            let found: Vec<u32> = singles(&task.train).into_iter().map(|row| row.1).collect();
            let labels: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
            assert_eq!(found, labels, "way {number} {version:?}");
            let options = OpenOptions {
                label_column: Some("word".to_owned()),
                ..OpenOptions::default()
            };
            let task = dir.open_with(&options).expect("it opens");
            assert_eq!(
                task.classes,
                ["one", "only", "other"],
                "way {number} {version:?}"
            );
        }
    }
}
