use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, features};

#[test]
fn an_unknown_layout_tells_what_was_looked_for() {
    let dir = Dir::new();
    dir.text("readme.txt", "nothing here");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("DIR: not a data set of a known layout; there is:\n  - 1 file: 1 .txt\nlooked for:\n  - webdataset: "),
        "{error}"
    );
    for format in Format::READABLE {
        assert!(error.contains(&format!("\n  - {format}: ")), "{error}");
    }
}

#[test]
fn sets_one_folder_below_are_told() {
    let dir = Dir::new();
    dir.image("mine/pets/train/a/1.png", 1)
        .image("mine/bare/a/1.png", 1)
        .image("mine/bare/b/1.png", 1);
    let error = vlpt_data::open(&dir.path("mine"), &OpenOptions::default()).expect_err("two sets");
    assert!(
        error
            .to_string()
            .ends_with("data sets:\n  - bare (classfolders)\n  - pets (imagefolder)"),
        "{error}"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("open one of the folders inside, or choose it with --name")
    );
}

#[test]
fn two_layouts_at_once_are_ambiguous_until_one_is_named() {
    let dir = Dir::new();
    dir.image("train/a/1.png", 1)
        .image("train/b/1.png", 2)
        .image("test/a/1.png", 3);
    dir.text("m.csv", "path,label\ntrain/a/1.png,x\ntrain/b/1.png,y\n");
    let error = dir.open().expect_err("two layouts");
    assert_eq!(
        dir.told(&error),
        "DIR: more than one layout fits:\n  - imagefolder: class folders below test/, train/\n  - csv: the manifest m.csv"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("name the format with --format: one of imagefolder, csv")
    );
    assert_eq!(
        dir.open_as(Format::Csv).expect("it opens").classes,
        ["x", "y"]
    );
    assert_eq!(
        dir.open_as(Format::ImageFolder).expect("it opens").classes,
        ["a", "b"]
    );
}

#[test]
fn class_folders_beside_a_manifest_are_its_images() {
    let dir = Dir::new();
    dir.image("a/1.png", 1)
        .image("b/1.png", 2)
        .text("m.csv", "path,label\na/1.png,x\nb/1.png,y\n");
    assert_eq!(dir.open().expect("it opens").provenance.format, Format::Csv);
}

#[test]
fn a_named_layout_that_does_not_fit_says_what_it_needs() {
    let dir = Dir::new();
    dir.image("a/1.png", 1).image("b/1.png", 2);
    for format in Format::READABLE
        .into_iter()
        .filter(|f| *f != Format::ClassFolders)
    {
        let error = dir.open_as(format).expect_err("another layout");
        let start = format!("DIR: cannot be read as {format}: expected ");
        assert!(dir.told(&error).starts_with(&start), "{error}");
    }
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let error = Dir::new()
        .open_with(&OpenOptions::default())
        .map(|_| ())
        .map_err(|e| e.to_string());
    assert!(
        error
            .expect_err("an empty folder")
            .contains("not a data set")
    );
    let path = std::path::Path::new("/no/such/folder");
    let error = vlpt_data::open(path, &OpenOptions::default()).expect_err("nothing there");
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}

#[test]
fn the_reason_is_told() {
    let dir = Dir::new();
    dir.parquet(
        "data/train-00000-of-00001.parquet",
        &[(1, 0), (2, 1)],
        &features(&["a", "b"], false),
        2,
    );
    let task = dir.open().expect("it opens");
    assert_eq!(
        task.provenance.recognised_by,
        "the Parquet file data/train-00000-of-00001.parquet"
    );
}

#[test]
fn format_names_are_read_however_they_are_written() {
    for name in ["ImageFolder", "image-folder", "IMAGE_FOLDER"] {
        assert_eq!(
            name.parse::<Format>().expect("a format"),
            Format::ImageFolder
        );
    }
    let error = "imgfolder".parse::<Format>().expect_err("no format");
    assert_eq!(error.to_string(), "unknown data format `imgfolder`");
    assert!(error.hint().contains("imagefolder"));
    for name in ["synthetic", "drawn"] {
        assert_eq!(name.parse::<Format>().expect("a format"), Format::Synthetic);
    }
}
