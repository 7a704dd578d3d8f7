//! `vlpt predict` on many images: archives and pipes, bad images, order, threads, and going on.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use common::{ok, prompt, run, vlpt, write_png};
use serde_json::Value;

/// Photos of some colours below `new`, in two folders, with what walks pass over.
fn new_photos(folder: &Path) {
    for (i, name) in ["b/2.png", "a.png", "b/1.png", "c.png"].iter().enumerate() {
        write_png(
            &folder.join("new").join(name),
            [60 * i as u8, 90, 200 - 40 * i as u8],
        );
    }
    for junk in [".hidden.png", "Thumbs.db", "b/._1.png"] {
        fs::write(folder.join("new").join(junk), "junk").unwrap();
    }
    fs::write(folder.join("new/notes.txt"), "no image").unwrap();
}

/// The photos of [`new_photos`] in name order.
const NAMES: [&str; 4] = ["a.png", "b/1.png", "b/2.png", "c.png"];

fn tar(folder: &Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir("new", folder.join("new")).unwrap();
    let others = ["notes.txt", "b/._1.png"];
    for name in NAMES.iter().chain(&others) {
        let path = folder.join("new").join(name);
        tar.append_path_with_name(path, Path::new("new").join(name))
            .unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(folder: &Path) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in NAMES.iter().chain(&["notes.txt"]) {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("new/{name}"), options).unwrap();
        zip.write_all(&fs::read(folder.join("new").join(name)).unwrap())
            .unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Runs `vlpt predict prompt ARGS` with bytes on standard input.
fn piped(folder: &Path, args: &[&str], bytes: &[u8]) -> Output {
    let mut child = vlpt()
        .current_dir(folder)
        .args([&["predict", "prompt"], args].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut into = child.stdin.take().unwrap();
    into.write_all(bytes).unwrap();
    drop(into);
    child.wait_with_output().unwrap()
}

/// Names behind the last `new/` and answers of the lines that were printed.
fn answers(output: &Output) -> Vec<(String, String)> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut all = Vec::new();
    for line in text.lines() {
        let (name, answer) = line.split_once('\t').unwrap();
        let name = name.rsplit_once("new/").unwrap().1;
        all.push((name.to_owned(), answer.to_owned()));
    }
    all
}

#[test]
fn archives_and_pipes_have_the_answers_of_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    new_photos(folder);
    let of_folder = run(folder, &["predict", "prompt", "new"]);
    let said = String::from_utf8_lossy(&of_folder.stderr).into_owned();
    assert!(said.contains("1 file of another kind was passed over, such as notes.txt"));
    let expected = answers(&of_folder);
    let names: Vec<&str> = expected.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, NAMES);

    let (tar, zip) = (tar(folder), zip(folder));
    fs::write(folder.join("new.tar"), &tar).unwrap();
    fs::write(folder.join("new.TGZ"), gzip(&tar)).unwrap();
    fs::write(folder.join("new.zip"), &zip).unwrap();
    for archive in ["new.tar", "new.TGZ", "new.zip"] {
        let output = run(folder, &["predict", "prompt", archive]);
        assert_eq!(answers(&output), expected, "{archive}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let first = format!("{archive}@new/a.png\t");
        assert!(printed.starts_with(&first), "{printed}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("passed over, such as new/notes.txt"),
            "{said}"
        );
    }
    // Of the pipe: a tar, packed or not, and lists of paths.
    for bytes in [&tar, &gzip(&tar)] {
        let output = piped(folder, &["-"], bytes);
        assert_eq!(answers(&output), expected);
        assert!(output.stdout.starts_with(b"-@new/a.png\t"));
    }
    let paths = NAMES.map(|name| format!("new/{name}"));
    let (lines, nul) = (paths.join("\r\n"), paths.join("\0") + "\0");
    for list in [lines, nul] {
        for args in [&["-"][..], &["--files-from", "-"]] {
            let output = piped(folder, args, list.as_bytes());
            assert_eq!(answers(&output), expected, "{args:?} {list}");
        }
    }
    // One image.
    let one = fs::read(folder.join("new/a.png")).unwrap();
    let printed = piped(folder, &["-"], &one).stdout;
    assert_eq!(
        String::from_utf8(printed).unwrap(),
        format!("-\t{}\n", expected[0].1)
    );
    // What cannot be read from a pipe, and pipes that are named twice.
    for (args, bytes, word) in [
        (&["-"][..], &zip[..], "index stands at its end"),
        (&["-", "new"], &tar, "name `-` last"),
        (&["-", "--files-from", "-"], &one, "named twice"),
        (&["-"], b"absent.png\n", "could not be classified"),
    ] {
        let output = piped(folder, args, bytes);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(word), "{said}");
    }
    // A tar that is cut off ends with an error, behind what came before.
    let output = piped(folder, &["-"], &tar[..tar.len() - 3000]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.starts_with("-@new/a.png\t"), "{printed}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("standard input"), "{said}");
}

#[test]
fn a_bad_image_has_a_row_with_its_error_and_stops_no_other() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    new_photos(folder);
    fs::write(folder.join("new/b/bad.jpg"), "no image").unwrap();
    let list = "new/a.png\nnew/absent.png\nnew/b/bad.jpg\nnew/c.png\n";
    fs::write(folder.join("list.txt"), list).unwrap();
    let from = ["predict", "prompt", "--files-from", "list.txt"];
    for format in ["csv", "jsonl"] {
        let out = format!("rows.{format}");
        let output = run(folder, &[&from[..], &["--out", &out]].concat());
        assert_eq!(output.status.code(), Some(3), "done, with faults");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = "error: 2 of 4 images could not be classified";
        assert!(said.contains(last), "{said}");
        let text = fs::read_to_string(folder.join(out)).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        let rows = &rows[rows.len() - 4..];
        let failed: Vec<bool> = rows
            .iter()
            .map(|row| {
                row.contains("not an image")
                    || row.contains("absent.png: ")
                    || row.contains("failed to")
            })
            .collect();
        assert_eq!(failed, [false, true, true, false], "{text}");
    }
    // Printed, the same.
    let output = run(folder, &from);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
    let output = run(folder, &[&from[..], &["--json"]].concat());
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 4);
    assert!(list[2]["error"].as_str().unwrap().contains("bad.jpg"));
    // Where no image has an answer the work failed.
    let output = run(folder, &["predict", "prompt", "new/b/bad.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    // Each way out is said once.
    for name in ["1.jpg", "2.jpg", "3.jpg"] {
        fs::write(folder.join("new/b").join(name), "no image").unwrap();
    }
    let said = String::from_utf8(run(folder, &["predict", "prompt", "new/b"]).stderr).unwrap();
    assert_eq!(said.matches("not an image").count(), 4, "{said}");
    let hints = said.matches("hint: JPEG, PNG").count();
    assert_eq!(hints, 1, "{said}");
    // A file that rows are not written to is a slip of the command line.
    let output = run(folder, &["predict", "prompt", "new", "--out", "rows.txt"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("ends in .txt") && said.contains(".csv"),
        "{said}"
    );
}

#[test]
fn answers_stand_in_order_with_the_same_bytes_for_any_threads_and_any_company() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    for i in 0..75u8 {
        write_png(
            &folder.join(format!("new/{i:02}.png")),
            [3 * i, 255 - i, 77],
        );
    }
    let options = ["--top", "2", "--threshold", "0.6", "--all-scores", "--out"];
    let mut all = Vec::new();
    for (threads, out) in [("1", "1.jsonl"), ("2", "2.jsonl"), ("3", "3.jsonl")] {
        let args = [
            &["predict", "prompt", "new", "--threads", threads],
            &options[..],
            &[out],
        ];
        ok(folder, &args.concat());
        all.push(fs::read_to_string(folder.join(out)).unwrap());
        assert!(!folder.join(format!("{out}.part")).exists());
    }
    assert!(all[0] == all[1] && all[0] == all[2]);
    let rows: Vec<Value> = all[0]
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(rows.len(), 75);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["path"], format!("new/{i:02}.png"));
        assert_eq!(row["top"].as_array().unwrap().len(), 2);
        let sure = row["probability"].as_f64().unwrap() >= 0.6;
        assert_eq!(row["predicted"] != "none", sure, "{row}");
    }
    // Alone an image has the bits that it has among others.
    for i in [0, 40, 74] {
        let image = format!("new/{i:02}.png");
        let args = [&["predict", "prompt", &image], &options[..], &["one.jsonl"]];
        ok(folder, &args.concat());
        let alone = fs::read_to_string(folder.join("one.jsonl")).unwrap();
        assert_eq!(alone.trim_end(), all[0].lines().nth(i).unwrap());
    }
}

#[test]
fn a_killed_command_goes_on_and_ends_with_the_same_bytes_in_every_format() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    for i in 0..128u16 {
        let colour = [i as u8, (i / 3) as u8, 7];
        write_png(&folder.join(format!("many/{i:03}.png")), colour);
    }
    fs::write(folder.join("many/001a.png"), "no image").unwrap();
    for format in ["csv", "parquet"] {
        let (whole, out) = (format!("whole.{format}"), format!("out.{format}"));
        let args = |out| ["predict", "prompt", "many", "--threads", "1", "--out", out];
        assert_eq!(run(folder, &args(&whole)).status.code(), Some(3));
        let part = folder.join(format!("{out}.part"));
        let mut child = vlpt()
            .current_dir(folder)
            .args(args(&out))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_mins(2);
        // two classes, four bytes each: more than a batch of rows, and not all
        while fs::metadata(&part).map_or(0, |m| m.len()) < 8 * 40 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(part.exists() && !folder.join(&out).exists());
        let output = run(folder, &args(&out));
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("goes on after"), "{said}");
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        assert!(read(&out) == read(&whole), "{format}");
        assert!(!part.exists() && !folder.join(format!("{out}.part.json")).exists());
    }
    // What was kept of another prompt is not gone on with.
    fs::write(folder.join("o.csv.part"), vec![0; 8 * 64]).unwrap();
    fs::write(folder.join("o.csv.part.json"), "{}").unwrap();
    let args = ["predict", "prompt", "many", "--out", "o.csv"];
    let said = String::from_utf8(run(folder, &args).stderr).unwrap();
    assert!(!said.contains("goes on after"), "{said}");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(read("o.csv") == read("whole.csv"));
}

#[cfg(unix)]
#[test]
fn whoever_reads_may_leave() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    for i in 0..150u8 {
        write_png(&folder.join(format!("new/{i:03}.png")), [i, 9, 7]);
    }
    let mut child = vlpt()
        .current_dir(folder)
        .args(["predict", "prompt", "new"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("new/000.png\t"), "{line}");
    drop(reader);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}
