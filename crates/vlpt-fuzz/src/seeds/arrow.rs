//! Data sets in Arrow's IPC format, as `save_to_disk` of Hugging Face `datasets` writes them.

use super::flatbuffer::{Field, buffer};
use super::good_png;
use super::parquet::FEATURES;

/// Numbers of `Schema.fbs` and `Message.fbs`.
const SCHEMA: u8 = 1;
const RECORD_BATCH: u8 = 3;
const INT: u8 = 2;
const BINARY: u8 = 4;
const UTF8: u8 = 5;
const LIST: u8 = 12;
const STRUCT: u8 = 13;
const LARGE_BINARY: u8 = 19;
/// Version 5 of the metadata.
const V5: i16 = 4;

/// What stands between two messages, and before the first one of the file format.
const CONTINUES: [u8; 4] = [0xff; 4];
const FILE_MAGIC: &[u8] = b"ARROW1\0\0";

pub(crate) fn arrows() -> Vec<Vec<u8>> {
    let three = good_arrow();
    let file = [FILE_MAGIC, &three].concat();
    vec![
        three,
        stream(&[&[0], &[1, 1]], false),
        stream(&[&[1, 0]], true),
        file,
    ]
}

/// A file that is whole.
pub(crate) fn good_arrow() -> Vec<u8> {
    stream(&[&[0, 1, 1]], false)
}

/// A stream with a batch for each list of labels; `listed` has lists of labels and wide offsets.
fn stream(batches: &[&[i64]], listed: bool) -> Vec<u8> {
    let mut bytes = message(SCHEMA, schema(listed), &[]);
    for labels in batches {
        let (table, body) = batch(labels, listed);
        bytes.extend(message(RECORD_BATCH, table, &body));
    }
    bytes.extend(CONTINUES);
    bytes.extend([0; 4]);
    bytes
}

fn message(kind: u8, header: Vec<Field>, body: &[u8]) -> Vec<u8> {
    let mut description = buffer(&[
        Field::I16(V5),
        Field::U8(kind),
        Field::Table(header),
        Field::I64(body.len() as i64),
    ]);
    description.resize(description.len().next_multiple_of(8), 0);
    let length = (description.len() as u32).to_le_bytes();
    [&CONTINUES[..], &length, &description, body].concat()
}

fn schema(listed: bool) -> Vec<Field> {
    let int = || vec![Field::I32(64), Field::U8(1)];
    let label = if listed {
        column(
            "label",
            LIST,
            vec![],
            vec![column("item", INT, int(), vec![])],
        )
    } else {
        column("label", INT, int(), vec![])
    };
    let bytes = if listed { LARGE_BINARY } else { BINARY };
    let image = vec![
        column("bytes", bytes, vec![], vec![]),
        column("path", UTF8, vec![], vec![]),
    ];
    let features = FEATURES.replace(
        r#""label": {"names": ["cat", "dog"], "_type": "ClassLabel"}"#,
        if listed {
            r#""label": {"feature": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "_type": "Sequence"}"#
        } else {
            r#""label": {"names": ["cat", "dog"], "_type": "ClassLabel"}"#
        },
    );
    vec![
        Field::I16(0),
        Field::Tables(vec![
            column("image", STRUCT, vec![], image),
            label,
            column("coarse", INT, int(), vec![]),
        ]),
        Field::Tables(vec![vec![
            Field::Text("huggingface".to_owned()),
            Field::Text(features),
        ]]),
    ]
}

fn column(name: &str, kind: u8, about: Vec<Field>, children: Vec<Vec<Field>>) -> Vec<Field> {
    vec![
        Field::Text(name.to_owned()),
        Field::U8(1),
        Field::U8(kind),
        Field::Table(about),
        Field::Absent,
        Field::Tables(children),
    ]
}

/// A record batch and its body: an image for each label, no path.
fn batch(labels: &[i64], listed: bool) -> (Vec<Field>, Vec<u8>) {
    let (mut body, mut buffers) = (Vec::new(), Vec::new());
    let mut push = |bytes: Vec<u8>| {
        buffers.push((body.len() as i64, bytes.len() as i64));
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(8), 0);
    };
    let rows = labels.len() as i64;
    let narrow = |step: usize| -> Vec<u8> {
        let offset = |i: usize| ((i * step) as i32).to_le_bytes();
        (0..=labels.len()).flat_map(offset).collect()
    };
    let wide = |step: usize| -> Vec<u8> {
        let offset = |i: usize| ((i * step) as i64).to_le_bytes();
        (0..=labels.len()).flat_map(offset).collect()
    };
    let numbers = || {
        labels
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect()
    };
    let png = good_png();
    push(vec![]); // image: all are there
    push(vec![]);
    push(if listed {
        wide(png.len())
    } else {
        narrow(png.len())
    });
    push(png.repeat(labels.len()));
    push(vec![0; labels.len().div_ceil(8)]); // path: none is
    push(narrow(0));
    push(vec![]);
    let mut nodes = vec![(rows, 0), (rows, 0), (rows, rows), (rows, 0)];
    push(vec![]); // label
    if listed {
        push(narrow(1));
        nodes.push((rows, 0));
        push(vec![]);
    }
    push(numbers());
    nodes.push((rows, 0));
    push(vec![]); // coarse
    push(numbers());
    let table = vec![Field::I64(rows), Field::Pairs(nodes), Field::Pairs(buffers)];
    (table, body)
}
