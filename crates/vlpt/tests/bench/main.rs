//! Benchmarks as a user runs them: small sets in the suites' layouts, drawn by the test.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
mod find;
mod tables;
mod ways;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use common::{ok, write_png};

/// Quick settings: two epochs of two context tokens, few test images.
pub(crate) const QUICK: [&str; 12] = [
    "--own-values",
    "--set",
    "train.epochs=2",
    "--set",
    "coop.context=2",
    "--seeds",
    "1,2",
    "--shots",
    "2",
    "--test-images",
    "8",
    "--quiet",
];

/// A colour for a class, a little different for each image.
pub(crate) fn colour(class: usize, image: usize) -> [u8; 3] {
    let base = [[200, 20, 20], [20, 200, 20], [20, 20, 200], [180, 180, 10]][class % 4];
    base.map(|c: u8| c.saturating_add((image * 3) as u8))
}

/// A set of CoOp's suite: class folders and a split file, `train`, `val` and `test` images a class.
pub(crate) fn coop_set(folder: &Path, images: &str, split: &str, classes: &[&str]) {
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (label, class) in classes.iter().enumerate() {
        for image in 0..8 {
            let path = format!("{}/{image}.png", class.replace(' ', "_"));
            write_png(&folder.join(images).join(&path), colour(label, image));
            let part = [
                "train", "train", "train", "train", "val", "val", "test", "test",
            ][image];
            lists
                .entry(part)
                .or_default()
                .push(json!([path, label, class]));
        }
    }
    std::fs::write(folder.join(split), json!(lists).to_string()).unwrap();
}

/// EuroSAT and DTD with four classes each.
pub(crate) fn two_sets(root: &Path) {
    let land = ["Forest", "River", "Highway", "Pasture Land"];
    coop_set(
        &root.join("sets/eurosat"),
        "2750",
        "split_zhou_EuroSAT.json",
        &land,
    );
    let textures = ["banded", "dotted", "woven", "zigzagged"];
    let split = "split_zhou_DescribableTextures.json";
    coop_set(&root.join("sets/dtd"), "images", split, &textures);
}

/// An image whose name ends in `.jpg`, whatever it is.
pub(crate) fn write_jpg(path: &Path, colour: [u8; 3]) {
    let image = path.with_extension("png");
    write_png(&image, colour);
    std::fs::rename(image, path).unwrap();
}

pub(crate) fn class_folders(folder: &Path, classes: &[(&str, usize)], count: usize) {
    for (class, number) in classes {
        for image in 0..count {
            write_png(
                &folder.join(class).join(format!("{image}.png")),
                colour(*number, image),
            );
        }
    }
}

/// Rows of a table by the names of its columns.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let head: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|line| head.iter().cloned().zip(line).collect())
        .collect()
}

pub(crate) fn bench(root: &Path, args: &[&str], more: &[&str]) -> String {
    ok(root, &[&["bench"], args, &QUICK, more].concat())
}
