//! `vlpt embed` on many images: what an interrupted command has made is gone on with.
#![allow(missing_docs)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{ok, run, vlpt, write_png};

const IMAGES: usize = 400;

fn many(folder: &Path) {
    for i in 0..IMAGES {
        let name = format!("many/{i:04}.png");
        write_png(&folder.join(name), [i as u8, (i / 3) as u8, 7]);
    }
}

#[test]
fn a_killed_embedding_goes_on_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    many(here);
    ok(here, &["embed", "many", "--out", "whole.safetensors"]);
    let part = here.join("out.safetensors.part");
    let mut child = vlpt()
        .current_dir(here)
        .args(["embed", "many", "--out", "out.safetensors"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_mins(2);
    // Some batches, not all: SIGKILL then leaves rows behind.
    while fs::metadata(&part).map_or(0, |m| m.len()) < 40_000 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = fs::metadata(&part).map_or(0, |m| m.len());
    assert!(left > 0, "nothing was kept");
    let output = run(here, &["embed", "many", "--out", "out.safetensors"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("goes on after"), "{said}");
    let read = |name| fs::read(here.join(name)).unwrap();
    assert!(read("out.safetensors") == read("whole.safetensors"));
    assert!(!part.exists() && !here.join("out.safetensors.part.json").exists());
}

#[test]
fn rows_of_other_images_are_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for name in ["a", "b"] {
        write_png(&here.join(format!("{name}.png")), [9, 200, 30]);
    }
    fs::write(here.join("o.npy.part"), vec![1; 4096 * 40]).unwrap();
    fs::write(here.join("o.npy.part.json"), "{}").unwrap();
    ok(here, &["embed", "a.png", "b.png", "--out", "o.npy"]);
    ok(here, &["embed", "a.png", "b.png", "--out", "p.npy"]);
    let read = |name| fs::read(here.join(name)).unwrap();
    assert!(read("o.npy") == read("p.npy"));
}

#[test]
fn broken_images_have_no_row_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for i in 0..40 {
        write_png(&here.join(format!("all/{i:02}.png")), [i, 90, 7]);
        write_png(&here.join(format!("whole/{i:02}.png")), [i, 90, 7]);
    }
    for name in ["03a.jpg", "35a.png"] {
        fs::write(here.join("all").join(name), "no image").unwrap();
    }
    let stopped = run(here, &["embed", "all", "--out", "o.npy"]);
    assert!(!stopped.status.success());
    let said = String::from_utf8(stopped.stderr).unwrap();
    assert!(said.contains("--broken skip"), "{said}");
    assert!(!here.join("o.npy").exists());

    ok(here, &["embed", "whole", "--out", "whole.npy"]);
    for out in ["o.npy", "o.safetensors"] {
        let args = ["--json", "embed", "all", "--broken", "skip", "--out", out];
        let output = run(here, &args);
        assert!(output.status.success());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("2 of 42") && told.contains("35a.png"),
            "{told}"
        );
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["rows"], 40);
        assert_eq!(result["left_out"].as_array().unwrap().len(), 2);
    }
    let read = |name| fs::read(here.join(name)).unwrap();
    assert!(read("o.npy") == read("whole.npy"));
    let tensors = read("o.safetensors");
    let length = u64::from_le_bytes(tensors[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&tensors[8..8 + length]).unwrap();
    let list = |key: &str| -> Vec<serde_json::Value> {
        serde_json::from_str(header["__metadata__"][key].as_str().unwrap()).unwrap()
    };
    assert_eq!(list("names").len(), 40);
    assert!(
        list("left_out")[0]["name"]
            .as_str()
            .unwrap()
            .ends_with("03a.jpg")
    );

    fs::create_dir(here.join("none")).unwrap();
    fs::write(here.join("none/a.png"), "no image").unwrap();
    let none = run(
        here,
        &["embed", "none", "--broken", "skip", "--out", "n.npy"],
    );
    let said = String::from_utf8(none.stderr).unwrap();
    assert!(said.contains("none of the 1 images"), "{said}");
    assert!(!here.join("n.npy.part").exists());
}

#[test]
fn rows_stay_where_the_file_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for i in 0..40u8 {
        write_png(&here.join(format!("many/{i:02}.png")), [i, 9, 7]);
    }
    fs::create_dir(here.join("o.npy")).unwrap();
    let args = ["embed", "many", "--out", "o.npy"];
    assert!(!run(here, &args).status.success());
    assert!(here.join("o.npy.part").exists());
    fs::remove_dir(here.join("o.npy")).unwrap();
    let output = run(here, &args);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("goes on after 32 of 40 images"), "{said}");
    ok(here, &["embed", "many", "--out", "p.npy"]);
    let read = |name| fs::read(here.join(name)).unwrap();
    assert!(read("o.npy") == read("p.npy"));
}
