//! Every mode, compression and flag of the image formats: Pillow's pixels, or a refusal that names the feature.
//! The files and Pillow's hashes are made by `bench/preprocess/formats.py`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use vlpt_base::hash::sha256;
use vlpt_data::DataError;
use vlpt_data::image::{Interpolation, Limits, ResizeOrder, RgbImage, crop_resize, decode};

#[derive(Deserialize)]
struct Index {
    pillow: String,
    /// Name, length, size and beginning of the hash; the last two are empty where Pillow refuses.
    files: Vec<(String, usize, String, String)>,
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn grid() -> (Index, Vec<u8>) {
    let file = fs_err::File::open(golden("formats.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let index = serde_json::from_slice(&read("index.json")).unwrap();
    (index, read("files.bin"))
}

/// BMP with masks of colours for indices of 1 to 8 bits, which no reader knows.
fn masked(name: &str) -> bool {
    let bits = name
        .strip_prefix("bmp-")
        .and_then(|rest| rest.split_once('-'));
    bits.is_some_and(|(bits, rest)| {
        ["1", "2", "4", "8"].contains(&bits) && rest.starts_with("compression3")
    })
}

/// BMP whose header has a length that no header has.
fn odd_header(name: &str) -> bool {
    let header = name
        .strip_suffix(".bmp")
        .and_then(|name| name.split_once("-header"));
    header
        .is_some_and(|(_, length)| ["16", "41", "48", "60", "100", "120", "128"].contains(&length))
}

#[test]
fn every_mode_compression_and_flag_has_pillows_pixels_or_is_refused_by_name() {
    let (index, bytes) = grid();
    assert_eq!(index.pillow, "11.3.0");
    let mut at = 0;
    let (mut accepted, mut named) = (Vec::new(), (0, 0));
    let (mut equal, mut refused, mut wrong) = (0, BTreeMap::<String, usize>::new(), Vec::new());
    for (name, length, size, sha) in index.files {
        let file = &bytes[at..at + length];
        at += length;
        match decode(file, &name, &Limits::default()) {
            Ok(image) if !size.is_empty() => {
                let found = format!("{}x{}", image.width, image.height);
                let hash = sha256(&image.data);
                if found == size && hash.starts_with(&sha) {
                    equal += 1;
                } else {
                    wrong.push(format!("{name}: other pixels"));
                }
            }
            Err(DataError::UnsupportedImage { detail, .. }) => {
                named.0 += usize::from(masked(&name));
                named.1 += usize::from(odd_header(&name));
                let what = detail.split(" (").next().unwrap().to_owned();
                *refused.entry(what).or_default() += usize::from(!size.is_empty());
            }
            Err(error) if !size.is_empty() => wrong.push(format!("{name}: {error}")),
            Ok(_) => accepted.push(name),
            Err(error) if masked(&name) || odd_header(&name) => {
                wrong.push(format!("{name}: {error}"));
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal > 1400, "{equal}");
    // Pillow fails on some files that say clearly what they are.
    let alone = include_str!("golden/accepted_alone.txt").lines();
    let mut alone: Vec<&str> = alone
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    alone.sort_unstable();
    accepted.sort_unstable();
    assert_eq!(accepted, alone);
    assert_eq!(named, (8, 49));
    // What Pillow reads and this program does not: the list in docs/reference/images.md.
    let refused: Vec<&str> = refused
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(what, _)| &**what)
        .collect();
    assert_eq!(
        refused,
        [
            "4 bits with a palette of black and white alone, which Pillow takes for 1 bit",
            "8 bits with a palette of black and white alone, which Pillow takes for 1 bit",
            "JPEG compression inside TIFF",
            "LZMA compression",
            "Lab",
            "RLE4 with an odd number of plain pixels",
            "YCbCr",
            "compressed big-endian grey with a sign or of floating point numbers, which Pillow reads wrongly",
            "fax compression 2",
            "fax compression 3",
            "run lengths with jumps",
            "separate planes of a palette and an unused sample, which Pillow reads wrongly",
            "separate planes with a fourth sample that is not explained, which Pillow reads wrongly",
            "uncompressed separate planes of 16 bits, which Pillow reads wrongly",
        ]
    );
}

#[test]
fn a_file_of_the_grid_that_is_cut_never_gives_other_pixels() {
    let (index, bytes) = grid();
    let mut at = 0;
    let mut tried = 0;
    for (number, (name, length, size, _)) in index.files.into_iter().enumerate() {
        let file = &bytes[at..at + length];
        at += length;
        if size.is_empty() || number % 7 != 0 {
            continue;
        }
        let Ok(whole) = decode(file, &name, &Limits::default()) else {
            continue;
        };
        for cut in 1..=12 {
            let kept = length - (length * cut / 13).max(1);
            tried += 1;
            match decode(&file[..kept], &name, &Limits::default()) {
                Ok(image) => assert_eq!(image, whole, "{name} cut to {kept} of {length}"),
                Err(error) => assert!(!error.to_string().contains("gave up"), "{name}: {error}"),
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[derive(Deserialize)]
struct Resize {
    from: [u32; 2],
    to: [u32; 2],
    columns: bool,
    seed: u32,
    filter: Interpolation,
    sha256: String,
}

#[test]
fn the_order_of_pillow_13_is_that_of_pillow_13() {
    let text = fs_err::read_to_string(golden("resize_order.json")).unwrap();
    let cases: Vec<Resize> = serde_json::from_str(&text).unwrap();
    let mut classic_differs = 0;
    for case in &cases {
        let [w, h] = case.from;
        let data = if case.columns {
            let cell = |x, y| 255 * ((x / 2 + y / 3) % 2) as u8;
            let cells = (0..h).flat_map(|y| (0..w).map(move |x| cell(x, y)));
            cells.flat_map(|v| [v; 3]).collect()
        } else {
            let mut state = case.seed;
            let next = |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..w * h * 3).map(next).collect()
        };
        let image = RgbImage {
            width: w,
            height: h,
            data,
        };
        let resized = |order| crop_resize(&image, [0, 0, w, h], case.to, case.filter, order);
        let new = resized(ResizeOrder::Pillow13);
        assert_eq!(
            sha256(&new.data),
            case.sha256,
            "{:?} to {:?}",
            case.from,
            case.to
        );
        classic_differs += usize::from(resized(ResizeOrder::Classic) != new);
    }
    assert!(classic_differs > 10, "{classic_differs} of {}", cases.len());
}
