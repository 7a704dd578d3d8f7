use std::thread;

use vlpt_data::image::Limits;
use vlpt_data::{Format, Metric, OpenOptions};

use crate::fixtures::{Dir, pixel, pixels, rows, singles};

fn set() -> Dir {
    let dir = Dir::new();
    dir.zip(
        "train.zip",
        &[
            ("0/1.png", 1),
            ("1/a b.png", 2),
            ("1/3.png", 3),
            ("unused.png", 9),
        ],
    );
    dir.zip("final_test.zip", &[("0/9.png", 4), ("1/9.png", 5)]);
    dir.text(
        "train.txt",
        "train.zip@0/1.png 0\ntrain.zip@1/a b.png 1\n\ntrain.zip@1/3.png 1\r\n",
    );
    dir.text(
        "test.txt",
        "final_test.zip@0/9.png 0\nfinal_test.zip@1/9.png 1",
    );
    dir.text("labels.txt", "round sign\n\nstop sign\n");
    dir
}

#[test]
fn images_are_read_from_the_zips_in_the_order_of_the_index() {
    let task = set().open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Elevater);
    assert_eq!(task.classes, ["round sign", "stop sign"]);
    let ids = [
        "train.zip@0/1.png",
        "train.zip@1/a b.png",
        "train.zip@1/3.png",
    ];
    let expected: Vec<_> = ids.into_iter().map(str::to_owned).zip([0, 1, 1]).collect();
    assert_eq!(singles(&task.train), expected);
    assert!(task.val.is_none());
    assert!(!task.multi_label);
}

#[test]
fn members_decode_stored_or_deflated() {
    let dir = set();
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.train), [1, 2, 3].map(pixel));
    assert_eq!(pixels(&task.test), [4, 5].map(pixel));
}

#[test]
fn many_threads_read_one_zip_at_once() {
    let dir = Dir::new();
    let names: Vec<String> = (0..200).map(|i| format!("{i}.png")).collect();
    let members: Vec<(&str, u8)> = names.iter().map(String::as_str).zip(0..).collect();
    dir.zip("all.zip", &members).text("labels.txt", "a\nb\n");
    let lines: Vec<String> = (0..200)
        .map(|i| format!("all.zip@{i}.png {}", i % 2))
        .collect();
    dir.text("train.txt", &lines.join("\n"))
        .text("test.txt", &lines.join("\n"));
    let task = dir.open().expect("it opens");
    thread::scope(|scope| {
        for start in 0..8 {
            let items = &task.train.samples;
            scope.spawn(move || {
                for i in (0..400).map(|i| (i * 13 + start) % items.len()) {
                    let image = items[i].load(&Limits::default()).expect("it decodes");
                    assert_eq!(image.data[..3], pixel(i as u8));
                }
            });
        }
    });
}

#[test]
fn several_labels_or_none_make_a_multi_label_task() {
    let dir = set();
    dir.text(
        "train_ic.txt",
        "train.zip@0/1.png 1,0\ntrain.zip@1/a b.png \ntrain.zip@1/3.png 1\n",
    );
    fs_err::remove_file(dir.path("train.txt")).expect("removed");
    let task = dir.open().expect("it opens");
    let labels: Vec<Vec<u32>> = rows(&task.train)
        .into_iter()
        .map(|(_, labels)| labels)
        .collect();
    assert_eq!(labels, [vec![0, 1], vec![], vec![1]]);
    assert_eq!(task.train.samples[1].image.id(), "train.zip@1/a b.png");
    assert!(task.multi_label);
    assert_eq!(task.metric, Metric::ElevenPointMap);
}

#[test]
fn index_files_are_found_by_each_of_their_names() {
    for (train, val, test, labels) in [
        ("train_ic.txt", "val_ic.txt", "test_ic.txt", "labels.txt"),
        (
            "train_images.txt",
            "valid.txt",
            "test_images.txt",
            "labelmap.txt",
        ),
        ("train.txt", "validation.txt", "test.txt", "labels.txt"),
    ] {
        let dir = set();
        for (from, to) in [
            ("train.txt", train),
            ("test.txt", test),
            ("labels.txt", labels),
        ] {
            fs_err::rename(dir.path(from), dir.path(to)).expect("renamed");
        }
        dir.text(val, "train.zip@0/1.png 0\n");
        let task = dir.open().expect("it opens");
        let val = task.val.expect("a val split");
        assert_eq!((task.train.len(), val.len(), task.test.len()), (3, 1, 2));
    }
}

const COCO: &str = r#"{"images": [
    {"id": 12, "file_name": "1/3.png", "zip_file": "train.zip"},
    {"id": 3, "file_name": "0/1.png", "zip_file": "train.zip"}],
  "annotations": [{"id": 1, "image_id": 12, "category_id": 7}, {"id": 2, "image_id": 3, "category_id": 2}],
  "categories": [{"id": 7, "name": "far"}, {"id": 2, "name": "near"}]}"#;

fn coco() -> Dir {
    let dir = set();
    for name in ["train.txt", "test.txt", "labels.txt"] {
        fs_err::remove_file(dir.path(name)).expect("removed");
    }
    dir.text("train_meta.json", COCO)
        .text("test_meta.json", COCO);
    dir
}

#[test]
fn coco_categories_and_images_are_sorted_by_id() {
    let task = coco().open().expect("it opens");
    assert_eq!(task.classes, ["near", "far"]);
    let expected = [
        ("train.zip@0/1.png".to_owned(), 0),
        ("train.zip@1/3.png".to_owned(), 1),
    ];
    assert_eq!(singles(&task.train), expected);
}

#[test]
fn coco_files_that_contradict_themselves_are_refused() {
    for (from, to, message) in [
        (
            "\"category_id\": 7",
            "\"category_id\": 8",
            "entry 0 of `annotations`: found category id 8, expected an id of `categories`",
        ),
        (
            "\"image_id\": 3",
            "\"image_id\": 4",
            "entry 1 of `annotations`: found image id 4, expected an id of `images`",
        ),
        (
            "\"id\": 12, \"file",
            "\"id\": 3, \"file",
            "image id 3: found the id twice",
        ),
        (
            "\"name\": \"far\"",
            "\"name\": \"wide\"",
            "DIR/test_meta.json: `categories`: found 2 categories",
        ),
    ] {
        let dir = coco();
        dir.text("train_meta.json", &COCO.replace(from, to));
        let error = dir.error(&OpenOptions::default());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_registry_beside_gives_name_index_files_and_kind() {
    let dir = Dir::new();
    let at = |name: &str| format!("classification/signs_20210923/{name}");
    dir.zip(&at("train.zip"), &[("1.png", 1), ("2.png", 2)]);
    dir.text(&at("first.txt"), "train.zip@1.png 0\n")
        .text(&at("second.txt"), "train.zip@2.png 1\n");
    dir.text(&at("train.txt"), "train.zip@nothing.png 0\n")
        .text(&at("names.txt"), "a\nb\n");
    dir.text(
        "vision_datasets.json",
        r#"[{"name": "other", "root_folder": "classification/other"},
            {"name": "signs", "version": 1, "type": "classification_multiclass", "root_folder": "classification/signs_20210923",
             "train": {"index_path": "first.txt"}, "test": {"index_path": "second.txt"}, "labelmap": "names.txt"}]"#,
    );
    let task = vlpt_data::open(
        &dir.path("classification/signs_20210923"),
        &OpenOptions::default(),
    )
    .expect("it opens");
    assert_eq!(task.name, "signs");
    assert_eq!(singles(&task.train), [("train.zip@1.png".to_owned(), 0)]);
    assert_eq!(singles(&task.test), [("train.zip@2.png".to_owned(), 1)]);

    dir.text(&at("first.txt"), "train.zip@1.png 0,1\n");
    let path = dir.path("classification/signs_20210923");
    let error = vlpt_data::open(&path, &OpenOptions::default()).expect_err("two labels");
    assert!(
        dir.told(&error).contains(
            "line 1: found 2 labels, expected one, as the set is registered as multi-class"
        )
    );
}

#[test]
fn a_set_is_opened_by_its_name_below_the_root_of_many() {
    let dir = Dir::new();
    for name in ["mnist_20211008", "other_20211008"] {
        let at = |file: &str| format!("classification/{name}/{file}");
        dir.zip(&at("train.zip"), &[("1.png", 1)])
            .text(&at("labels.txt"), "a\n");
        dir.text(&at("train.txt"), "train.zip@1.png 0\n")
            .text(&at("test.txt"), "train.zip@1.png 0\n");
    }
    let options = OpenOptions {
        name: Some("other".to_owned()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert!(task.provenance.root.ends_with("other_20211008"));
}

#[test]
fn wrong_entries_are_named_with_their_line() {
    for (line, message) in [
        (
            "train.zip@0/1.png 2",
            "DIR/train.txt: line 1: found label 2, expected a label from 0 to 1 (2 classes)",
        ),
        (
            "train.zip@0/1.png x,1",
            "DIR/train.txt: line 2: found `train.zip@0/1.png x,1`, expected `zip@path label[,label...]`",
        ),
        (
            "train.zip@0/7.png 1",
            "DIR/train.txt: line 1 names the image `train.zip@0/7.png`, which does not exist (1 of 1 listed images are missing)",
        ),
        (
            "nowhere.zip@0/7.png 1",
            "DIR/train.txt: line 1: needs DIR/nowhere.zip, which does not exist",
        ),
    ] {
        let dir = set();
        // a first line that is in order keeps the file recognisable
        let first = if message.contains("line 2") {
            "train.zip@0/1.png 0\n"
        } else {
            ""
        };
        dir.text("train.txt", &format!("{first}{line}\n"));
        let error = dir.error(&OpenOptions::default());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_missing_label_file_is_named() {
    let dir = set();
    fs_err::remove_file(dir.path("labels.txt")).expect("removed");
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR: needs DIR/labels.txt, which does not exist"
    );
}

#[test]
fn a_file_that_is_no_zip_is_named() {
    let dir = set();
    dir.text("train.zip", "not a zip at all");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("train.zip: cannot be read as zip:"),
        "{error}"
    );
}

#[test]
fn a_damaged_member_is_found_by_its_checksum() {
    let dir = set();
    let mut bytes = fs_err::read(dir.path("train.zip")).expect("the zip");
    let start = bytes
        .windows(4)
        .position(|w| w == b"IDAT")
        .expect("the first image is stored");
    bytes[start + 8] ^= 0xff;
    dir.bytes("train.zip", &bytes);
    let task = dir.open().expect("the index is whole");
    let error = task.train.samples[0]
        .image
        .read()
        .expect_err("the member is not")
        .to_string();
    assert!(
        error.starts_with("train.zip@0/1.png: cannot be read as zip:"),
        "{error}"
    );
}
