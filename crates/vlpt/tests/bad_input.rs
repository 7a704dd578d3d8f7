//! Bad input gets one clear message, with the place and the way out, and the right exit code.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::fs;

use common::{photos, transcript, vlpt, write_png};

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\(os error \d+\)", "(os error)");
    settings.add_filter(r"[0-9a-f]{64}", "[sha256]");
    settings.set_prepend_module_to_snapshot(false);
    settings
}

macro_rules! says {
    ($name:literal, $folder:expr, $args:expr) => {
        settings().bind(|| insta::assert_snapshot!($name, transcript($folder, $args)));
    };
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    says!(
        "missing_image",
        folder.path(),
        &["preprocess", "absent.jpg", "--explain"]
    );
    says!("missing_data", folder.path(), &["data", "check", "absent"]);
    says!(
        "missing_prompt",
        folder.path(),
        &["predict", "absent/prompt", "absent.jpg"]
    );
}

#[test]
fn an_unknown_model_is_named_with_near_ones() {
    let folder = tempfile::tempdir().unwrap();
    says!(
        "unknown_model",
        folder.path(),
        &["model", "check", "ViT-B-16/openia"]
    );
    says!(
        "model_not_cached_offline",
        folder.path(),
        &["model", "check", "some-org/some-model"]
    );
}

#[test]
fn a_truncated_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_png(&folder.path().join("whole.png"), [1, 2, 3]);
    let bytes = fs::read(folder.path().join("whole.png")).unwrap();
    fs::write(folder.path().join("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    says!(
        "truncated_image",
        folder.path(),
        &["preprocess", "cut.png", "--explain"]
    );
    fs::write(folder.path().join("empty.png"), b"").unwrap();
    says!(
        "empty_image",
        folder.path(),
        &["preprocess", "empty.png", "--explain"]
    );
    fs::write(folder.path().join("note.jpg"), b"this is no image at all").unwrap();
    says!(
        "not_an_image",
        folder.path(),
        &["preprocess", "note.jpg", "--explain"]
    );
}

#[test]
fn a_wrong_tensor_shape_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    let assets =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../vlpt-clip/assets/mini-clip");
    for entry in fs::read_dir(assets).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, model.join(path.file_name().unwrap())).unwrap();
    }
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    fs::write(
        model.join("config.json"),
        config.replace("\"projection_dim\": 256", "\"projection_dim\": 96"),
    )
    .unwrap();
    says!(
        "wrong_tensor_shape",
        folder.path(),
        &["model", "check", "./model"]
    );
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    fs::write(folder.path().join("run.toml"), "[train]\nepoch = 3\n").unwrap();
    says!(
        "unknown_key",
        folder.path(),
        &["train", "photos", "--config", "run.toml", "--out", "run"]
    );
    says!(
        "unknown_set_key",
        folder.path(),
        &["train", "photos", "--set", "train.epoch=3", "--out", "run"]
    );
    says!(
        "unknown_recipe",
        folder.path(),
        &["train", "photos", "--recipe", "coop-papper", "--out", "run"]
    );
}

#[test]
fn a_class_folder_without_images_is_named() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    fs::create_dir(folder.path().join("photos/green")).unwrap();
    says!(
        "empty_class_folder",
        folder.path(),
        &["train", "photos", "--out", "run"]
    );
}

#[test]
fn a_split_file_naming_an_absent_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_png(&folder.path().join("eurosat/2750/Forest/a.png"), [0, 90, 0]);
    fs::write(
        folder.path().join("eurosat/split_zhou_EuroSAT.json"),
        r#"{"train": [["Forest/a.png", 0, "Forest"], ["Forest/b.png", 0, "Forest"]], "val": [], "test": [["Forest/a.png", 0, "Forest"]]}"#,
    )
    .unwrap();
    says!(
        "absent_image_in_split",
        folder.path(),
        &["data", "check", "eurosat"]
    );
}

#[test]
fn a_text_that_is_too_long_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let long = "one ".repeat(100);
    says!("text_too_long", folder.path(), &["tokenize", &long]);
    let cut = common::ok(folder.path(), &["tokenize", "--truncate", "--json", &long]);
    let rows: serde_json::Value = serde_json::from_str(&cut).unwrap();
    assert_eq!(rows[0]["ids"].as_array().unwrap().len(), 77);
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    fs::write(folder.path().join("file"), b"").unwrap();
    says!(
        "unwritable_folder",
        folder.path(),
        &["train", "photos", "--out", "file/run"]
    );
}

#[test]
fn an_error_under_json_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let output = vlpt()
        .current_dir(folder.path())
        .args(["--json", "data", "check", "absent"])
        .output()
        .unwrap();
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["exit_code"], 1);
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("absent")
    );
}

/// A sparse file, which takes no place on the disk.
#[test]
fn an_image_file_that_is_too_large_is_named_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    common::prompt(folder.path());
    let huge = fs::File::create(folder.path().join("huge.png")).unwrap();
    huge.set_len(600 << 20).unwrap();
    let said = transcript(folder.path(), &["predict", "prompt", "huge.png"]);
    assert!(!said.starts_with("exit code: 0"), "{said}");
    assert!(
        said.contains("huge.png: 629145600 bytes, ") && said.contains("; image files of up to "),
        "{said}"
    );
}

/// The command on a disk of 64 KiB of which 4 are left: exit code, the files on the disk, and what was said. The disk is
/// made for the test, which needs the right to mount; containers and some systems refuse it, and it is none then.
#[cfg(target_os = "linux")]
fn on_a_full_disk(
    folder: &std::path::Path,
    args: &[&str],
) -> Option<(Option<i32>, String, String)> {
    let script = "mount -t tmpfs -o size=64k none small || exit 77; head -c 60000 /dev/zero > small/filler; \
                  \"$0\" \"$@\" > said; code=$?; find small -type f; exit $code";
    let mut command = std::process::Command::new("unshare");
    let shell = ["--user", "--map-root-user", "--mount", "sh", "-c", script];
    command.args(shell).arg(env!("CARGO_BIN_EXE_vlpt"));
    let output = command
        .args(args)
        .current_dir(folder)
        .env("VLPT_MODEL", "mini-clip")
        .output()
        .ok()?;
    let said = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code();
    let there = String::from_utf8(output.stdout).unwrap();
    (code != Some(77) && !said.contains("unshare:")).then_some((code, there, said))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    fs::create_dir(folder.path().join("small")).unwrap();
    let study = [
        "study",
        "plan",
        "--task",
        "synthetic:shapes",
        "--task",
        "synthetic:stripes",
        "--task",
        "synthetic:textures",
    ];
    let commands: [(&[&str], &str); 3] = [
        (&["embed", "photos"], "small/features.npy"),
        (&["preprocess", "photos/red/0.png"], "small/view.npy"),
        (&study, "small/study"),
    ];
    for (words, out) in commands {
        let args = [words, &["--out", out]].concat();
        let Some((code, there, said)) = on_a_full_disk(folder.path(), &args) else {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: this system does not let a test mount a small disk\n"),
            );
            return;
        };
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains(out) && said.contains("No space left"),
            "{said}"
        );
        // a hint for this command, which has neither
        let (_, hint) = said.split_once("hint: free some space").expect(&said);
        assert!(
            !hint.contains("resume") && !hint.contains("checkpoint"),
            "{said}"
        );
        assert_eq!(
            there, "small/filler\n",
            "nothing but what was there is left"
        );
    }
}
