//! A zip or tar as a data set.

use vlpt_data::{Format, OpenOptions, Task, leave_out, open};

use crate::fixtures::{Dir, features, pixel, pixels, png, singles};

const ARCHIVES: [&str; 4] = ["photos.zip", "photos.tar", "photos.tar.gz", "photos.tgz"];

/// The members in an archive of each kind, opened.
fn each(members: &[(&str, Vec<u8>)], check: impl Fn(&str, Result<Task, String>)) {
    for name in ARCHIVES {
        let dir = Dir::new();
        let owned: Vec<(String, Vec<u8>)> = members
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
            .collect();
        if name == "photos.zip" {
            dir.zip_of(name, &owned);
        } else {
            dir.tar(name, members);
        }
        let task = open(&dir.path(name), &OpenOptions::default());
        check(name, task.map_err(|error| dir.told(&error)));
    }
}

#[test]
fn class_folders_are_split_as_if_they_were_unpacked() {
    let paths: Vec<String> = (0..20)
        .map(|i| format!("{}/{i}.png", ["cat", "dog"][i % 2]))
        .collect();
    let members: Vec<(&str, Vec<u8>)> = (0..)
        .zip(&paths)
        .map(|(i, path)| (path.as_str(), png(i)))
        .collect();
    let plain = Dir::new();
    for (path, bytes) in &members {
        plain.bytes(&format!("photos/{path}"), bytes);
    }
    let plain = open(&plain.path("photos"), &OpenOptions::default()).expect("it opens");
    each(&members, |name, task| {
        let task = task.expect("it opens");
        assert_eq!(
            (task.provenance.format, task.name.as_str()),
            (Format::ClassFolders, "photos")
        );
        assert_eq!(task.classes, plain.classes);
        assert_eq!(pixels(&task.train), pixels(&plain.train));
        assert_eq!(pixels(&task.test), pixels(&plain.test));
        let first = singles(&plain.train)[0].0.clone();
        assert_eq!(singles(&task.train)[0].0, format!("{name}@{first}"));
        assert!(task.provenance.root.ends_with(name));
        let made = task.provenance.made_split.expect("a split was made");
        assert_ne!(
            Some(made.sha256),
            plain.provenance.made_split.clone().map(|made| made.sha256)
        );
    });
}

#[test]
fn a_folder_around_everything_is_stepped_into_and_junk_is_left_out() {
    let members = [
        ("my photos/train/cat/1.png", png(1)),
        ("my photos/train/dog/2.png", png(2)),
        ("my photos/test/cat/3.png", png(3)),
        ("my photos/test/dog/4.png", png(4)),
        ("__MACOSX/my photos/train/cat/._1.png", b"junk".to_vec()),
        ("my photos/train/cat/._1.png", b"junk".to_vec()),
        ("my photos/.DS_Store", b"junk".to_vec()),
    ];
    each(&members, |name, task| {
        let task = task.expect("it opens");
        assert_eq!(task.provenance.format, Format::ImageFolder, "{name}");
        assert_eq!(pixels(&task.train), [1, 2].map(pixel));
        assert_eq!(
            singles(&task.test)[1],
            (format!("{name}@my photos/test/dog/4.png"), 1)
        );
        let note = "everything lies in its folder `my photos`";
        assert!(task.provenance.notes.iter().any(|n| n == note));
    });
}

#[test]
fn a_table_inside_names_the_images() {
    let table = b"path,label,split\nimg/1.png,cat,train\nimg/2.png,dog,test\n".to_vec();
    let members = [
        ("labels.csv", table),
        ("img/1.png", png(1)),
        ("img/2.png", png(2)),
    ];
    each(&members, |name, task| {
        let task = task.expect("it opens");
        assert_eq!(task.provenance.format, Format::Csv);
        assert_eq!(singles(&task.test), [(format!("{name}@img/2.png"), 1)]);
        assert_eq!(pixels(&task.train), [pixel(1)]);
    });
}

#[test]
fn errors_name_the_archive_and_not_the_temporary_folder() {
    let table = b"path,label\nimg/1.png,cat\nimg/9.png,dog\n".to_vec();
    each(
        &[("labels.csv", table), ("img/1.png", png(1))],
        |name, task| {
            let error = task.expect_err("an image is missing");
            let start = format!("DIR/{name}/labels.csv: line 3 names the image `img/9.png`");
            assert!(error.starts_with(&start), "{error}");
        },
    );
    each(&[("notes.txt", b"x".to_vec())], |name, task| {
        let error = task.expect_err("no data set");
        assert!(
            error.starts_with(&format!("DIR/{name}: not a data set")),
            "{error}"
        );
    });
    each(&[("inner.zip", b"PK".to_vec())], |name, task| {
        let error = task.expect_err("an archive in an archive");
        let told =
            format!("DIR/{name}: cannot be read as data set: it holds `inner.zip` and no images");
        assert!(error.starts_with(&told), "{error}");
    });
    for file in ["data_batch_1", "test_batch.bin", "train-images-idx3-ubyte"] {
        each(&[(&format!("set/{file}"), b"x".to_vec())], |name, task| {
            let error = task.expect_err("raw pixels in an archive");
            assert!(error.starts_with(&format!("DIR/{name}: ")), "{error}");
            let told = format!("`set/{file}` and no images: unpack it");
            assert!(error.contains(&told), "{error}");
        });
    }
}

#[test]
fn paths_that_climb_and_other_ways_of_packing_are_refused() {
    let dir = Dir::new();
    dir.zip("z.zip", &[("a/1.png", 1), ("../b/2.png", 2)]);
    dir.bytes("t.tar.bz2", b"BZh91AY")
        .bytes("t.tar.xz", b"\xfd7zXZ\0\0");
    dir.bytes("t.tar.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0])
        .bytes("t.7z", b"7z\xbc\xaf")
        .bytes("t.rar", b"Rar!");
    for (name, told) in [
        ("z.zip", "refused the path `../b/2.png`"),
        (
            "t.tar.bz2",
            "it is compressed with bzip2; plain tars and those of gzip are read: unpack it with `bunzip2` first",
        ),
        ("t.tar.xz", "compressed with xz"),
        ("t.tar.zst", "compressed with Zstandard"),
        (
            "t.7z",
            "such archives are not read: unpack it and open its folder",
        ),
        (
            "t.rar",
            "such archives are not read: unpack it and open its folder",
        ),
    ] {
        let error = open(&dir.path(name), &OpenOptions::default()).expect_err("refused");
        assert!(error.to_string().contains(told), "{name}: {error}");
    }
}

/// What is left out of a task whose every image but one can be decoded.
fn one_is_left_out(mut task: Task, id: &str) {
    let images =
        task.train.len() + task.test.len() + task.val.as_ref().map_or(0, vlpt_data::Split::len);
    leave_out(&mut task, &|| ()).expect("no class is left empty");
    let left =
        task.train.len() + task.test.len() + task.val.as_ref().map_or(0, vlpt_data::Split::len);
    assert_eq!(left, images - 1);
    let out = &task.provenance.left_out;
    assert_eq!(out.len(), 1);
    assert!(
        out[0].id.contains(id) && out[0].reason.contains(id),
        "{out:?}"
    );
    let notes = task.provenance.notes.join("\n");
    let said = format!("1 of {images} images cannot be decoded and were left out");
    assert!(notes.contains(&said), "{notes}");
}

#[test]
fn a_broken_image_in_an_archive_or_a_parquet_file_is_left_out() {
    let paths: Vec<String> = (0..20)
        .map(|i| format!("{}/{i}.png", ["cat", "dog"][i % 2]))
        .collect();
    let mut members: Vec<(&str, Vec<u8>)> = (0..)
        .zip(&paths)
        .map(|(i, path)| (path.as_str(), png(i)))
        .collect();
    members[7].1.truncate(30);
    each(&members, |_, task| {
        one_is_left_out(task.expect("it opens"), "dog/7.png");
    });

    let dir = Dir::new();
    let rows: Vec<(u8, i64)> = (0..6).map(|i| (i, i64::from(i % 2))).collect();
    dir.parquet("train.parquet", &rows, &features(&["a", "b"], false), 3);
    dir.parquet("test.parquet", &rows, &features(&["a", "b"], false), 3);
    let path = dir.path("train.parquet");
    let mut bytes = std::fs::read(&path).expect("the file");
    let image = png(4);
    let at = bytes.windows(image.len()).position(|part| part == image);
    // the signature of the picture is spoilt, its length stays
    bytes[at.expect("pages are not packed")] = 0;
    std::fs::write(&path, bytes).expect("written");
    one_is_left_out(dir.open().expect("it opens"), "train.parquet");
}
