use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, rows, singles};

fn images() -> Dir {
    let dir = Dir::new();
    for i in 0..6u8 {
        dir.image(&format!("img/{i}.png"), i);
    }
    dir
}

#[test]
fn a_csv_with_a_split_column_is_read_in_its_order() {
    let dir = images();
    dir.text(
        "data.csv",
        "Image,class,split\nimg/3.png,dog,train\n\"img/1.png\",\"cat, wild\",train\nimg/2.png,dog,valid\nimg/0.png,dog,test\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Csv);
    assert_eq!(task.classes, ["cat, wild", "dog"]);
    assert_eq!(
        singles(&task.train),
        [("img/3.png".to_owned(), 1), ("img/1.png".to_owned(), 0)]
    );
    assert_eq!(
        (task.val.expect("valid is val").len(), task.test.len()),
        (1, 1)
    );
}

#[test]
fn the_file_itself_may_be_opened_and_tabs_separate_tsv() {
    let dir = images();
    dir.text("a.tsv", "path\tlabel\nimg/0.png\tx\nimg/1.png\ty\n")
        .text("b.csv", "path,label\nimg/0.png,z\n");
    let task = vlpt_data::open(&dir.path("a.tsv"), &OpenOptions::default()).expect("it opens");
    assert_eq!(task.classes, ["x", "y"]);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("several tables list images: a.tsv, b.csv"),
        "{error}"
    );
}

#[test]
fn files_called_after_splits_are_splits() {
    let dir = images();
    dir.text("train.csv", "file,label\nimg/0.png,a\nimg/1.png,b\n")
        .text("test.csv", "file,label\nimg/2.png,b\n");
    dir.text("notes.csv", "file,label\nimg/3.png,c\n");
    let task = dir.open().expect("it opens");
    assert_eq!(
        (task.train.len(), task.test.len(), task.classes.len()),
        (2, 1, 2)
    );
}

#[test]
fn labels_of_one_image_stand_between_semicolons() {
    let dir = images();
    dir.text(
        "m.csv",
        "path,labels,split\nimg/0.png,sea;sky,train\nimg/1.png,,train\nimg/2.png,sky ; sea,test\n",
    );
    let task = dir.open().expect("it opens");
    assert!(task.multi_label);
    assert_eq!(
        rows(&task.train),
        [
            ("img/0.png".to_owned(), vec![0, 1]),
            ("img/1.png".to_owned(), vec![])
        ]
    );
    assert_eq!(rows(&task.test), [("img/2.png".to_owned(), vec![0, 1])]);
}

#[test]
fn jsonl_takes_text_numbers_and_lists() {
    let dir = images();
    dir.text(
        "m.jsonl",
        "{\"file_name\": \"img/0.png\", \"label\": [\"b\", \"a\"], \"split\": \"train\"}\n\n{\"file_name\": \"img/1.png\", \"label\": \"b\", \"split\": \"test\"}\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Jsonl);
    assert_eq!(rows(&task.train), [("img/0.png".to_owned(), vec![0, 1])]);
    assert!(task.multi_label);

    let dir = images();
    dir.text(
        "train.jsonl",
        "{\"path\": \"img/0.png\", \"label\": 10}\n{\"path\": \"img/1.png\", \"label\": 9}\n",
    );
    dir.text("test.jsonl", "{\"path\": \"img/2.png\", \"label\": 10}\n");
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["9", "10"], "numbers are sorted as numbers");
    assert_eq!(
        singles(&task.train),
        [("img/0.png".to_owned(), 1), ("img/1.png".to_owned(), 0)]
    );
}

#[test]
fn a_class_file_gives_order_and_takes_names_or_numbers() {
    let dir = images();
    dir.text("classes.txt", "zebra\nant\n");
    dir.text(
        "m.csv",
        "path,label,split\nimg/0.png,ant,train\nimg/1.png,0,test\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["zebra", "ant"]);
    assert_eq!(
        (singles(&task.train)[0].1, singles(&task.test)[0].1),
        (1, 0)
    );
    dir.text(
        "m.csv",
        "path,label,split\nimg/0.png,bee,train\nimg/1.png,0,test\n",
    );
    let error = dir.error(&OpenOptions::default());
    assert_eq!(
        error,
        "DIR/m.csv: line 2: found the label `bee`, expected a class of DIR/classes.txt or a number below 2"
    );
}

#[test]
fn a_manifest_without_splits_is_split() {
    let dir = images();
    dir.text("m.csv", "path,label\nimg/0.png,a\nimg/1.png,a\nimg/2.png,a\nimg/3.png,b\nimg/4.png,b\nimg/5.png,b\n");
    let task = dir.open().expect("it opens");
    let made = task
        .provenance
        .made_split
        .as_ref()
        .expect("a split was made");
    assert_eq!(made.seed, 0);
    assert_eq!(task.test.class_counts(2), [1, 1]);
}

#[test]
fn wrong_rows_are_named_with_their_line() {
    for (text, message) in [
        ("path,label\nimg/0.png\n", "DIR/m.csv: line 2: found"),
        (
            "path,label\nimg/0.png,\n",
            "DIR/m.csv: no label: all 1 rows say that there is none",
        ),
        ("path,label\n,a\n", "line 2: found an empty `path`"),
        (
            "path,label,split\nimg/0.png,a,holdout\n",
            "line 2: found the split `holdout`, expected the split train, val or test",
        ),
        (
            "path,label,split\nimg/0.png,a,train\nimg/1.png,a,\n",
            "line 3: found no split, while other rows have one",
        ),
        (
            "path,label\nimg/0.png,a\nimg/99.png,a\n",
            "DIR/m.csv: line 3 names the image `img/99.png`, which does not exist (1 of 2 listed images are missing)",
        ),
    ] {
        let dir = images();
        dir.text("m.csv", text);
        let error = dir.error(&OpenOptions::default());
        assert!(error.contains(message), "{error}");
    }
    let dir = images();
    dir.text("m.jsonl", "{\"path\": \"img/0.png\", \"label\": 1}\n[1]\n");
    assert!(
        dir.error(&OpenOptions::default())
            .contains("DIR/m.jsonl: line 2: found no JSON object")
    );
    dir.text(
        "m.jsonl",
        "{\"path\": \"img/0.png\", \"label\": 1}\n{\"path\": \"img/0.png\", \"label\": 1.5}\n",
    );
    assert!(
        dir.error(&OpenOptions::default())
            .contains("line 2: found `label`: 1.5, expected a label")
    );
}

#[test]
fn columns_of_other_names_are_named_by_the_user() {
    let dir = images();
    dir.text("m.csv", "bild,art\nimg/0.png,a\nimg/1.png,b\n");
    let options = OpenOptions {
        format: Some(Format::Csv),
        ..OpenOptions::default()
    };
    let path = dir.path("m.csv");
    let error = vlpt_data::open(&path, &options).expect_err("unknown columns");
    assert_eq!(
        dir.told(&error),
        "DIR/m.csv: no image column of a usual name (path, image, file, file_name, filename, filepath, image_id, ...); the file has bild, art"
    );
    let options = OpenOptions {
        image_column: Some("bild".to_owned()),
        label_column: Some("art".to_owned()),
        ..options
    };
    assert_eq!(
        vlpt_data::open(&path, &options).expect("it opens").classes,
        ["a", "b"]
    );
}
