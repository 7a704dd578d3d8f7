//! Folders of `save_to_disk` and Arrow files: what is read, and what is refused by name.

use vlpt_data::{Format, OpenOptions};

use crate::arrow_writer::{Column, message, stream};
use crate::fixtures::{Dir, features, pixel, pixels, png, rows, singles};

impl Dir {
    /// An Arrow file as `datasets` writes it, with `group` rows in each batch.
    pub(crate) fn arrow(
        &self,
        path: &str,
        rows: &[(u8, i64)],
        features: &str,
        group: usize,
    ) -> &Self {
        let batch = |rows: &[(u8, i64)]| {
            let images = rows.iter().map(|(seed, _)| (Some(png(*seed)), None));
            let labels = rows.iter().map(|(_, label)| Some(*label));
            let coarse = rows.iter().map(|(_, label)| Some(label / 2));
            vec![
                ("extra", Column::Float(vec![0.5; rows.len()])),
                ("image", Column::Image(images.collect())),
                ("label", Column::Int(labels.collect())),
                ("coarse", Column::Int(coarse.collect())),
            ]
        };
        let batches: Vec<_> = rows.chunks(group).map(batch).collect();
        self.bytes(path, &stream(&batches, features, None))
    }

    /// `state.json` of these files.
    fn state(&self, folder: &str, files: &[&str], split: &str) -> &Self {
        let files: Vec<String> = files
            .iter()
            .map(|file| format!("{{\"filename\": \"{file}\"}}"))
            .collect();
        let text = format!(
            "{{\"_data_files\": [{}], \"_split\": {split}}}",
            files.join(", ")
        );
        self.text(&format!("{folder}state.json"), &text)
    }
}

const NAME: &str = "data-00000-of-00001.arrow";

fn error(dir: &Dir) -> String {
    dir.error(&OpenOptions::default())
}

#[test]
fn a_saved_dict_gives_its_splits_in_the_order_of_its_files() {
    let dir = Dir::new();
    let names = features(&["cat", "dog"], false);
    dir.text(
        "dataset_dict.json",
        "{\"splits\": [\"train\", \"validation\", \"test\", \"extra\"]}",
    );
    // the state says the order, not the names
    dir.arrow("train/b.arrow", &[(1, 0), (2, 1), (3, 1)], &names, 2);
    dir.arrow("train/a.arrow", &[(4, 0)], &names, 2);
    dir.state("train/", &["b.arrow", "a.arrow"], "\"train\"");
    for (split, seed) in [("validation", 5), ("test", 6)] {
        dir.arrow(&format!("{split}/{NAME}"), &[(seed, 1)], &names, 9);
        dir.state(&format!("{split}/"), &[NAME], "null");
    }
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Arrow);
    assert_eq!(task.classes, ["cat", "dog"]);
    assert_eq!(pixels(&task.train), [1, 2, 3, 4].map(pixel));
    let expected = [("b", 0, 0), ("b", 1, 1), ("b", 2, 1), ("a", 0, 0)];
    let expected = expected.map(|(file, row, label)| (format!("train/{file}.arrow@{row}"), label));
    assert_eq!(singles(&task.train), expected);
    let val = task.val.as_ref().expect("a val split");
    assert_eq!(
        (pixels(val), pixels(&task.test)),
        (vec![pixel(5)], vec![pixel(6)])
    );
    let note = "the split `extra` is none of train, val, test and was passed over";
    assert!(task.provenance.notes.iter().any(|n| n == note));
}

#[test]
fn one_saved_split_is_a_list_unless_it_says_its_split() {
    let names = features(&["cat", "dog"], false);
    let all: Vec<(u8, i64)> = (0..10).map(|i| (i, i64::from(i) % 2)).collect();
    let dir = Dir::new();
    dir.arrow(NAME, &all, &names, 4).state("", &[NAME], "null");
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (6, 2));
    assert!(task.provenance.made_split.is_some());
    dir.state("", &[NAME], "\"test\"");
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (0, 10));
}

#[test]
fn class_names_come_from_the_folder_where_the_file_has_none() {
    let dir = Dir::new();
    dir.arrow(NAME, &[(1, 1), (2, 0)], "", 4);
    dir.state("", &[NAME], "\"train\"");
    assert!(error(&dir).contains("has numbers without class names"));
    let info =
        "{\"features\": {\"label\": {\"names\": [\"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}";
    dir.text("dataset_info.json", info);
    assert_eq!(dir.open().expect("it opens").classes, ["cat", "dog"]);
}

#[test]
fn texts_lists_and_paths_are_read() {
    let dir = Dir::new();
    dir.image("a.png", 7);
    let images = vec![(Some(png(1)), None), (None, Some("a.png".to_owned()))];
    let labels = vec!["dog".to_owned(), "cat".to_owned()];
    let columns = vec![
        ("image", Column::Image(images)),
        ("label", Column::LargeText(labels)),
    ];
    dir.bytes("test.arrow", &stream(&[columns], "", None));
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.test), [1, 7].map(pixel));
    let expected = [("test.arrow@0".to_owned(), 1), ("a.png".to_owned(), 0)];
    assert_eq!(singles(&task.test), expected);

    let dir = Dir::new();
    let columns = vec![
        ("img", Column::Binary(vec![Some(png(1)), Some(png(2))])),
        ("labels", Column::Lists(vec![vec![1, 0], vec![]])),
    ];
    dir.bytes("test.arrow", &stream(&[columns], "", None));
    dir.text("names.txt", "a\nb\n");
    let options = OpenOptions {
        class_file: Some(dir.path("names.txt")),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert!(task.multi_label);
    let labels: Vec<Vec<u32>> = rows(&task.test).into_iter().map(|row| row.1).collect();
    assert_eq!(labels, [vec![0, 1], vec![]]);
}

#[test]
fn rows_without_a_label_or_an_image_are_told() {
    let dir = Dir::new();
    let columns = vec![
        (
            "image",
            Column::Binary(vec![Some(png(1)), Some(png(2)), None]),
        ),
        (
            "label",
            Column::Text(vec![Some("cat".into()), None, Some("cat".into())]),
        ),
    ];
    dir.bytes("test.arrow", &stream(&[columns], "", None));
    let task = dir.open().expect("it opens");
    let note = "1 rows of the test split have no label and were left out";
    assert!(task.provenance.notes.iter().any(|n| n == note));
    let error = task.test.samples[1].read().expect_err("there is none");
    assert!(error.to_string().contains("test.arrow@2"), "{error}");
    assert!(error.to_string().contains("no image bytes"), "{error}");
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let columns = |label| {
        vec![
            ("image", Column::Binary(vec![Some(png(1))])),
            ("label", label),
        ]
    };
    let text = || Column::Text(vec![Some("cat".into())]);
    let dir = Dir::new();
    for (codec, name) in [(0, "LZ4"), (1, "Zstandard")] {
        dir.bytes("train.arrow", &stream(&[columns(text())], "", Some(codec)));
        let told = error(&dir);
        assert!(told.contains(&format!("compressed with {name}")), "{told}");
        assert!(told.contains("train.arrow"), "{told}");
    }
    dir.bytes(
        "train.arrow",
        &stream(&[columns(Column::Dictionary(vec![0]))], "", None),
    );
    let told = error(&dir);
    assert!(told.contains("label (dictionary)"), "{told}");
    let mut bytes = Vec::new();
    message(4, vec![], &[], &mut bytes);
    for (bytes, part) in [
        (&b""[..], "no schema"),
        (
            &b"no stream of arrow at all"[..],
            "does not begin as an Arrow stream",
        ),
        (&bytes[..], "a message of kind 4"),
    ] {
        dir.bytes("train.arrow", bytes);
        let told = error(&dir);
        assert!(
            told.contains(part) && told.contains("train.arrow"),
            "{told}"
        );
    }
}

#[test]
fn a_state_that_does_not_fit_its_folder_is_refused() {
    let names = features(&["cat", "dog"], false);
    let dir = Dir::new();
    dir.arrow(NAME, &[(1, 1)], &names, 4);
    dir.state("", &[NAME, "gone.arrow"], "null");
    let told = error(&dir);
    assert!(told.contains("`gone.arrow`, which is not there"), "{told}");
    dir.state("", &["../up.arrow"], "null");
    assert!(error(&dir).contains("../up.arrow"));
    dir.text(
        "state.json",
        "{\"_data_files\": [], \"_indices_data_files\": [{}]}",
    );
    assert!(error(&dir).contains("_indices_data_files"));
    dir.text("state.json", "[");
    assert!(error(&dir).contains("state.json"));
    let dir = Dir::new();
    dir.text("dataset_dict.json", "{\"splits\": [\"a\", \"b\"]}");
    let told = error(&dir);
    assert!(told.contains("a, b"), "{told}");
}

#[test]
fn no_damage_makes_the_reader_panic() {
    let names = features(&["cat", "dog"], false);
    let dir = Dir::new();
    dir.arrow("train.arrow", &[(1, 0), (2, 1), (3, 1)], &names, 2);
    let whole = fs_err::read(dir.path("train.arrow")).expect("the file");
    let mut read = 0;
    let mut try_it = |bytes: &[u8]| {
        dir.bytes("train.arrow", bytes);
        let Ok(task) = dir.open() else { return };
        for sample in task.train.samples.iter().chain(&task.test.samples) {
            read += usize::from(sample.read().is_ok());
        }
    };
    for length in (0..whole.len()).step_by(5) {
        try_it(&whole[..length]);
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] = [0, 1, 0x7f, 0x80, 0xff][at % 5];
        try_it(&bytes);
    }
    assert!(read > 0, "some damage does no harm");
}
