//! Images that are made to take time or memory, or to bring a decoder down.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use vlpt_data::DataError;
use vlpt_data::image::{DecodeOptions, Exif, Grey16, Limits, decode, decode_with, facts};

/// A progressive JPEG of this size whose coefficients come in many scans that say nothing.
fn progressive(width: u16, height: u16, scans: usize) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    let mut segment = |code: u8, data: &[u8]| {
        bytes.extend([0xff, code]);
        bytes.extend((data.len() as u16 + 2).to_be_bytes());
        bytes.extend(data);
    };
    segment(0xdb, &[&[0][..], &[1; 64]].concat());
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    segment(0xc2, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
    // one DC and one AC table: a single code of one bit each, for nothing
    let table = |class: u8, value: u8| [&[class, 1][..], &[0; 15], &[value]].concat();
    segment(0xc4, &table(0x00, 0));
    // end of band for 2^14 blocks and more
    segment(0xc4, &table(0x10, 0xe0));
    segment(0xda, &[1, 1, 0, 0, 0, 0]);
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    bytes.extend(vec![0; blocks.div_ceil(8)]);
    for _ in 0..scans {
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0]);
        let bits = blocks.div_ceil(1 << 14) * 15;
        bytes.extend(vec![0; bits.div_ceil(8)]);
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn a_progressive_jpeg_of_thousands_of_scans_is_refused_at_once() {
    let bomb = progressive(2000, 2000, 2646);
    assert!(bomb.len() < 100_000);
    let began = Instant::now();
    let error = decode(&bomb, "bomb.jpg", &Limits::default()).unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        error.to_string(),
        "bomb.jpg: unsupported JPEG image: 2647 scans of 2000 x 2000 pixels, more than 4000000000 pixels in all"
    );
    assert!(error.hint().is_some());
    // As many scans of a small picture are no harm.
    let small = decode(&progressive(64, 64, 2646), "small.jpg", &Limits::default()).unwrap();
    assert_eq!((small.width, small.height), (64, 64));
}

fn crc(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

fn adler(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

/// A 16-bit grey PNG of one row, stored and not packed.
fn grey16(values: &[u16], exif: Option<u8>) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        bytes.extend((data.len() as u32).to_be_bytes());
        let body = [kind, data].concat();
        bytes.extend(&body);
        bytes.extend(crc(&body).to_be_bytes());
    };
    let width = (values.len() as u32).to_be_bytes();
    chunk(
        b"IHDR",
        &[&width[..], &[0, 0, 0, 1, 16, 0, 0, 0, 0]].concat(),
    );
    if let Some(turn) = exif {
        let tags = [
            &b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..],
            &[turn],
            &[0; 6],
        ];
        chunk(b"eXIf", &tags.concat());
    }
    let row: Vec<u8> = [0]
        .into_iter()
        .chain(values.iter().flat_map(|v| v.to_be_bytes()))
        .collect();
    let length = row.len() as u16;
    let mut data = vec![0x78, 1, 1];
    data.extend(length.to_le_bytes());
    data.extend((!length).to_le_bytes());
    data.extend(&row);
    data.extend(adler(&row).to_be_bytes());
    chunk(b"IDAT", &data);
    chunk(b"IEND", &[]);
    bytes
}

/// A TIFF of 10 x 10 pixels in three planes, each in one tile of this side.
fn planes_in_tiles(side: u32) -> Vec<u8> {
    let (mut tags, data) = (Vec::new(), 8 + 2 + 11 * 12 + 4);
    let mut tag = |number: u16, kind: u16, count: u32, value: u32| {
        tags.extend(number.to_le_bytes());
        tags.extend(kind.to_le_bytes());
        tags.extend(count.to_le_bytes());
        tags.extend(value.to_le_bytes());
    };
    let (short, long) = (3, 4);
    for (number, value) in [(256, 10), (257, 10)] {
        tag(number, short, 1, value);
    }
    tag(258, short, 3, data);
    for (number, value) in [(259, 1), (262, 2), (277, 3), (284, 2)] {
        tag(number, short, 1, value);
    }
    for number in [322, 323] {
        tag(number, long, 1, side);
    }
    tag(324, long, 3, data + 6);
    tag(325, long, 3, data + 18);
    let mut bytes = b"II\x2a\0\x08\0\0\0\x0b\0".to_vec();
    bytes.extend(tags);
    bytes.extend([0; 4]);
    bytes.extend([8, 0, 8, 0, 8, 0]);
    let tile = side.wrapping_mul(side).min(1 << 20);
    for plane in 0..3 {
        bytes.extend((data + 30 + plane * tile).to_le_bytes());
    }
    for _ in 0..3 {
        bytes.extend(tile.to_le_bytes());
    }
    for plane in [10, 20, 30] {
        bytes.extend(vec![plane; tile as usize]);
    }
    bytes
}

#[test]
fn tiles_of_planes_count_as_what_they_take_and_not_as_the_page() {
    let image = decode(&planes_in_tiles(16), "small.tif", &Limits::default()).unwrap();
    assert_eq!((image.width, image.height), (10, 10));
    assert_eq!(image.data[..3], [10, 20, 30]);
    // 2.1 GB a tile, and 11 bytes for each of the 100 pixels of the page
    let limits = Limits {
        max_bytes: 46_000 * 46_000 + 1000,
        ..Limits::default()
    };
    let refused = |bytes: &[u8], limits: &Limits| {
        let error = decode(bytes, "tiles.tif", limits).unwrap_err();
        matches!(error, DataError::ImageTooLarge { .. })
    };
    assert!(refused(&planes_in_tiles(46_000), &limits));
    assert!(refused(&planes_in_tiles(65_520), &Limits::default()));
    // 1 MiB a tile is not much where a page of its size would be allowed
    assert!(decode(&planes_in_tiles(1024), "large.tif", &Limits::default()).is_ok());
}

#[test]
fn an_image_that_no_memory_can_hold_is_an_error_that_names_it() {
    let limits = Limits {
        max_pixels: u64::MAX,
        max_bytes: u64::MAX,
        ..Limits::default()
    };
    let error = decode(b"P6 2000000000 2000000000 255\n", "vast.ppm", &limits).unwrap_err();
    assert!(matches!(error, DataError::NoMemory { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("vast.ppm: no memory for 18446744073709551615 bytes to decode "),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn sixteen_bit_grey_is_clipped_or_scaled_and_a_turn_applied_or_not() {
    let bytes = grey16(&[0, 255, 256, 0x8000, 0xffff], Some(6));
    let seen = facts(&bytes).unwrap();
    assert!(seen.grey16);
    assert_eq!(seen.orientation, 6);
    let decoded = |exif, grey16| {
        let options = DecodeOptions {
            exif,
            grey16,
            ..DecodeOptions::default()
        };
        let image = decode_with(&bytes, "x.png", &options).unwrap();
        let grey: Vec<u8> = image.data.chunks(3).map(|p| p[0]).collect();
        (image.width, image.height, grey)
    };
    let clipped = vec![0, 255, 255, 255, 255];
    let scaled = vec![0, 0, 1, 128, 255];
    assert_eq!(decoded(Exif::Ignore, Grey16::Clip), (5, 1, clipped.clone()));
    assert_eq!(decoded(Exif::Ignore, Grey16::Scale), (5, 1, scaled.clone()));
    assert_eq!(decoded(Exif::Apply, Grey16::Clip), (1, 5, clipped));
    assert_eq!(decoded(Exif::Apply, Grey16::Scale), (1, 5, scaled));
    assert!(!facts(b"P5 1 1 255 x").unwrap().grey16);
    assert!(facts(b"P5 1 1 256 xx").unwrap().grey16);
}

#[test]
fn phone_photos_are_known_by_name_and_say_what_to_do() {
    let file = |brands: &[u8]| {
        let length = (8 + brands.len()) as u32;
        [&length.to_be_bytes()[..], b"ftyp", brands].concat()
    };
    for (brands, format) in [
        (&b"heic\0\0\0\0mif1heic"[..], "HEIC"),
        (b"mif1\0\0\0\0mif1heix", "HEIC"),
        (b"avif\0\0\0\0mif1miaf", "AVIF"),
        (b"mif1\0\0\0\0avif", "AVIF"),
    ] {
        let error = decode(&file(brands), "a.heic", &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(format), "{error}");
        if format == "HEIC" && cfg!(feature = "heic") {
            continue; // decoded, and this is nothing but a beginning
        }
        let hint = error.hint().unwrap();
        assert!(hint.contains("convert"), "{hint}");
        assert_eq!(hint.contains("--features heic"), format == "HEIC");
    }
    let film = decode(&file(b"isom\0\0\0\0mp42"), "a.mp4", &Limits::default()).unwrap_err();
    assert!(film.to_string().contains("a film"), "{film}");
}
