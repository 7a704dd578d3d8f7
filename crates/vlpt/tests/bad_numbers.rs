//! Numbers beyond all measure, of a command line or of a file, end in an error and in no panic.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{ok, photos, run, transcript};

/// What a command says that has to fail by itself.
fn refused(folder: &Path, args: &[&str]) -> String {
    let code = run(folder, args).status.code();
    let said = transcript(folder, args);
    assert!(matches!(code, Some(1 | 2)), "{args:?}: {said}");
    assert!(!said.contains("panicked"), "{args:?}: {said}");
    said
}

#[test]
fn settings_beyond_all_measure_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let huge = i64::MAX.to_string();
    let cases = [
        ("mmrlpp", "mmrlpp.beta", "1e-9".to_owned()),
        ("clip-lora", "clip_lora.dropout", "0.99999999".to_owned()),
        ("mmrl", "mmrl.width", huge.clone()),
        ("mmrl", "mmrl.width", "20000".to_owned()),
        ("clap", "clap.epochs", huge.clone()),
        ("lp++", "lp_plus_plus.epochs", huge.clone()),
        ("prolip", "prolip.epochs", huge.clone()),
        ("tip-adapter-f", "tip_adapter.epochs", huge.clone()),
        (
            "tip-adapter",
            "tip_adapter.search_step",
            format!("[{huge}, 20]"),
        ),
        (
            "tip-adapter",
            "tip_adapter.search_step",
            "[200, 1001]".to_owned(),
        ),
        ("coop", "train.epochs", huge.clone()),
        ("coop", "train.steps", huge.clone()),
        ("promptsrc", "train.steps_per_shot", huge.clone()),
    ];
    for (method, key, value) in cases {
        let set = format!("{key}={value}");
        let args = [
            "train", "photos", "--out", "run", "--method", method, "--set", &set,
        ];
        let said = refused(folder.path(), &args);
        let key = key.rsplit('.').next().unwrap();
        assert!(said.contains(key), "{set}: {said}");
    }
    let views = format!("views.count={huge}");
    let args = [
        "train", "photos", "--out", "run", "--views", "cached", "--set", &views,
    ];
    assert!(refused(folder.path(), &args).contains("views.count"));
    let past = (u64::MAX / 2 + 1).to_string();
    let said = refused(folder.path(), &["tune", "photos", "--seed", &past]);
    assert!(said.contains("seed = "), "{said}");
    let classes = u64::MAX.to_string();
    refused(folder.path(), &["methods", "--classes", &classes]);
    assert!(!folder.path().join("run").exists() && !folder.path().join("runs").exists());
}

#[test]
fn a_prompt_for_images_of_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    photos(at);
    ok(
        at,
        &[
            "train", "photos", "--method", "gda", "--shots", "2", "--out", "run",
        ],
    );
    let file = at.join("run/prompt/adapter_config.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(at.join("run/prompt/checksums.sha256")).unwrap();
    // a model that is named is not passed over for the prompt's own
    let named = ["embed", "photos", "--prompt", "run", "--model", "./nowhere"];
    let said = refused(at, &[&named[..], &["--out", "rows.npy"]].concat());
    assert!(said.contains("nowhere"), "{said}");
    for side in ["32", "0"] {
        let other = text.replace("\"image_size\": 64", &format!("\"image_size\": {side}"));
        assert_ne!(other, text);
        std::fs::write(&file, other).unwrap();
        for args in [
            &["predict", "run", "photos"][..],
            &["predict", "run", "photos", "--force"],
            &["eval", "run"],
            &["embed", "photos", "--prompt", "run", "--out", "rows.npy"],
        ] {
            let said = refused(at, args);
            assert!(said.contains("pixels wide and high"), "{args:?}: {said}");
        }
    }
}

#[test]
fn a_shard_is_missed_by_name_whatever_the_letters() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("set/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(
        data.join("donn\u{e9}es-train-00000-of-00003.parquet"),
        b"PAR1",
    )
    .unwrap();
    let said = refused(folder.path(), &["data", "check", "set"]);
    assert!(said.contains("donn\u{e9}es-train-00001-of-00003"), "{said}");
}
