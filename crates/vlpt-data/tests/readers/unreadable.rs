//! Files and folders of a set that are not read: too large for an image, or closed to whoever opens it.

use vlpt_data::DataError;

use crate::fixtures::Dir;

#[cfg(unix)] // elsewhere a file has the place on disk that its length asks for
#[test]
fn an_image_file_of_a_class_folder_that_is_too_large_is_not_read() {
    let dir = Dir::new();
    dir.image("train/a/1.png", 1).image("test/a/1.png", 1);
    let huge = fs_err::File::create(dir.path("train/a/2.png")).expect("a file");
    huge.set_len(600 << 20).expect("a hole");
    let task = dir.open().expect("it opens");
    let error = task.train.samples[1].image.read().expect_err("too large");
    let DataError::ImageFileTooLarge { origin, bytes, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((&*origin, bytes), ("train/a/2.png", 600 << 20));
}

#[cfg(unix)]
#[test]
fn a_class_folder_that_may_not_be_listed_is_an_error_that_names_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    for image in ["train/a/1.png", "train/b/1.png", "test/a/1.png"] {
        dir.image(image, 1);
    }
    let closed = dir.path("train/b");
    let allow = |mode| {
        fs_err::set_permissions(&closed, PermissionsExt::from_mode(mode)).expect("permissions");
    };
    allow(0o000);
    if closed.read_dir().is_ok() {
        allow(0o755);
        eprintln!("LEFT OUT: root reads every folder, so none was closed");
        return;
    }
    let error = dir.error(&vlpt_data::OpenOptions::default());
    allow(0o755);
    assert!(
        error.contains("train/b") && error.to_lowercase().contains("permission denied"),
        "{error}"
    );
}
