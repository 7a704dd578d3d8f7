//! The index files of CUB-200-2011.

use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, pixel, pixels, singles};

fn set() -> Dir {
    let dir = Dir::new();
    let images = [
        "001.Sooty_Albatross/a.jpg",
        "002.Indigo_Bunting/b.jpg",
        "002.Indigo_Bunting/c d.jpg",
    ];
    for (seed, image) in (1..).zip(images) {
        dir.image(&format!("images/{image}"), seed);
    }
    dir.text(
        "images.txt",
        &format!("1 {}\n2 {}\n3 {}\n", images[0], images[1], images[2]),
    );
    dir.text("image_class_labels.txt", "1 1\n2 2\n3 2\n");
    dir.text(
        "classes.txt",
        "1 001.Sooty_Albatross\n2 002.Indigo_Bunting\n",
    );
    dir.text("train_test_split.txt", "1 1\n2 1\n3 0\n");
    dir
}

#[test]
fn the_four_files_give_classes_and_splits() {
    let dir = set();
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Cub);
    assert_eq!(task.classes, ["Sooty_Albatross", "Indigo_Bunting"]);
    assert_eq!(pixels(&task.train), [1, 2].map(pixel));
    assert_eq!(
        singles(&task.test),
        [("images/002.Indigo_Bunting/c d.jpg".to_owned(), 1)]
    );
}

#[test]
fn without_the_split_file_one_is_made() {
    let dir = set();
    fs_err::remove_file(dir.path("train_test_split.txt")).expect("removed");
    assert!(
        dir.open()
            .expect("it opens")
            .provenance
            .made_split
            .is_some()
    );
}

#[test]
fn what_contradicts_itself_is_named() {
    for (file, text, told) in [
        (
            "image_class_labels.txt",
            "1 1\n2 9\n3 2\n",
            "DIR/image_class_labels.txt: image 2: found `9`",
        ),
        (
            "image_class_labels.txt",
            "1 1\n2 2\n",
            "DIR/image_class_labels.txt: image 3: found no line",
        ),
        (
            "train_test_split.txt",
            "1 1\n2 x\n3 0\n",
            "DIR/train_test_split.txt: image 2: found `x`, expected 1 for training or 0 for testing",
        ),
        (
            "images.txt",
            "1 a.jpg\n1 b.jpg\n",
            "DIR/images.txt: line 2: found `1 b.jpg`",
        ),
        (
            "images.txt",
            "1 ../a.jpg\n",
            "DIR/images.txt: image 1: refused the path",
        ),
        (
            "images.txt",
            "1 no.jpg\n",
            "DIR/images.txt: image 1 names the image `images/no.jpg`, which does not exist",
        ),
    ] {
        let dir = set();
        dir.text(file, text);
        let error = dir.error(&OpenOptions::default());
        assert!(error.starts_with(told), "{error}");
    }
}
