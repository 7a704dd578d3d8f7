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
