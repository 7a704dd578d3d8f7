//! What of a data set could mislead is said before work is spent on it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{photos, run, vlpt, write_png};

fn said(folder: &std::path::Path, args: &[&str]) -> (bool, String) {
    let output = run(folder, args);
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The sum behind a chunk of a PNG.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        let turn = |sum: u32, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1));
        (0..8).fold(sum ^ u32::from(*byte), turn)
    };
    !bytes.iter().fold(!0, step)
}

const QUICK: [&str; 6] = ["--shots", "1", "--epochs", "1", "--out", "run"];

#[test]
fn grey_of_sixteen_bits_and_exif_turns_are_told() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let grey = image::ImageBuffer::<image::Luma<u16>, _>::from_pixel(8, 8, image::Luma([4000]));
    grey.save(folder.path().join("photos/red/grey.png"))
        .unwrap();
    // a PNG with the orientation 6 in a chunk behind its header
    let png = fs::read(folder.path().join("photos/blue/0.png")).unwrap();
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let chunk = [&b"eXIf"[..], tiff].concat();
    let (length, sum) = (tiff.len() as u32, crc(&chunk));
    // the header with its length, name and sum ends here
    let (head, rest) = png.split_at(8 + 12 + 13);
    let turned = [
        head,
        &length.to_be_bytes(),
        &chunk,
        &sum.to_be_bytes(),
        rest,
    ]
    .concat();
    fs::write(folder.path().join("photos/blue/turned.png"), turned).unwrap();
    for args in [
        &["zeroshot", "photos"][..],
        &[&["train", "photos"], &QUICK[..]].concat(),
        &["eval", "run"],
    ] {
        let (fine, said) = said(folder.path(), args);
        assert!(fine, "{said}");
        assert!(
            said.contains("16-bit grey") && said.contains("grey.png"),
            "{args:?}: {said}"
        );
        assert!(
            said.contains("EXIF turn") && said.contains("turned.png"),
            "{args:?}: {said}"
        );
    }
    let (_, text) = said(folder.path(), &["zeroshot", "photos"]);
    assert!(
        text.contains("--exif apply") && text.contains("--grey16 scale"),
        "{text}"
    );
    // What the flags take care of is no warning, and a prompt remembers them.
    let flags = ["--exif", "apply", "--grey16", "scale"];
    let again = ["--shots", "1", "--epochs", "1", "--out", "again"];
    for args in [
        &[&["zeroshot", "photos"][..], &flags].concat(),
        &[&["train", "photos"][..], &again, &flags].concat(),
        &["eval", "again"][..],
    ] {
        let (fine, text) = said(folder.path(), args);
        assert!(fine, "{text}");
        assert!(
            !text.contains("16-bit") && !text.contains("EXIF"),
            "{args:?}: {text}"
        );
    }
    let (_, said) = said(folder.path(), &["--quiet", "zeroshot", "photos"]);
    assert!(said.is_empty(), "{said}");
    let output = run(folder.path(), &["data", "check", "photos"]);
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(
        report.contains("16-bit grey") && report.contains("EXIF turn"),
        "{report}"
    );
}

#[test]
fn labels_that_look_like_none_or_like_several_are_told() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let mut rows = "path,label\n".to_owned();
    for i in 0..10 {
        let label = ["red", "red|blue", "NaN", "blue;red", "red"][i % 5];
        rows += &format!("photos/red/{i}.png,{label}\n");
    }
    fs::write(folder.path().join("list.csv"), rows).unwrap();
    let (_, said) = said(
        folder.path(),
        &[&["train", "list.csv"], &QUICK[..]].concat(),
    );
    assert!(
        said.contains("several labels in one") && said.contains("`red|blue`"),
        "{said}"
    );
}

#[test]
fn one_class_and_equal_names_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6u8 {
        write_png(
            &folder.path().join(format!("one/train/cat/{i}.png")),
            [i, 0, 0],
        );
        write_png(
            &folder.path().join(format!("one/test/cat/{i}.png")),
            [i, 9, 0],
        );
        for class in ["red_fox", "Red Fox"] {
            write_png(
                &folder.path().join(format!("two/{class}/{i}.png")),
                [i, 0, 7],
            );
        }
    }
    let (_, text) = said(folder.path(), &["zeroshot", "one"]);
    assert!(text.contains("`cat` is the only class"), "{text}");
    let (_, text) = said(folder.path(), &["zeroshot", "two"]);
    assert!(text.contains("are all called"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_name_with_a_line_break_is_refused_before_training() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    fs::rename(
        folder.path().join("photos/red"),
        folder.path().join("photos/red\nfox"),
    )
    .unwrap();
    let (fine, said) = said(folder.path(), &[&["train", "photos"], &QUICK[..]].concat());
    assert!(!fine);
    assert!(
        said.contains("line break") && said.contains("--class-file"),
        "{said}"
    );
    assert!(!folder.path().join("run").exists());
    let output = run(folder.path(), &["data", "check", "photos"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("line break"));
}

#[test]
fn a_rate_that_breaks_training_ends_it_with_its_step() {
    let folder = tempfile::tempdir().unwrap();
    for lr in ["1e12", "1e30"] {
        let output = vlpt()
            .current_dir(folder.path())
            .args([
                "train",
                "synthetic:shapes",
                "--shots",
                "4",
                "--epochs",
                "6",
                "--lr",
                lr,
            ])
            .args(["--no-cache", "--out", lr])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{lr} went through");
        assert!(
            said.contains("epoch") || said.contains("text features"),
            "{said}"
        );
        assert!(said.contains("--lr"), "{said}");
        assert!(!folder.path().join(lr).join("prompt").exists());
    }
}

#[test]
fn what_a_reader_decided_is_told_before_work() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    write_png(&folder.path().join("photos/@eaDir/thumb.png"), [1, 2, 3]);
    fs::write(folder.path().join("photos/red/4.png"), "").unwrap();
    let skip = ["--broken", "skip"];
    for args in [
        &[&["train", "photos"], &QUICK[..], &skip].concat()[..],
        &[&["zeroshot", "photos"], &skip[..]].concat(),
    ] {
        let (fine, said) = said(folder.path(), args);
        assert!(fine, "{said}");
        assert!(said.contains("were passed over: `@eaDir`"), "{said}");
        assert!(
            said.contains("1 of 20 images cannot be decoded and were left out"),
            "{said}"
        );
        assert!(said.contains("split by seed 0"), "{said}");
    }
}
