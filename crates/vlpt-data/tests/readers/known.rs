//! What a task takes from the catalogue.

use vlpt_data::{Metric, OpenOptions};

use crate::fixtures::Dir;

const CIFAR10: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

fn folders(classes: &[&str]) -> Dir {
    let dir = Dir::new();
    for (i, class) in (0..).zip(classes) {
        dir.image(&format!("train/{class}/1.png"), i)
            .image(&format!("test/{class}/2.png"), i);
    }
    dir
}

#[test]
fn a_set_is_known_by_its_list_of_classes() {
    let task = folders(&CIFAR10).open().expect("it opens");
    assert_eq!(task.name, "cifar-10");
    assert_eq!(task.templates.len(), 18);
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.contains("elevater/cifar-10"))
    );
}

#[test]
fn some_of_its_classes_do_not_make_a_folder_a_known_set() {
    let task = folders(&CIFAR10[..4]).open().expect("it opens");
    assert_eq!(task.templates, ["a photo of a {}."]);
}

#[test]
fn a_name_that_the_user_gives_is_looked_up() {
    let dir = folders(&["abyssinian", "beagle"]);
    let options = OpenOptions {
        name: Some("oxford-iiit-pets".to_owned()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(task.metric, Metric::MeanPerClass);
    assert_eq!(task.templates, ["a photo of a {}, a type of pet."]);
}

#[test]
fn a_name_of_the_users_own_stays() {
    let options = OpenOptions {
        name: Some("my birds".to_owned()),
        ..OpenOptions::default()
    };
    let task = folders(&CIFAR10).open_with(&options).expect("it opens");
    assert_eq!(task.name, "my birds");
    assert_eq!(task.templates.len(), 18);
}

#[test]
fn a_folder_called_like_a_known_set_with_other_classes_is_not_that_set() {
    let dir = Dir::new();
    for class in ["round", "square"] {
        dir.image(&format!("mnist/train/{class}/1.png"), 1)
            .image(&format!("mnist/test/{class}/1.png"), 2);
    }
    let task = vlpt_data::open(&dir.path("mnist"), &OpenOptions::default()).expect("it opens");
    assert_eq!(task.templates, ["a photo of a {}."]);
    assert_eq!(task.name, "mnist");
}

#[test]
fn elevater_folders_take_the_published_class_names() {
    let dir = Dir::new();
    let at = |file: &str| format!("patch_camelyon_20211007/{file}");
    dir.zip(&at("train.zip"), &[("1.png", 1), ("2.png", 2)]);
    dir.text(&at("train.txt"), "train.zip@1.png 0\ntrain.zip@2.png 1\n");
    dir.text(&at("test.txt"), "train.zip@1.png 0\n")
        .text(&at("labels.txt"), "no tumor\ntumor\n");
    let path = dir.path("patch_camelyon_20211007");
    let task = vlpt_data::open(&path, &OpenOptions::default()).expect("it opens");
    assert_eq!(
        task.classes,
        [
            "lymph node",
            "lymph node containing metastatic tumor tissue"
        ]
    );
    let note = "class 0 is `lymph node` there and `no tumor` in the label file";
    assert!(
        task.provenance.notes.iter().any(|n| n.contains(note)),
        "{:?}",
        task.provenance.notes
    );
    // a file of the user's own has the last word
    let options = OpenOptions {
        class_file: Some(path.join("labels.txt")),
        ..OpenOptions::default()
    };
    assert_eq!(
        vlpt_data::open(&path, &options).expect("it opens").classes,
        ["no tumor", "tumor"]
    );
}
