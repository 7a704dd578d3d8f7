//! The real binary, run as a user would run it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command `vlpt` with an environment that no user's settings reach.
pub(crate) fn vlpt() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vlpt"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("VLPT_") || text.starts_with("HF_") {
            command.env_remove(&name);
        }
    }
    command
        .env("HF_HUB_OFFLINE", "1")
        .env("VLPT_MODEL", "mini-clip")
        // what is expected does not depend on the machine
        .env("VLPT_PRECISION", "f32")
        .env("NO_COLOR", "1");
    command.stdin(std::process::Stdio::null());
    command
}

/// Runs `vlpt` in `folder` with `args` and a cache inside it.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    vlpt()
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .args(args)
        .output()
        .expect("the binary runs")
}

/// Runs `vlpt`, expects success and returns its standard output.
pub(crate) fn ok(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(
        output.status.success(),
        "vlpt {args:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Exit code, standard output and standard error as one text, with `folder` replaced.
pub(crate) fn transcript(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    let text = format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output
            .status
            .code()
            .map_or("none".to_owned(), |c| c.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    text.replace(&folder.display().to_string(), "[folder]")
}

/// Writes a flat PNG of one colour, 40 x 30.
pub(crate) fn write_png(path: &Path, colour: [u8; 3]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder made");
    let image = image::RgbImage::from_pixel(40, 30, image::Rgb(colour));
    image.save(path).expect("image written");
}

/// A folder of two classes, ten flat images each, told apart by colour.
pub(crate) fn photos(folder: &Path) {
    for i in 0..10u8 {
        write_png(
            &folder.join(format!("photos/red/{i}.png")),
            [200 + i, 10 * i, 5],
        );
        write_png(
            &folder.join(format!("photos/blue/{i}.png")),
            [5, 10 * i, 200 + i],
        );
    }
}

/// A prompt folder `prompt` that tells red from blue.
pub(crate) fn prompt(folder: &Path) {
    photos(folder);
    let args = [
        "train",
        "photos",
        "--method",
        "zero-shot",
        "--out",
        "prompt",
        "--quiet",
    ];
    ok(folder, &args);
}

/// Class folders with so many pictures of each class of a synthetic task, from the picture `first` on.
pub(crate) fn drawn_photos(folder: &Path, task: &str, classes: usize, first: usize, each: usize) {
    let task = vlpt_data::synthetic::task(task, 0).expect("the task is known");
    for class in 0..classes {
        let own = task.train.samples.iter();
        let own = own.filter(|sample| sample.labels[0] as usize == class);
        for (number, sample) in own.enumerate().skip(first).take(each) {
            let drawn = sample
                .load(&vlpt_data::image::Limits::default())
                .expect("drawn");
            let path = folder.join(format!("{}/{number:03}.png", task.classes[class]));
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder made");
            let image = image::RgbImage::from_raw(drawn.width, drawn.height, drawn.data);
            image
                .expect("all pixels")
                .save(path)
                .expect("image written");
        }
    }
}

/// Every file of a folder, by its path in there.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("folder listed") {
            let path = entry.expect("entry listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_path_buf();
                files.insert(name, std::fs::read(&path).expect("file read"));
            }
        }
    }
    files
}
