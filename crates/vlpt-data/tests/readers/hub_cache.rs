//! The cache of the Hugging Face hub, where a snapshot is a folder of links.
#![cfg(unix)]

use std::os::unix::fs::symlink;

use vlpt_data::{OpenOptions, open};

use crate::fixtures::{Dir, features, pixel, pixels};

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// A repository with one snapshot of two Parquet files, all of them links.
fn repository(dir: &Dir, revision: &str, seed: u8) {
    let names = features(&["cat", "dog"], false);
    for (split, blob) in [("train", "aa"), ("test", "bb")] {
        let blob = format!("{blob}{seed}");
        dir.parquet(
            &format!("datasets--me--shapes/blobs/{blob}"),
            &[(seed, 0), (seed + 1, 1)],
            &names,
            2,
        );
        let folder = format!("datasets--me--shapes/snapshots/{revision}/data");
        dir.folder(&folder);
        let link = dir.path(&format!("{folder}/{split}-00000-of-00001.parquet"));
        symlink(format!("../../../blobs/{blob}"), link).expect("a link");
    }
}

#[test]
fn a_snapshot_is_read_by_its_links_and_has_the_name_of_its_repository() {
    let dir = Dir::new();
    repository(&dir, REVISION, 1);
    let snapshot = format!("datasets--me--shapes/snapshots/{REVISION}");
    let file = format!("{snapshot}/data/test-00000-of-00001.parquet");
    let task = open(&dir.path(&snapshot), &OpenOptions::default()).expect("it opens");
    assert_eq!(
        (task.name.as_str(), task.train.len(), task.test.len()),
        ("shapes", 2, 2)
    );
    assert_eq!(pixels(&task.test), [1, 2].map(pixel));
    let task = open(&dir.path(&file), &OpenOptions::default()).expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (0, 2));
}

#[test]
fn the_repository_opens_at_the_revision_of_main_or_the_only_one() {
    let dir = Dir::new();
    repository(&dir, REVISION, 1);
    let path = dir.path("datasets--me--shapes");
    let task = open(&path, &OpenOptions::default()).expect("it opens");
    let note = format!("opened the snapshot {REVISION}, the only one");
    assert_eq!(task.provenance.notes.last(), Some(&note));
    assert_eq!(pixels(&task.test), [1, 2].map(pixel));

    repository(&dir, "ffff", 11);
    let error = open(&path, &OpenOptions::default()).expect_err("there are two");
    let told = dir.told(&error);
    assert!(told.contains(&format!("found {REVISION}, ffff")), "{told}");

    dir.text("datasets--me--shapes/refs/main", "ffff\n");
    let task = open(&path, &OpenOptions::default()).expect("it opens");
    assert_eq!(
        task.provenance.notes.last().map(String::as_str),
        Some("opened the snapshot ffff, the one that refs/main names")
    );
    assert_eq!(pixels(&task.test), [11, 12].map(pixel));
}

#[test]
fn images_in_class_folders_may_be_links_to_blobs_as_well() {
    let dir = Dir::new();
    let root = "datasets--me--photos";
    for (i, place) in (1..).zip([
        "train/cat/1.png",
        "train/dog/1.png",
        "test/cat/2.png",
        "test/dog/2.png",
    ]) {
        dir.image(&format!("{root}/blobs/{i}"), i);
        let link = dir.path(&format!("{root}/snapshots/r/{place}"));
        fs_err::create_dir_all(link.parent().expect("a parent")).expect("folders");
        symlink(format!("../../../../blobs/{i}"), link).expect("a link");
    }
    let task = open(&dir.path(root), &OpenOptions::default()).expect("it opens");
    assert_eq!(pixels(&task.test), [3, 4].map(pixel));
}

#[test]
fn other_links_out_of_a_snapshot_stay_refused() {
    for to in [
        "../../../../other/blobs/x",
        "../../../refs/x",
        "/etc/hostname",
    ] {
        let dir = Dir::new();
        repository(&dir, REVISION, 1);
        dir.bytes("other/blobs/x", b"PAR1")
            .bytes("datasets--me--shapes/refs/x", b"PAR1");
        let snapshot = dir.path(&format!("datasets--me--shapes/snapshots/{REVISION}"));
        symlink(to, snapshot.join("data/validation-00000-of-00001.parquet")).expect("a link");
        let error = open(&snapshot, &OpenOptions::default()).expect_err("it leads out");
        assert!(
            error
                .to_string()
                .contains("a link that leads out of the data set"),
            "{error}"
        );
    }
    // `blobs` may not be a link itself, nor do other folders have blobs
    let dir = Dir::new();
    repository(&dir, REVISION, 1);
    fs_err::rename(
        dir.path("datasets--me--shapes/blobs"),
        dir.path("elsewhere"),
    )
    .expect("moved");
    symlink(
        dir.path("elsewhere"),
        dir.path("datasets--me--shapes/blobs"),
    )
    .expect("a link");
    let path = dir.path(&format!("datasets--me--shapes/snapshots/{REVISION}"));
    let error = open(&path, &OpenOptions::default()).expect_err("it leads out");
    assert!(
        error
            .to_string()
            .contains("a link that leads out of the data set"),
        "{error}"
    );
}
