use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, pixel, pixels, png, singles};

fn sample(key: &str, seed: u8, label: &str) -> [(String, Vec<u8>); 2] {
    [
        (format!("{key}.png"), png(seed)),
        (format!("{key}.cls"), label.as_bytes().to_vec()),
    ]
}

fn tar(dir: &Dir, path: &str, members: &[(String, Vec<u8>)]) {
    let members: Vec<(&str, Vec<u8>)> = members
        .iter()
        .map(|(n, b)| (n.as_str(), b.clone()))
        .collect();
    dir.tar(path, &members);
}

fn set() -> Dir {
    let dir = Dir::new();
    tar(
        &dir,
        "train/0.tar",
        &[sample("s1", 1, "0"), sample("deep/s.2", 2, "1\n")].concat(),
    );
    tar(&dir, "train/1.tar", &sample("s3", 3, "1"));
    tar(&dir, "test/0.tar", &sample("s4", 4, "0"));
    dir.text("train/nshards.txt", "2")
        .text("test/nshards.txt", "1\n");
    dir.text("classnames.txt", "cat\ndog\n");
    dir.text(
        "zeroshot_classification_templates.txt",
        "a photo of a {c}.\nan image of {c}\n\n",
    );
    dir
}

#[test]
fn shards_come_in_order_and_bring_classes_and_templates() {
    let dir = set();
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::WebDataset);
    assert_eq!(task.classes, ["cat", "dog"]);
    assert_eq!(task.templates, ["a photo of a {}.", "an image of {}"]);
    let rows = singles(&task.train);
    assert_eq!(rows[0], ("train/0.tar@s1.png".to_owned(), 0));
    assert_eq!(rows[2], ("train/1.tar@s3.png".to_owned(), 1));
    assert_eq!(task.test.len(), 1);
    assert_eq!(pixels(&task.train)[0], pixel(1));
    assert_eq!(pixels(&task.train)[2], pixel(3));
}

#[test]
fn a_key_ends_at_the_first_dot_of_the_last_part() {
    let dir = set();
    let members = [
        ("v1.0/a.png".to_owned(), png(5)),
        ("v1.0/a.cls".to_owned(), b"1".to_vec()),
        ("v1.0/b.cls".to_owned(), b"0".to_vec()),
        ("v1.0/b.small.png".to_owned(), png(6)),
    ];
    tar(&dir, "test/0.tar", &members);
    let task = dir.open().expect("it opens");
    let expected = [
        ("test/0.tar@v1.0/a.png".to_owned(), 1),
        ("test/0.tar@v1.0/b.small.png".to_owned(), 0),
    ];
    assert_eq!(singles(&task.test), expected);
}

#[test]
fn ten_shards_are_sorted_by_number() {
    let dir = set();
    for i in 0..11u8 {
        tar(&dir, &format!("test/{i}.tar"), &sample("s", i, "0"));
    }
    dir.text("test/nshards.txt", "11");
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.test), (0..11).map(pixel).collect::<Vec<_>>());
}

#[test]
fn a_missing_shard_is_noticed() {
    let dir = set();
    dir.text("train/nshards.txt", "3");
    let error = dir.error(&OpenOptions::default());
    assert_eq!(
        error,
        "DIR/train/nshards.txt: line 1: found 3 shards, expected 2, the number of tars in DIR/train"
    );
}

#[test]
fn wrong_samples_are_named() {
    let image = ("s9.png".to_owned(), png(1));
    for (members, message) in [
        (
            sample("s9", 1, "2").to_vec(),
            "DIR/train/1.tar: sample `s9`: found `2` in its .cls file, expected a label from 0 to 1",
        ),
        (
            sample("s9", 1, "bird").to_vec(),
            "found `bird` in its .cls file",
        ),
        (
            vec![image.clone()],
            "sample `s9`: found 1 images and no .cls file",
        ),
        (
            vec![("s9.cls".to_owned(), b"1".to_vec())],
            "sample `s9`: found 0 images and a .cls file",
        ),
        (
            vec![
                image,
                ("s9.jpg".to_owned(), png(1)),
                ("s9.cls".to_owned(), b"1".to_vec()),
            ],
            "found 2 images",
        ),
    ] {
        let dir = set();
        tar(&dir, "train/1.tar", &members);
        let error = dir.error(&OpenOptions::default());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_truncated_tar_is_refused() {
    let dir = set();
    let bytes = fs_err::read(dir.path("train/1.tar")).expect("the tar");
    dir.bytes("train/1.tar", &bytes[..600]);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("train/1.tar: cannot be read as tar:"),
        "{error}"
    );
}

#[test]
fn a_compressed_tar_is_read_and_a_damaged_one_refused_with_its_reason() {
    let dir = set();
    tar(&dir, "train/1.tar.gz", &sample("s3", 3, "1"));
    // by what is in it, not by its name
    fs_err::rename(dir.path("train/1.tar.gz"), dir.path("train/1.tar")).expect("renamed");
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.train)[2], pixel(3));
    dir.bytes("train/1.tar", &[0x1f, 0x8b, 8, 0, 0]);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("train/1.tar: cannot be read as tar: gzip: "),
        "{error}"
    );
}

#[test]
fn a_missing_class_list_is_named() {
    let dir = set();
    fs_err::remove_file(dir.path("classnames.txt")).expect("removed");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("needs DIR/classnames.txt, which does not exist"),
        "{error}"
    );
}

#[test]
fn an_empty_shard_among_others_is_named() {
    let shard = |dir: &Dir, name: &str, seed: u8| {
        let members = [("1.png", png(seed)), ("1.cls", b"cat".to_vec())];
        dir.tar(name, &members);
    };
    for empty in [Vec::new(), vec![0; 1024]] {
        let dir = Dir::new();
        shard(&dir, "train-000000.tar", 1);
        dir.bytes("train-000001.tar", &empty);
        shard(&dir, "test-000000.tar", 2);
        let told = dir.error(&OpenOptions::default());
        assert!(told.contains("train-000001.tar"), "{told}");
        assert!(told.contains("holds no files"), "{told}");
        // read as one set where nothing is empty
        shard(&dir, "train-000001.tar", 3);
        assert_eq!(dir.open().expect("it opens").train.len(), 2);
    }
}
