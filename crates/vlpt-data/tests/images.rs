//! Pictures equal to Pillow's: the golden set of `golden/make_images.py`, and bad files.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vlpt_data::DataError;
use vlpt_data::image::{
    DecodeOptions, Exif, ImageFormat, Interpolation, Limits, Preprocess, ResizeMode, ResizeOrder,
    RgbImage, crop_resize, decode, decode_with, format_of,
};

#[derive(Deserialize)]
struct Index {
    decode: Vec<DecodeCase>,
    resize: Vec<ResizeCase>,
    views: Vec<ViewCase>,
}

#[derive(Deserialize)]
struct DecodeCase {
    file: String,
    mode: String,
    size: [u32; 2],
    sha256: String,
    upright: Option<Upright>,
    raw: Option<String>,
}

#[derive(Deserialize)]
struct Upright {
    size: [u32; 2],
    sha256: String,
}

#[derive(Deserialize)]
struct ResizeCase {
    from: Option<[u32; 2]>,
    checkers: Option<[u32; 2]>,
    seed: Option<u32>,
    crop: Option<[u32; 4]>,
    to: [u32; 2],
    filter: Interpolation,
    sha256: String,
    raw: Option<String>,
}

#[derive(Deserialize)]
struct ViewCase {
    from: [u32; 2],
    seed: u32,
    n: u32,
    resize: ResizeMode,
    filter: Interpolation,
    fill: u8,
    pixels: String,
    tensor: String,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/images")
}

fn index() -> Index {
    let text = fs_err::read_to_string(golden().join("index.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The noise of the script: bytes of a linear congruential generator.
fn noisy(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut state = seed;
    let data = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    RgbImage {
        width,
        height,
        data: data.collect(),
    }
}

#[test]
fn every_format_and_mode_decodes_as_pillow_decodes_it() {
    let mut wrong = Vec::new();
    for case in index().decode {
        let bytes = fs_err::read(golden().join(&case.file)).unwrap();
        match decode(&bytes, &case.file, &Limits::default()) {
            Ok(image) => {
                let size = [image.width, image.height];
                if size != case.size || sha256(&image.data) != case.sha256 {
                    let raw = case
                        .raw
                        .map(|raw| format!("\n  want {raw}\n  got  {}", hex(&image.data)));
                    wrong.push(format!(
                        "{} ({}) {size:?}{}",
                        case.file,
                        case.mode,
                        raw.unwrap_or_default()
                    ));
                }
            }
            Err(error) => wrong.push(format!("{error} ({})", case.mode)),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn exif_orientation_is_applied_only_on_request() {
    let mut turned = 0;
    let options = DecodeOptions {
        exif: Exif::Apply,
        ..DecodeOptions::default()
    };
    for case in index().decode {
        let bytes = fs_err::read(golden().join(&case.file)).unwrap();
        let image = decode_with(&bytes, &case.file, &options).unwrap();
        let (size, sha) = match &case.upright {
            Some(upright) => (upright.size, &upright.sha256),
            None => (case.size, &case.sha256),
        };
        turned += usize::from(case.upright.is_some());
        assert_eq!([image.width, image.height], size, "{}", case.file);
        assert_eq!(&sha256(&image.data), sha, "{}", case.file);
    }
    assert_eq!(turned, 7, "orientations 2 to 8");
}

#[test]
fn resizing_is_equal_to_pillow_to_the_last_bit() {
    let mut wrong = Vec::new();
    for case in index().resize {
        let image = match (case.from, case.checkers) {
            (Some([w, h]), _) => noisy(w, h, case.seed.unwrap()),
            (None, Some([w, h])) => {
                let cell = |x, y| 255 * ((x / 3 + y / 2) % 2) as u8;
                let cells = (0..h).flat_map(|y| (0..w).map(move |x| cell(x, y)));
                RgbImage {
                    width: w,
                    height: h,
                    data: cells.flat_map(|v| [v; 3]).collect(),
                }
            }
            _ => panic!("a case without a source"),
        };
        let crop = case.crop.unwrap_or([0, 0, image.width, image.height]);
        let small = crop_resize(&image, crop, case.to, case.filter, ResizeOrder::Classic);
        if sha256(&small.data) != case.sha256 {
            let raw = case
                .raw
                .map(|raw| format!("\n  want {raw}\n  got  {}", hex(&small.data)));
            let from = (image.width, image.height);
            wrong.push(format!(
                "{from:?} {crop:?} to {:?} {:?}{}",
                case.to,
                case.filter,
                raw.unwrap_or_default()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn views_and_tensors_are_equal_to_torchvision_and_openclip() {
    for case in index().views {
        let image = noisy(case.from[0], case.from[1], case.seed);
        let preprocess = Preprocess {
            image_size: case.n,
            resize: case.resize,
            interpolation: case.filter,
            fill: case.fill,
            ..Preprocess::default()
        };
        let what = format!("{:?} {preprocess:?}", case.from);
        assert_eq!(
            sha256(&preprocess.pixels(&image).data),
            case.pixels,
            "pixels of {what}"
        );
        let bytes: Vec<u8> = preprocess
            .apply(&image)
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        assert_eq!(sha256(&bytes), case.tensor, "tensor of {what}");
    }
}

#[test]
fn a_long_thin_image_needs_no_more_memory_than_its_view() {
    // Scaled whole, this would be 224 x 22,400,000 pixels, 15 GB.
    let image = RgbImage::filled(1, 100_000, [9, 8, 7]);
    for resize in [
        ResizeMode::Shortest,
        ResizeMode::Squash,
        ResizeMode::Longest,
    ] {
        let view = Preprocess {
            resize,
            ..Preprocess::default()
        }
        .pixels(&image);
        assert_eq!(view.data.len(), 224 * 224 * 3);
        assert_eq!(view.data[111 * 3..112 * 3], [9, 8, 7]);
    }
}

#[test]
fn a_cut_file_is_an_error_wherever_it_is_cut() {
    for case in index().decode {
        let bytes = fs_err::read(golden().join(&case.file)).unwrap();
        let whole = decode(&bytes, &case.file, &Limits::default()).unwrap();
        let step = (bytes.len() / 60).max(1);
        for length in (1..bytes.len()).step_by(step) {
            match decode(&bytes[..length], &case.file, &Limits::default()) {
                // What is cut off behind the pixels may be missing, as for Pillow.
                Ok(image) => assert_eq!(
                    image,
                    whole,
                    "{} cut at {length} of {}",
                    case.file,
                    bytes.len()
                ),
                Err(error) => {
                    assert!(error.to_string().starts_with(&case.file), "{error}");
                    assert!(error.hint().is_some(), "{error}");
                }
            }
        }
        let half = decode(&bytes[..bytes.len() / 2], &case.file, &Limits::default());
        assert!(half.is_err(), "half of {}", case.file);
    }
}

#[test]
fn half_a_photo_is_called_truncated() {
    for name in [
        "jpeg-420.jpg",
        "jpeg-420-progressive.jpg",
        "png-rgb.png",
        "webp-lossy.webp",
        "bmp-rgb.bmp",
    ] {
        let bytes = fs_err::read(golden().join(name)).unwrap();
        let error = decode(&bytes[..bytes.len() * 2 / 3], name, &Limits::default()).unwrap_err();
        assert!(matches!(error, DataError::TruncatedImage { .. }), "{error}");
    }
}

#[test]
fn a_jpeg_without_its_end_marker_is_truncated_as_for_pillow() {
    for name in ["jpeg-420.jpg", "jpeg-420-progressive.jpg"] {
        let bytes = fs_err::read(golden().join(name)).unwrap();
        let end = bytes.len();
        for cut in 1..=8 {
            let error = decode(&bytes[..end - cut], name, &Limits::default()).unwrap_err();
            assert!(
                matches!(error, DataError::TruncatedImage { .. }),
                "cut {cut}: {error}"
            );
        }
    }
}

#[test]
fn corrupt_jpeg_data_is_an_error_unless_accepted() {
    let mut bytes = fs_err::read(golden().join("jpeg-q100.jpg")).unwrap();
    let middle = bytes.len() * 3 / 4;
    bytes[middle..middle + 2].copy_from_slice(&[0xff, 0xd9]); // the end, too early
    let error = decode(&bytes, "a.zip@b.jpg", &Limits::default()).unwrap_err();
    assert!(matches!(error, DataError::DamagedImage { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("a.zip@b.jpg: damaged JPEG image"),
        "{error}"
    );
    let options = DecodeOptions {
        accept_damaged: true,
        ..DecodeOptions::default()
    };
    assert!(decode_with(&bytes, "a.zip@b.jpg", &options).is_ok());
}

#[test]
fn damaged_files_give_errors_and_never_panic() {
    for case in index().decode {
        let good = fs_err::read(golden().join(&case.file)).unwrap();
        let step = (good.len() / 80).max(1);
        for at in (2..good.len()).step_by(step) {
            for value in [0x00, 0xff, good[at] ^ 0x80] {
                let mut bad = good.clone();
                bad[at] = value;
                let limits = Limits {
                    max_pixels: 1 << 20,
                    max_bytes: 1 << 26,
                    ..Limits::default()
                };
                if let Err(error) = decode(&bad, &case.file, &limits) {
                    let text = error.to_string();
                    assert!(
                        !text.contains("gave up"),
                        "byte {at} of {}: a decoder panicked",
                        case.file
                    );
                }
            }
        }
    }
}

#[test]
fn the_limits_are_checked_against_the_header() {
    for name in [
        "jpeg-444.jpg",
        "png-rgb.png",
        "webp-lossy.webp",
        "bmp-rgb.bmp",
        "gif-p.gif",
        "tiff-rgb.tif",
    ] {
        let bytes = fs_err::read(golden().join(name)).unwrap();
        let few = Limits {
            max_pixels: 100,
            ..Limits::default()
        };
        let error = decode(&bytes, name, &few).unwrap_err();
        assert!(
            matches!(error, DataError::ImageTooLarge { limit: 100, .. }),
            "{error}"
        );
        let small = Limits {
            max_bytes: 500,
            ..Limits::default()
        };
        let error = decode(&bytes, name, &small).unwrap_err();
        assert!(
            matches!(error, DataError::ImageTooLarge { limit: 500, .. }),
            "{error}"
        );
    }
    // A header that promises 60,000 x 60,000 pixels.
    let mut bytes = fs_err::read(golden().join("bmp-rgb.bmp")).unwrap();
    bytes[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    bytes[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    let error = decode(&bytes, "huge.bmp", &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "huge.bmp: image too large: 60000 x 60000 pixels, more pixels than the limit of 178956970"
    );
}

#[test]
fn what_is_no_image_is_named() {
    let message = |bytes: &[u8]| {
        decode(bytes, "x.jpg", &Limits::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(message(b""), "x.jpg: the image file is empty (0 bytes)");
    assert_eq!(
        message(b"<!DOCTYPE html>"),
        "x.jpg: not an image: the 15 bytes are a web page"
    );
    assert_eq!(
        message(b"PK\x03\x04...."),
        "x.jpg: not an image: the 8 bytes are a ZIP archive"
    );
    assert_eq!(
        message(b"hello"),
        "x.jpg: not an image: the 5 bytes look like text"
    );
    assert_eq!(
        message(&[0; 4]),
        "x.jpg: not an image: the 4 bytes are nothing but zero bytes"
    );
    assert_eq!(
        message(&[1, 2, 200]),
        "x.jpg: not an image: the 3 bytes begin with 01 02 c8"
    );
}

#[test]
fn the_format_is_told_by_content() {
    for case in index().decode {
        let bytes = fs_err::read(golden().join(&case.file)).unwrap();
        let format = format_of(&bytes).map(|f| f.name().to_lowercase());
        assert_eq!(
            format.as_deref(),
            case.file.split('-').next(),
            "{}",
            case.file
        );
    }
    assert_eq!(format_of(b"\xff\xd8\xff\xe0"), Some(ImageFormat::Jpeg));
    assert_eq!(format_of(b"BM"), Some(ImageFormat::Bmp));
    assert_eq!(format_of(b""), None);
}

#[test]
fn the_explanation_names_every_step() {
    let explain = |width, height, resize| {
        let pre = Preprocess {
            resize,
            mean: [0.5; 3],
            std: [0.25; 3],
            ..Preprocess::default()
        };
        pre.explain(&RgbImage::filled(width, height, [0; 3]), None)
            .join("\n")
    };
    let text = explain(500, 375, ResizeMode::Shortest);
    let want = "decoded: 500 x 375 pixels, 8-bit RGB
resize: to 298 x 224 (shortest side to 224), bicubic with antialiasing, horizontal pass first
crop: 224 x 224 pixels from column 37, row 0 (centre)
scale: x / 255, in f32
normalise: (x - [0.5, 0.5, 0.5]) / [0.25, 0.25, 0.25], per channel
tensor: 3 x 224 x 224, channels first";
    assert_eq!(text, want);
    let text = explain(500, 375, ResizeMode::Longest);
    assert!(
        text.contains("pad: to 224 x 224 with value 0: left 0, right 0, top 28, bottom 28"),
        "{text}"
    );
    let text = explain(224, 224, ResizeMode::Squash);
    assert!(text.contains("resize: none"), "{text}");
    assert!(!text.contains("crop") && !text.contains("pad"), "{text}");
}

#[test]
fn a_bitmap_without_its_file_header_has_the_pixels_of_the_file() {
    for name in ["bmp-rgb.bmp", "bmp-p.bmp", "bmp-masks.bmp"] {
        let bytes = fs_err::read(golden().join(name)).unwrap();
        let whole = decode(&bytes, name, &Limits::default()).unwrap();
        assert_eq!(format_of(&bytes[14..]), Some(ImageFormat::Bmp));
        let dib = decode(&bytes[14..], "image.dib", &Limits::default()).unwrap();
        assert_eq!(dib.data, whole.data);
    }
}
