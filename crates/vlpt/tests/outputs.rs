//! Where results are written: never into the data, through links and devices.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{ok, photos, run, write_png};

#[test]
fn a_run_inside_its_data_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    for part in ["train", "test"] {
        for i in 0..3u8 {
            write_png(
                &folder.path().join(format!("split/{part}/a/{i}.png")),
                [i, 0, 0],
            );
            write_png(
                &folder.path().join(format!("split/{part}/b/{i}.png")),
                [0, i, 200],
            );
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("photos", folder.path().join("link")).unwrap();
    let refused = [
        ("photos", "photos"),
        ("photos", "photos/run"),
        ("photos", "photos/red/run"),
        ("photos", "./split/../photos/new/run"),
        ("photos", "link/run"),
        ("split", "split"),
        ("split", "split/train/run"),
    ];
    for (data, out) in refused {
        let output = run(
            folder.path(),
            &["train", data, "--shots", "1", "--epochs", "1", "--out", out],
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{out}: {said}");
        assert!(said.contains("--out"), "{out}: {said}");
    }
    let output = run(
        folder.path(),
        &[
            "multitask",
            "source",
            "--task",
            "photos",
            "--task",
            "synthetic:shapes",
            "--shots",
            "1",
            "--epochs",
            "1",
            "--out",
            "photos/run",
        ],
    );
    assert!(!output.status.success());
    ok(folder.path(), &["data", "check", "photos"]);
    ok(folder.path(), &["data", "check", "split"]);
    assert_eq!(
        fs::read_dir(folder.path().join("photos")).unwrap().count(),
        2
    );
    // beside the splits nothing is read
    ok(
        folder.path(),
        &[
            "train",
            "split",
            "--shots",
            "1",
            "--epochs",
            "1",
            "--out",
            "split/runs",
        ],
    );
    ok(folder.path(), &["data", "check", "split"]);
}

#[cfg(unix)]
#[test]
fn a_link_and_a_device_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("target.npy", at("link.npy")).unwrap();
    ok(
        folder.path(),
        &["preprocess", "photos/red/0.png", "--out", "link.npy"],
    );
    assert!(fs::symlink_metadata(at("link.npy")).unwrap().is_symlink());
    assert!(fs::metadata(at("target.npy")).unwrap().len() > 1000);
    std::os::unix::fs::symlink("/dev/null", at("null")).unwrap();
    ok(
        folder.path(),
        &["preprocess", "photos/red/0.png", "--out", "null"],
    );
    assert!(fs::symlink_metadata(at("null")).unwrap().is_symlink());
    // standard output is a pipe here
    let output = run(
        folder.path(),
        &[
            "--quiet",
            "preprocess",
            "photos/red/0.png",
            "--out",
            "/dev/stdout",
        ],
    );
    assert!(output.status.success());
    assert!(output.stdout.windows(5).any(|part| part == b"NUMPY"));
}
