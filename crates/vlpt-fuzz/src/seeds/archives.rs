//! Zips and tars with a picture or two.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::good_png;

const WRITTEN: &str = "memory takes every byte";

/// Zips with stored and deflated members, a folder, and none.
pub(crate) fn zips() -> Vec<Vec<u8>> {
    let png = good_png();
    let both = [
        ("0/a.png", &png[..], CompressionMethod::Stored),
        ("1/b.png", &png, CompressionMethod::Deflated),
        ("note.txt", b"", CompressionMethod::Stored),
    ];
    vec![zip(&both), zip(&both[1..2]), zip(&[])]
}

fn zip(members: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, method) in members {
        let options = SimpleFileOptions::default().compression_method(*method);
        zip.start_file(*name, options)
            .and_then(|()| Ok(zip.write_all(bytes)?))
            .expect(WRITTEN);
    }
    zip.finish().expect(WRITTEN).into_inner()
}

/// A shard with two images of two classes.
pub(crate) fn good_tar() -> Vec<u8> {
    let png = good_png();
    tar(
        &tar::Header::new_gnu(),
        &[
            ("0.png", &png),
            ("0.cls", b"0"),
            ("1.png", &png),
            ("1.cls", b"1\n"),
        ],
    )
}

/// Shards of both dialects, one with a long name, one with a pax header.
pub(crate) fn tars() -> Vec<Vec<u8>> {
    let png = good_png();
    let long = format!("{}/0.png", "long/".repeat(30));
    let ustar = tar(
        &tar::Header::new_ustar(),
        &[("a/0.png", &png), ("a/0.cls", b"1")],
    );
    let label = long.replace(".png", ".cls");
    let gnu = tar(&tar::Header::new_gnu(), &[(&long, &png), (&label, b"0")]);
    vec![good_tar(), ustar, gnu, with_pax(&png)]
}

fn tar(header: &tar::Header, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = header.clone();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).expect(WRITTEN);
    }
    tar.into_inner().expect(WRITTEN)
}

fn with_pax(png: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in [("x.png", png), ("x.cls", b"1")] {
        tar.append_pax_extensions([("path", name.as_bytes()), ("mtime", b"1.5")])
            .expect(WRITTEN);
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, "short", bytes).expect(WRITTEN);
    }
    tar.into_inner().expect(WRITTEN)
}
