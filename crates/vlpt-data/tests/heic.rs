//! HEIC files: the pixels of pillow-heif (golden set of `golden/make_heic.py`), and damage.
#![cfg(feature = "heic")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use vlpt_data::DataError;
use vlpt_data::image::{DecodeOptions, Exif, Limits, decode, decode_with, facts};

/// Names, the largest difference from libheif's 8-bit values, and the share of values that may differ at all. Where
/// colour is stored for every second pixel libheif rounds once more, and of 10 bits it cuts the last two before the
/// colours are computed.
const FILES: [(&str, u8, f64); 10] = [
    ("chroma-420", 1, 0.10),
    ("chroma-422", 0, 0.0),
    ("chroma-444", 0, 0.0),
    ("grey", 0, 0.0),
    ("alpha", 1, 0.10),
    ("lossless", 0, 0.0),
    ("turned", 1, 0.10),
    ("ten-bits", 1, 0.40),
    ("grid-1-1", 1, 0.10),
    ("grid-3-0", 1, 0.10),
];

fn path(name: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/heic");
    golden.join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs_err::read(path(&format!("{name}.heic"))).unwrap()
}

#[test]
fn pixels_are_those_of_pillow_heif() {
    for (name, most, share) in FILES {
        let file = bytes(name);
        let limits = Limits::default();
        let wanted = fs_err::read(path(&format!("{name}.png"))).unwrap();
        let wanted = decode(&wanted, name, &limits).unwrap();
        // A turn is in the file itself, and is not made a second time because EXIF data says it too.
        for exif in [Exif::Ignore, Exif::Apply] {
            let options = DecodeOptions {
                exif,
                ..DecodeOptions::default()
            };
            let image = decode_with(&file, name, &options).unwrap();
            assert_eq!(
                (image.width, image.height),
                (wanted.width, wanted.height),
                "{name}"
            );
            let pairs = image.data.iter().zip(&wanted.data);
            let apart: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
            let largest = apart.iter().max().unwrap();
            let differ = apart.iter().filter(|d| **d > 0).count() as f64 / apart.len() as f64;
            assert!(
                *largest <= most && differ <= share,
                "{name}: up to {largest}, {differ:.3} of all"
            );
        }
        assert_eq!(facts(&file).unwrap().orientation, 1, "{name}");
    }
}

#[test]
fn damaged_files_are_errors_or_pictures_and_never_panics() {
    let limits = Limits::default();
    for (name, ..) in FILES {
        let whole = bytes(name);
        for cut in (12..whole.len()).step_by(whole.len() / 40) {
            if let Err(error) = decode(&whole[..cut], "cut.heic", &limits) {
                assert!(error.to_string().starts_with("cut.heic: "), "{error}");
            }
        }
        for at in (12..whole.len()).step_by(7) {
            let mut other = whole.clone();
            other[at] ^= 0x55;
            if let Err(error) = decode(&other, "odd.heic", &limits) {
                assert!(error.to_string().starts_with("odd.heic: "), "{error}");
            }
        }
    }
    let error = decode(&bytes("grey")[..400], "cut.heic", &limits).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
}

#[test]
fn size_is_checked_before_anything_is_decoded() {
    let limits = Limits {
        max_pixels: 80 * 66 - 1,
        ..Limits::default()
    };
    let error = decode(&bytes("grid-3-0"), "grid.heic", &limits).unwrap_err();
    assert!(matches!(error, DataError::ImageTooLarge { .. }), "{error}");
}

/// More images at a time than threads, and memory for one: a thread that waits for tiles must not begin another image.
#[test]
fn many_at_a_time_with_memory_for_one() {
    use rayon::prelude::*;
    vlpt_data::image::set_memory_budget(80 * 66 * 36);
    let file = bytes("grid-3-0");
    let decoded = (0..200).into_par_iter().map(|_| {
        let image = decode(&file, "grid.heic", &Limits::default()).unwrap();
        image.width as usize
    });
    assert_eq!(decoded.sum::<usize>(), 200 * 66);
}
