use vlpt_data::{Format, Metric, OpenOptions};

use crate::fixtures::{Dir, singles};

fn pets() -> Dir {
    let dir = Dir::new();
    dir.image("train/dog/2.png", 1)
        .image("train/dog/10.PNG", 2)
        .image("train/big_cat/a.png", 3);
    dir.image("test/dog/t.png", 4)
        .image("test/big_cat/t.png", 5);
    dir
}

#[test]
fn classes_are_the_sorted_folders_and_files_are_sorted_by_name() {
    let task = pets().open().expect("it opens");
    assert_eq!(task.provenance.format, Format::ImageFolder);
    assert_eq!(task.classes, ["big_cat", "dog"]);
    let expected = [
        ("train/big_cat/a.png", 0),
        ("train/dog/10.PNG", 1),
        ("train/dog/2.png", 1),
    ];
    assert_eq!(
        singles(&task.train),
        expected.map(|(id, label)| (id.to_owned(), label))
    );
    assert_eq!(task.test.len(), 2);
    assert!(task.val.is_none());
    assert!(!task.multi_label);
    assert_eq!(task.metric, Metric::Accuracy);
    assert_eq!(task.templates, ["a photo of a {}."]);
}

#[test]
fn underscores_of_a_folder_name_are_kept_and_noted() {
    let task = pets().open().expect("it opens");
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.contains("`big_cat` hold underscores"))
    );
}

#[test]
fn nested_folders_come_in_the_order_of_torchvision() {
    let dir = pets();
    // os.walk gives a, a/b, a-b; sorted by path: a, a-b, a/b
    dir.image("train/dog/a/b/1.png", 1)
        .image("train/dog/a-b/1.png", 1)
        .image("train/dog/a/z.png", 1);
    let task = dir.open().expect("it opens");
    let ids: Vec<String> = singles(&task.train)
        .into_iter()
        .map(|(id, _)| id)
        .skip(1)
        .collect();
    let expected = ["10.PNG", "2.png", "a-b/1.png", "a/z.png", "a/b/1.png"];
    let expected: Vec<String> = expected
        .iter()
        .map(|name| format!("train/dog/{name}"))
        .collect();
    assert_eq!(ids.iter().filter(|id| id.contains("a-b")).count(), 1);
    // `-` sorts before `/`, so `a-b` comes before everything in `a`'s own folders
    let mut by_folder = expected.clone();
    by_folder.sort_by_key(|id| {
        let (folder, name) = id.rsplit_once('/').expect("a folder");
        (folder.to_owned(), name.to_owned())
    });
    assert_eq!(ids, by_folder);
}

#[test]
fn files_that_are_no_images_and_hidden_files_are_passed_over() {
    let dir = pets();
    dir.text("train/dog/notes.md", "x")
        .image("train/dog/._2.png", 9)
        .image("train/.hidden/1.png", 9);
    let task = dir.open().expect("it opens");
    assert_eq!(task.train.len(), 3);
    let note = "1 files that are not images were passed over, such as `train/dog/notes.md`";
    assert!(
        task.provenance.notes.iter().any(|n| n == note),
        "{:?}",
        task.provenance.notes
    );
}

#[test]
fn a_class_folder_without_images_is_an_error_that_names_it() {
    let dir = pets();
    dir.text("train/empty/readme.txt", "soon");
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/train/empty: class folder without images"
    );
}

#[test]
fn a_class_folder_without_images_is_dropped_on_request() {
    let dir = pets();
    dir.folder("train/empty");
    let options = OpenOptions {
        drop_empty_classes: true,
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(task.classes, ["big_cat", "dog"]);
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.contains("such as `train/empty`"))
    );
}

#[test]
fn a_class_of_the_test_split_alone_does_not_shift_the_labels() {
    let dir = pets();
    dir.image("test/cow/1.png", 6);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["big_cat", "cow", "dog"]);
    assert_eq!(task.train.class_counts(3), [1, 0, 2]);
    assert_eq!(task.test.class_counts(3), [1, 1, 1]);
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.starts_with("the train split has no folder for 1"))
    );
}

#[test]
fn classnames_txt_gives_folders_their_names() {
    let dir = Dir::new();
    dir.image("train/n02/1.png", 1)
        .image("train/n01/1.png", 2)
        .image("valid/n01/2.png", 3);
    dir.image("test/n02/3.png", 4)
        .text("classnames.txt", "n02 house cat\nn01 tench\n");
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["tench", "house cat"]);
    assert_eq!(task.val.expect("valid/ is val").len(), 1);
}

#[test]
fn a_folder_that_classnames_txt_forgets_is_named() {
    let dir = pets();
    dir.text("classnames.txt", "dog hound\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("DIR/classnames.txt: class folders: found no line for the folder `big_cat`"),
        "{error}"
    );
}

#[test]
fn val_is_the_test_split_where_there_is_no_test() {
    let dir = Dir::new();
    dir.image("train/a/1.png", 1)
        .image("train/b/1.png", 2)
        .image("val/a/2.png", 3)
        .image("val/b/2.png", 4);
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (2, 2));
    assert!(task.val.is_none());
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note.contains("the val split is the test split"))
    );
}

#[test]
fn two_folders_for_one_split_are_refused() {
    let dir = pets();
    dir.image("val/dog/1.png", 1).image("valid/dog/1.png", 1);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("val split: found both `val` and `valid`"),
        "{error}"
    );
}

#[test]
fn equal_names_of_two_classes_are_noted() {
    let dir = pets();
    dir.text("classnames.txt", "dog animal\nbig_cat animal\n");
    let task = dir.open().expect("it opens");
    let note = "the class name `animal` stands for several labels: [0, 1]";
    assert!(
        task.provenance.notes.iter().any(|n| n.starts_with(note)),
        "{:?}",
        task.provenance.notes
    );
}
