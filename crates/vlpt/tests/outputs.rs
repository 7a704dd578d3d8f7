//! Where results are written: never into the data, through links and devices.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{contents, ok, photos, run, write_png};

/// Two classes of photos, a prompt tuned on them, and a published checkpoint.
fn prompt_and_photos(folder: &Path) {
    photos(folder);
    let train = ["train", "photos", "--method", "coop", "--shots", "1"];
    ok(
        folder,
        &[&train[..], &["--epochs", "1", "--out", "coop"]].concat(),
    );
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vlpt-adapter/tests/golden");
    let checkpoint = golden.join("checkpoints/coop-legacy.pth.tar");
    fs::copy(checkpoint, folder.join("coop.pth.tar")).unwrap();
}

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

#[test]
fn folders_of_other_commands_inside_their_data_are_refused_before_any_work() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt_and_photos(folder);
    let before = contents(&folder.join("photos"));
    let commands: [&[&str]; 9] = [
        &["import", "coop.pth.tar", "--data", "photos"],
        &["export", "coop", "--int8", "--data", "photos"],
        &["tune", "photos"],
        &["study", "plan", "--task", "photos", "--method", "coop"],
        &["multitask", "source", "--task", "photos"],
        &["multitask", "adapt", "photos", "--init-from", "coop"],
        &[
            "multitask",
            "adapt",
            "photos",
            "--init-from",
            "coop",
            "--scratch",
        ],
        &["multitask", "joint", "--task", "photos"],
        &[
            "bench",
            "coop",
            "--task",
            "EuroSAT=photos",
            "--own-values",
            "--shots",
            "1",
            "--seeds",
            "1",
        ],
    ];
    for words in commands {
        for out in ["photos/new", "photos/red/new"] {
            let output = run(folder, &[words, &["--out", out]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
            let lies = format!("{out}: lies in the data set ");
            assert!(said.contains(&lies), "{words:?}: {said}");
            assert!(said.contains("hint: choose a folder outside"), "{said}");
        }
    }
    assert!(contents(&folder.join("photos")) == before);
}

#[test]
fn rows_of_an_evaluation_are_not_written_into_its_data() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt_and_photos(folder);
    #[cfg(unix)]
    std::os::unix::fs::symlink("photos", folder.join("link")).unwrap();
    let before = contents(&folder.join("photos"));
    let link = if cfg!(unix) { "link" } else { "photos" };
    let rows = [
        "photos/rows.csv",
        "photos/red/rows.jsonl",
        "photos/rows.parquet",
        &format!("{link}/rows.csv"),
    ];
    // the data named, and that of the run
    for verb in [
        &["eval", "coop", "photos"][..],
        &["eval", "coop"],
        &["zeroshot", "photos"],
    ] {
        for rows in rows {
            let output = run(folder, &[verb, &["--predictions", rows]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{rows}: {said}");
            let lies = format!("{rows}: lies in the folder of the data set ");
            assert!(said.contains(&lies), "{said}");
            assert!(said.contains("outside the data set with --predictions"));
        }
    }
    assert!(contents(&folder.join("photos")) == before);
    // beside it, in a folder that is never read, and beside a table that was named itself
    fs::create_dir(folder.join("photos/.answers")).unwrap();
    for rows in ["rows.csv", "photos/.answers/rows.csv"] {
        ok(folder, &["eval", "coop", "photos", "--predictions", rows]);
    }
    let said = ok(folder, &["data", "check", "photos", "--json"]);
    assert!(said.contains("classfolders"), "{said}");
    let table: Vec<String> = ["red", "blue"]
        .iter()
        .flat_map(|class| (0..10).map(move |i| format!("photos/{class}/{i}.png,{class}\n")))
        .collect();
    fs::write(
        folder.join("table.csv"),
        format!("path,label\n{}", table.concat()),
    )
    .unwrap();
    let args = ["eval", "coop", "table.csv", "--predictions", "rows.csv"];
    ok(folder, &args);
}

#[cfg(unix)]
#[test]
fn a_folder_is_written_where_a_link_leads_and_never_over_a_device() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt_and_photos(folder);
    let at = |name: &str| folder.join(name);
    symlink("/dev/null", at("null")).unwrap();
    let commands: [(&[&str], &str); 4] = [
        (
            &["import", "coop.pth.tar", "--data", "photos"],
            "adapter_config.json",
        ),
        (
            &["export", "coop", "--format", "classifier"],
            "class_names.txt",
        ),
        (&["average", "coop", "other"], "adapter_config.json"),
        (&["tune", "photos", "--methods", "gda"], "tune.json"),
    ];
    let train = ["train", "photos", "--method", "coop", "--shots", "1"];
    let other = ["--epochs", "1", "--seed", "2", "--out", "other"];
    ok(folder, &[&train[..], &other].concat());
    for (words, file) in commands {
        let (dangling, empty) = (format!("{}-new", words[0]), format!("{}-empty", words[0]));
        symlink(format!("deep/{dangling}"), at(&dangling)).unwrap();
        fs::create_dir_all(at("deep").join(&empty)).unwrap();
        symlink(format!("deep/{empty}"), at(&empty)).unwrap();
        for link in [&dangling, &empty] {
            ok(folder, &[words, &["--out", link]].concat());
            assert!(
                fs::symlink_metadata(at(link)).unwrap().is_symlink(),
                "{link}"
            );
            assert!(at("deep").join(link).join(file).is_file(), "{link}");
        }
        for device in ["null", "/dev/null"] {
            let output = run(folder, &[words, &["--out", device]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{words:?}");
            assert!(said.contains(device) && said.contains("hint: "), "{said}");
            assert!(
                said.contains("exists already") || words[0] == "tune",
                "{said}"
            );
        }
        assert!(fs::symlink_metadata(at("null")).unwrap().is_symlink());
        assert!(!at("null.new").exists() && !Path::new("/dev/null.new").exists());
    }
    assert_eq!(
        fs::read_dir(at("deep")).unwrap().count(),
        2 * commands.len()
    );
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
