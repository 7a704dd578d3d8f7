//! Large sets, only by name: time and most memory as a table in Markdown.
//!
//! `VLPT_SCALE=N` divides the numbers of images and classes by N. The pictures are 8 x 8 pixels, so
//! the numbers speak of lists, caches and text, not of decoding.

use std::path::Path;
use std::time::Duration;

use vlpt_data::image::RgbImage;

use crate::Size;
use crate::child::{program, watch};
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_hours(1);

/// A class folder set of `classes` x `images`, train and test; every picture differs.
fn set(root: &Path, classes: usize, images: usize) {
    let mut number = 0u32;
    for split in ["train", "test"] {
        for class in 0..classes {
            let folder = root.join(format!("set/{split}/class{class:05}"));
            std::fs::create_dir_all(&folder).unwrap();
            let count = if split == "test" { 1 } else { images };
            for image in 0..count {
                number += 1;
                let mut picture = RgbImage::filled(8, 8, [40, 90, 200]);
                picture.data[..4].copy_from_slice(&number.to_le_bytes());
                std::fs::write(folder.join(format!("{image}.png")), picture.png().unwrap())
                    .unwrap();
            }
        }
    }
}

pub(crate) fn run(_: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let by = std::env::var("VLPT_SCALE")
        .ok()
        .map_or(1, |n| n.parse::<usize>().expect("VLPT_SCALE is a number"));
    println!("| set | command | time, s | memory, MiB |\n|---|---|---|---|");
    let sets = [(1000 / by, 50), (1000 / by, 100), (5000 / by, 1), (1, 1)];
    for (classes, images) in sets {
        let root = tempfile::tempdir().unwrap();
        set(root.path(), classes.max(1), images);
        let what = format!(
            "{} classes, {} images",
            classes.max(1),
            classes.max(1) * (images + 1)
        );
        let commands: [&[&str]; 4] = [
            &["data", "check", "set"],
            &["zeroshot", "set"],
            &["embed", "set/train", "--out", "features.npy"],
            &[
                "train",
                "set",
                "--method",
                "linear-probe",
                "--shots",
                "1",
                "--out",
                "run",
            ],
        ];
        for words in commands {
            measure(&mut outcome, root.path(), &what, words);
        }
    }
    large_image(&mut outcome);
    outcome
}

/// 13,377 x 13,377 pixels are as many as are read; a few more are refused at once.
fn large_image(outcome: &mut Outcome) {
    let root = tempfile::tempdir().unwrap();
    for (name, side) in [("most.png", 13_377), ("more.png", 14_143)] {
        let picture = RgbImage::filled(side, side, [10, 200, 60]);
        std::fs::write(root.path().join(name), picture.png().unwrap()).unwrap();
        let what = format!(
            "one image of {} megapixels",
            u64::from(side).pow(2) / 1_000_000
        );
        measure(
            outcome,
            root.path(),
            &what,
            &["preprocess", name, "-o", "x.npy"],
        );
    }
}

fn measure(outcome: &mut Outcome, root: &Path, what: &str, words: &[&str]) {
    let child = watch(program(root), words, LONGEST);
    outcome.child(&format!("{what}: {}", words.join(" ")), &child);
    let result = if child.ok() { "" } else { " (refused)" };
    println!(
        "| {what} | `vlpt {}`{result} | {:.1} | {} |",
        words.join(" "),
        child.took.as_secs_f64(),
        child.peak_mib
    );
    if child.peak_mib > 4096 {
        outcome.broke(Broken::Memory, format!("{what}: {} MiB", child.peak_mib));
    }
}
