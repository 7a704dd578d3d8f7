//! What the recogniser passes over, steps into, and says where nothing fits.

use vlpt_data::{Format, LabelFromName, OpenOptions, Task};

use crate::fixtures::{Dir, rows};

fn noted(task: &Task, text: &str) {
    let notes = &task.provenance.notes;
    assert!(
        notes.iter().any(|note| note.contains(text)),
        "{text}: {notes:#?}"
    );
}

fn pets() -> Dir {
    let dir = Dir::new();
    for i in 0..3 {
        dir.image(&format!("cat/{i}.png"), i)
            .image(&format!("dog/{i}.png"), 9 + i);
    }
    dir
}

#[test]
fn what_systems_and_tools_leave_behind_is_no_class() {
    for junk in [
        "@eaDir/1.jpg/SYNO.jpg",
        "__MACOSX/cat/._1.jpg",
        ".ipynb_checkpoints/1.png",
        "#recycle/1.png",
        "$RECYCLE.BIN/1.png",
        "System Volume Information/1.png",
        "lost+found/1.png",
        "__pycache__/1.png",
        "cat/Thumbs.db",
        "cat/@eaDir/0.png/SYNO.png",
        "cat/desktop.ini",
    ] {
        let dir = pets();
        dir.image(junk, 50);
        let task = dir.open().expect(junk);
        assert_eq!(task.classes, ["cat", "dog"], "{junk}");
        let images =
            task.train.len() + task.test.len() + task.val.as_ref().map_or(0, vlpt_data::Split::len);
        assert_eq!(images, 6, "{junk}");
        noted(
            &task,
            "1 files or folders that systems and tools leave behind were passed over",
        );
    }
}

#[test]
fn unlabelled_images_are_noted_and_no_class() {
    for (path, note) in [
        ("test/1.png", "1 images in `test` lie in no class folder"),
        (
            "test/unlabeled/1.png",
            "1 images in `test/unlabeled` have no label, as the folder's name says",
        ),
        (
            "test/images/1.png",
            "1 images in `test/images` have no label",
        ),
        (
            "train/unsup/1.png",
            "1 images in `train/unsup` have no label",
        ),
        ("train/1.png", "1 images in `train` lie in no class folder"),
        (
            "unlabeled/1.png",
            "folders beside those of the splits were passed over: `unlabeled`",
        ),
    ] {
        let dir = Dir::new();
        for i in 0..3 {
            dir.image(&format!("train/cat/{i}.png"), i)
                .image(&format!("train/dog/{i}.png"), 9 + i);
        }
        dir.image(path, 99);
        let task = dir.open().expect(path);
        assert_eq!(task.classes, ["cat", "dog"], "{path}");
        noted(&task, note);
    }
    let dir = pets();
    dir.image("loose.png", 77).image("unlabelled/1.png", 78);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["cat", "dog"]);
    noted(
        &task,
        "1 images in the folder itself lie in no class folder",
    );
    noted(&task, "1 images in `unlabelled` have no label");
}

#[test]
fn folders_of_a_test_of_the_same_name_are_stepped_into() {
    let dir = Dir::new();
    dir.image("train/train/a/1.png", 1)
        .image("train/train/b/1.png", 2)
        .image("test/test/a/1.png", 3)
        .image("test/test/b/1.png", 4);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["a", "b"]);
    noted(&task, "the class folders lie in `train/train`");
}

#[test]
fn flat_folders_of_two_splits_are_no_classes() {
    for (train, test) in [
        ("train", "test"),
        ("train", "test1"),
        ("train_images", "test_images"),
    ] {
        let dir = Dir::new();
        dir.image(&format!("{train}/1.png"), 1)
            .image(&format!("{test}/2.png"), 2);
        let error = dir.open().expect_err("no labels");
        assert!(
            error.hint().expect("a way out").contains("without labels"),
            "{error}"
        );
    }
}

#[test]
fn folders_that_name_a_split_among_other_words_are_told() {
    let sets = |train: &str, test: &str| {
        let dir = Dir::new();
        for (seed, path) in [(1, train), (3, test)] {
            dir.image(&format!("{path}/a/1.png"), seed)
                .image(&format!("{path}/b/1.png"), seed + 1);
        }
        dir
    };
    let task = sets("training_set", "test_set").open().expect("it opens");
    assert_eq!(
        (task.classes.len(), task.train.len(), task.test.len()),
        (2, 2, 2)
    );
    let error = sets("seg_train", "seg_test")
        .open()
        .expect_err("other names");
    let hint = error.hint().expect("a way out");
    assert!(hint.contains("rename `seg_test` to `test`"), "{hint}");
}

#[test]
fn a_class_called_train_is_read_and_noted() {
    let dir = pets();
    dir.image("train/0.png", 70).image("train/1.png", 71);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["cat", "dog", "train"]);
    noted(
        &task,
        "`train` is read as a class, though it is named like a split",
    );
}

#[test]
fn nested_folders_are_read_where_they_are_alike_and_named_where_they_may_be_sets() {
    let dir = Dir::new();
    for (i, path) in [
        "circle/x/1.png",
        "circle/y/1.png",
        "square/x/1.png",
        "square/z/1.png",
    ]
    .iter()
    .enumerate()
    {
        dir.image(path, i as u8);
    }
    assert_eq!(dir.open().expect("it opens").classes, ["circle", "square"]);
    let dir = Dir::new();
    for (i, path) in [
        "animals/cat/1.png",
        "animals/dog/1.png",
        "cars/bus/1.png",
        "cars/van/1.png",
    ]
    .iter()
    .enumerate()
    {
        dir.image(path, i as u8);
    }
    let error = dir.open().expect_err("which level?");
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "nearest are class folders: `--format classfolders` takes `animals`, `cars` for the classes; or open one of them"
        )
    );
    assert_eq!(
        dir.open_as(Format::ClassFolders).expect("it opens").classes,
        ["animals", "cars"]
    );
}

#[test]
fn a_named_format_steps_into_the_only_folder_too() {
    let dir = Dir::new();
    dir.image("x/y/cat/1.png", 1).image("x/y/dog/1.png", 2);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["cat", "dog"]);
    noted(&task, "the data set lies in the folder `x/y` inside");
    let error = Dir::new().open().expect_err("an empty folder");
    assert!(
        error.to_string().contains("nothing: the folder is empty"),
        "{error}"
    );
}

#[test]
fn what_was_seen_is_told() {
    let dir = Dir::new();
    dir.bytes("cat/1.heic", b"x")
        .bytes("cat/2.HEIC", b"y")
        .text("notes.txt", "z")
        .bytes("old.zip", b"PK");
    let error = dir.open().expect_err("no images").to_string();
    assert!(error.contains("1 folder: `cat`"), "{error}");
    assert!(
        error.contains("2 .heic (HEIC photos), 1 .txt, 1 .zip"),
        "{error}"
    );
    assert!(error.contains("archives: `old.zip`"), "{error}");
}

#[test]
fn a_class_in_the_file_name_is_suggested_and_read() {
    let dir = Dir::new();
    for i in 0..4 {
        dir.image(&format!("cat.{i}.png"), i)
            .image(&format!("big_dog_{i}.png"), 9 + i);
    }
    let error = dir.open().expect_err("no labels");
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "nearest is a class in the file name: `--label-from-name prefix` finds 2 classes, `big_dog`, `cat`"
        )
    );
    let options = OpenOptions {
        label_from_name: Some(LabelFromName::Prefix),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(task.classes, ["big_dog", "cat"]);
    assert_eq!(task.provenance.format, Format::FileNames);
    assert!(rows(&task.train).contains(&("cat.0.png".to_owned(), vec![1])) || task.test.len() > 1);
}

#[test]
fn classnames_txt_beside_class_folders_acts() {
    let dir = pets();
    dir.text("classnames.txt", "tabby\nhound\n");
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["tabby", "hound"]);
    noted(
        &task,
        "a line for each folder in sorted order: `cat` is `tabby`, `dog` is `hound`",
    );
    dir.text("classnames.txt", "cat tabby cat\n");
    assert!(
        dir.error(&OpenOptions::default())
            .contains("no line for the folder `dog`")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_unicode_are_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = pets();
    let odd = OsStr::from_bytes(b"caf\xe9");
    fs_err::rename(dir.path("dog"), dir.path("").join(odd)).expect("renamed");
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/caf\u{fffd}: the name is not UTF-8"
    );
    let dir = pets();
    for i in 0..2u8 {
        let name = [b'a' + i, 0xe9, b'.', b'p', b'n', b'g'];
        let place = dir.path("cat").join(OsStr::from_bytes(&name));
        fs_err::copy(dir.path("cat/0.png"), place).expect("copied");
    }
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/cat/a\u{fffd}.png: the name is not UTF-8 (nor are 1 other names in its folder)"
    );
    let skip = OpenOptions {
        broken: vlpt_data::BrokenImages::Skip,
        ..OpenOptions::default()
    };
    let error = dir.open().expect_err("it stops");
    assert!(error.hint().expect("a way out").contains("--broken skip"));
    let task = dir.open_with(&skip).expect("it opens without them");
    assert_eq!(task.classes, ["cat", "dog"]);
    let note =
        "2 images or folders whose names are not UTF-8 were left out, such as `cat/a\u{fffd}.png`";
    assert!(task.provenance.notes.iter().any(|n| n == note));
    // a table names its images, so others do not matter
    dir.text("m.csv", "path,label\ncat/0.png,a\ncat/1.png,b\n");
    assert_eq!(dir.open().expect("it opens").classes, ["a", "b"]);
}
