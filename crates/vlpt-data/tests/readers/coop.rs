use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, rows, singles};

const SPLIT: &str = r#"{"train": [["b/1.jpg", 1, "Highway or Road"], ["a/1.jpg", 0, "Forest"]],
  "val": [["a/2.jpg", 0, "Forest"]], "test": [["b/2.jpg", 1, "Highway or Road"]]}"#;

fn set(images: &str, file: &str) -> Dir {
    let dir = Dir::new();
    for (i, name) in (1..).zip(["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]) {
        let place = if images.is_empty() {
            name.to_owned()
        } else {
            format!("{images}/{name}")
        };
        dir.image(&place, i);
    }
    dir.text(file, SPLIT);
    dir
}

#[test]
fn labels_names_and_order_come_from_the_split_file() {
    let task = set("2750", "split_zhou_EuroSAT.json")
        .open()
        .expect("it opens");
    assert_eq!(task.provenance.format, Format::Coop);
    assert_eq!(task.classes, ["Forest", "Highway or Road"]);
    assert_eq!(
        singles(&task.train),
        [
            ("2750/b/1.jpg".to_owned(), 1),
            ("2750/a/1.jpg".to_owned(), 0)
        ]
    );
    assert_eq!(task.val.expect("it has one").len(), 1);
    assert_eq!(rows(&task.test), [("2750/b/2.jpg".to_owned(), vec![1])]);
}

#[test]
fn each_set_of_the_suite_has_its_image_folder() {
    for (images, file) in [
        ("101_ObjectCategories", "split_zhou_Caltech101.json"),
        ("images", "split_zhou_OxfordPets.json"),
        ("jpg", "split_zhou_OxfordFlowers.json"),
        ("images", "split_zhou_Food101.json"),
        ("SUN397", "split_zhou_SUN397.json"),
        ("images", "split_zhou_DescribableTextures.json"),
        ("2750", "split_zhou_EuroSAT.json"),
        ("UCF-101-midframes", "split_zhou_UCF101.json"),
        ("", "split_zhou_StanfordCars.json"), // paths start with cars_train/ or cars_test/
        ("photos", "split_zhou_MyOwn.json"),  // a set of one's own: the folder is found
        ("", "split_zhou_MyOwn.json"),
    ] {
        let task = set(images, file).open().expect(file);
        let want = if images.is_empty() {
            "a/1.jpg".to_owned()
        } else {
            format!("{images}/a/1.jpg")
        };
        assert_eq!(task.train.samples[1].image.id(), want, "{file}");
    }
}

#[test]
fn an_absent_image_is_named_with_its_entry_and_the_count() {
    let dir = set("2750", "split_zhou_EuroSAT.json");
    fs_err::remove_file(dir.path("2750/a/1.jpg")).expect("removed");
    fs_err::remove_file(dir.path("2750/b/2.jpg")).expect("removed");
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/split_zhou_EuroSAT.json: entry 1 of `train` names the image `2750/a/1.jpg`, which does not exist (2 of 4 listed images are missing)"
    );
}

#[test]
fn absent_images_are_left_out_on_request() {
    let dir = set("2750", "split_zhou_EuroSAT.json");
    fs_err::remove_file(dir.path("2750/a/1.jpg")).expect("removed");
    let options = OpenOptions {
        skip_missing_images: true,
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(singles(&task.train), [("2750/b/1.jpg".to_owned(), 1)]);
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.starts_with("1 of 4 images"))
    );
}

#[test]
fn a_label_with_two_names_is_refused() {
    let dir = set("2750", "x.txt");
    dir.text(
        "split_zhou_EuroSAT.json",
        &SPLIT.replace(r#"["a/2.jpg", 0, "Forest"]"#, r#"["a/2.jpg", 0, "Wood"]"#),
    );
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/split_zhou_EuroSAT.json: entry 0 of `val`: found class name `Wood` for label 0, expected `Forest`, as in the entries before"
    );
}

#[test]
fn labels_with_a_gap_are_refused() {
    let dir = set("2750", "x.txt");
    dir.text("split_zhou_EuroSAT.json", &SPLIT.replace(", 1, ", ", 2, "));
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/split_zhou_EuroSAT.json: labels: found label 2 and no label 1, expected labels from 0 without gaps"
    );
}

#[test]
fn entries_of_a_wrong_shape_are_named() {
    for (text, message) in [
        (
            r#"{"train": [["a/1.jpg", "0", "Forest"]], "test": []}"#,
            r#"entry 0 of `train`: found `["a/1.jpg","0","Forest"]`, expected [path, label from 0, class name]"#,
        ),
        (
            r#"{"train": []}"#,
            "key `test`: found no such key, expected train, val and test",
        ),
        (
            r#"{"train": 3, "test": []}"#,
            "key `train`: found `3`, expected a list of [path, label, class name]",
        ),
        ("{", "line 1, column 1: found no JSON"),
    ] {
        let dir = set("2750", "x.txt");
        dir.text("split_zhou_EuroSAT.json", text);
        let error = dir.error(&OpenOptions::default());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_known_folder_without_its_split_file_says_which_file_is_needed() {
    let dir = Dir::new();
    dir.image("stanford_cars/cars_train/00001.jpg", 1);
    let error =
        vlpt_data::open(&dir.path("stanford_cars"), &OpenOptions::default()).expect_err("no split");
    assert_eq!(
        dir.told(&error),
        "StanfordCars in the CoOp layout (DIR/stanford_cars): needs DIR/stanford_cars/split_zhou_StanfordCars.json, which does not exist"
    );
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("split_zhou_StanfordCars.json")
    );
}

#[test]
fn aircraft_reads_its_own_lists() {
    let dir = Dir::new();
    for (i, id) in (0..).zip(["001", "002", "003"]) {
        dir.image(&format!("images/{id}.jpg"), i);
    }
    dir.text("variants.txt", "A340-200\nBoeing 717\n");
    dir.text("images_variant_train.txt", "001 Boeing 717\n");
    dir.text("images_variant_val.txt", "002 A340-200\n")
        .text("images_variant_test.txt", "003 Boeing 717\n");
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["A340-200", "Boeing 717"]);
    assert_eq!(singles(&task.train), [("images/001.jpg".to_owned(), 1)]);
    assert_eq!(singles(&task.test), [("images/003.jpg".to_owned(), 1)]);
    dir.text("images_variant_test.txt", "003 Boeing 718\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error
            .contains("line 1: found the variant `Boeing 718`, expected a variant of variants.txt"),
        "{error}"
    );
}

#[test]
fn imagenet_sorts_folders_and_has_no_val_split() {
    let dir = Dir::new();
    dir.image("images/train/n02000000/b.JPEG", 1)
        .image("images/train/n01000000/a.JPEG", 2);
    dir.image("images/val/n01000000/v.JPEG", 3)
        .image("images/val/n02000000/v.JPEG", 4);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("needs DIR/classnames.txt, which does not exist"),
        "{error}"
    );
    dir.text(
        "classnames.txt",
        "n02000000 great white shark\nn01000000 tench\nn03000000 unused\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.name.to_lowercase(), "imagenet");
    assert_eq!(task.classes, ["tench", "great white shark"]);
    assert_eq!(
        singles(&task.train)[0],
        ("images/train/n01000000/a.JPEG".to_owned(), 0)
    );
    assert!(task.val.is_none());
    assert_eq!(task.test.len(), 2);
}

#[test]
fn variants_of_imagenet_are_for_testing_with_their_own_classes() {
    let dir = Dir::new();
    dir.image("imagenet-a/n02000000/b.jpg", 1)
        .image("imagenet-a/n01000000/a.jpg", 2)
        .text("imagenet-a/README.txt", "x");
    dir.text(
        "classnames.txt",
        "n01000000 tench\nn02000000 shark\nn03000000 unused\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["tench", "shark"]);
    assert!(task.train.is_empty());
    assert_eq!(task.test.class_counts(2), [1, 1]);

    let dir = Dir::new();
    let place = "imagenetv2-matched-frequency-format-val";
    dir.image(&format!("{place}/2/b.jpeg"), 1)
        .image(&format!("{place}/10/a.jpeg"), 2);
    let lines: Vec<String> = (0..12).map(|i| format!("n{i:08} class {i}")).collect();
    dir.text("classnames.txt", &lines.join("\n"));
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes.len(), 12);
    let expected = [
        (format!("{place}/2/b.jpeg"), 2),
        (format!("{place}/10/a.jpeg"), 10),
    ];
    assert_eq!(singles(&task.test), expected);
}
