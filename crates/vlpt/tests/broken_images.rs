//! Images that cannot be decoded: the flag that leaves them out, and what is recorded.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::vlpt;

/// A binary Netpbm picture of one colour and a little noise.
fn picture(seed: u8, tint: u8) -> Vec<u8> {
    let mut bytes = b"P6 40 40 255\n".to_vec();
    bytes.extend((0..40_u32 * 40 * 3).map(|i| {
        let noise = (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        (noise.wrapping_mul(seed | 1) / 4).wrapping_add(tint)
    }));
    bytes
}

/// Two classes of eight images in `train` and `test`; with `broken`, three in `train` that cannot be decoded beside them.
fn set(folder: &Path, broken: bool) {
    split(&folder.join("test"), false);
    split(&folder.join("train"), broken);
}

fn split(folder: &Path, broken: bool) {
    for (class, tint) in [("cat", 20), ("dog", 150)] {
        let place = folder.join(class);
        fs_err::create_dir_all(&place).unwrap();
        for i in 0..8 {
            let name = format!("{i:03}.ppm");
            fs_err::write(place.join(name), picture(i * 2 + tint, tint)).unwrap();
        }
        if broken {
            fs_err::write(place.join("001a.jpg"), b"").unwrap();
        }
    }
    if broken {
        let cut = &picture(3, 20)[..500];
        fs_err::write(folder.join("cat/005a.ppm"), cut).unwrap();
    }
}

fn train(data: &Path, out: &Path, more: &[&str]) -> (bool, String) {
    let mut command = vlpt();
    command.args([
        "train",
        "--model",
        "mini-clip",
        "--epochs",
        "1",
        "--shots",
        "2",
        "--no-cache",
    ]);
    command.arg(data).arg("--out").arg(out).args(more);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

#[test]
fn broken_images_stop_by_default_and_are_left_out_on_request_as_if_they_were_deleted() {
    let dir = tempfile::tempdir().unwrap();
    // The same name, which a run knows its task by.
    let (broken, whole) = (dir.path().join("a/set"), dir.path().join("b/set"));
    set(&broken, true);
    set(&whole, false);
    let run = |name: &str| dir.path().join(name);
    let (good, text) = train(&broken, &run("stopped"), &["--set", "few_shot.shots=all"]);
    assert!(!good);
    assert!(text.contains("--broken skip"), "{text}");

    let (good, text) = train(&broken, &run("skipped"), &["--broken", "skip"]);
    assert!(good, "{text}");
    let listed = fs_err::read_to_string(run("skipped").join("left-out.json")).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");

    let (good, text) = train(&whole, &run("whole"), &[]);
    assert!(good, "{text}");
    assert!(!run("whole").join("left-out.json").exists());
    let subset = |name: &str| fs_err::read(run(name).join("subset.json")).unwrap();
    assert_eq!(subset("skipped"), subset("whole"));
    let prompt = |name: &str| {
        let folder = run(name).join("prompt");
        let mut files = fs_err::read_dir(folder).unwrap().map(|f| f.unwrap().path());
        let tensors = files.find(|f| f.extension().is_some_and(|e| e == "safetensors"));
        fs_err::read(tensors.unwrap()).unwrap()
    };
    assert_eq!(prompt("skipped"), prompt("whole"));
    let config = fs_err::read_to_string(run("whole").join("config.toml")).unwrap();
    assert!(
        !config.contains("broken") && !config.contains("exif"),
        "{config}"
    );
}

#[test]
fn a_class_of_broken_images_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("set");
    set(&data, false);
    for i in 0..8 {
        fs_err::write(data.join(format!("train/dog/{i:03}.ppm")), b"P6 9").unwrap();
    }
    let (good, text) = train(&data, &dir.path().join("run"), &["--broken", "skip"]);
    assert!(!good);
    assert!(text.contains("class dog"), "{text}");
}

#[test]
fn choices_of_decoding_are_remembered_by_the_prompt() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("set");
    set(&data, false);
    let run = dir.path().join("run");
    let more = [
        "--exif",
        "apply",
        "--grey16",
        "scale",
        "--resize-order",
        "pillow13",
    ];
    let (good, text) = train(&data, &run, &more);
    assert!(good, "{text}");
    let adapter = fs_err::read_dir(run.join("prompt")).unwrap();
    let written: String = adapter
        .map(|f| f.unwrap().path())
        .filter(|f| f.extension().is_some_and(|e| e == "json"))
        .map(|f| fs_err::read_to_string(f).unwrap())
        .collect();
    for word in [
        "\"exif\": \"apply\"",
        "\"grey16\": \"scale\"",
        "\"resize_order\": \"pillow13\"",
    ] {
        assert!(written.contains(word), "{word}: {written}");
    }
    let mut command = vlpt();
    command
        .arg("eval")
        .arg(&run)
        .arg(&data)
        .args(["--no-cache", "--json"]);
    assert!(command.output().unwrap().status.success());
}
