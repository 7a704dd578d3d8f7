//! Resizing against a scalar program.
//!
//! The reference is the plain form of what Pillow documents of its resampler for 8-bit images: f64
//! weights of an antialiased filter, normalised, as 22-bit fixed point; a pass over columns that
//! rounds to 8 bits, then one over rows.

use vlpt_data::image::{Interpolation, Preprocess, ResizeMode, RgbImage, crop_resize};

/// Bits behind the point of a weight.
const BITS: u32 = 22;
/// Longest side tried.
const SIDE: u32 = 96;

/// Takes sizes, crop and filter of the first bytes and pixels of the others.
pub(super) fn run(bytes: &[u8]) -> bool {
    let Some((head, pixels)) = bytes.split_at_checked(10) else {
        return false;
    };
    let side = |byte: u8, most: u32| 1 + u32::from(byte) % most;
    let (width, height) = (side(head[0], SIDE), side(head[1], SIDE));
    let image = RgbImage {
        width,
        height,
        data: filled(pixels, (width * height * 3) as usize),
    };
    let (left, top) = (side(head[2], width) - 1, side(head[3], height) - 1);
    let crop = [
        left,
        top,
        side(head[4], width - left),
        side(head[5], height - top),
    ];
    let to = [side(head[6], SIDE), side(head[7], SIDE)];
    let filter = if head[8] & 1 == 0 {
        Interpolation::Bicubic
    } else {
        Interpolation::Bilinear
    };
    let found = crop_resize(&image, crop, to, filter);
    assert_eq!((found.width, found.height), (to[0], to[1]));
    let expected = reference(&image, crop, to, filter);
    assert!(
        found.data == expected,
        "{width} x {height}, crop {crop:?} to {to:?}, {filter:?}"
    );
    view(&image, head[8] >> 1, u32::from(head[9]) + 1, filter);
    true
}

/// The evaluation view is a square whatever the image.
fn view(image: &RgbImage, mode: u8, image_size: u32, interpolation: Interpolation) {
    let modes = [
        ResizeMode::Shortest,
        ResizeMode::Squash,
        ResizeMode::Longest,
    ];
    let preprocess = Preprocess {
        image_size,
        resize: modes[usize::from(mode) % 3],
        interpolation,
        ..Preprocess::default()
    };
    let square = preprocess.pixels(image);
    assert_eq!((square.width, square.height), (image_size, image_size));
    assert_eq!(square.data.len(), (image_size * image_size * 3) as usize);
}

/// `length` bytes: those given, again and again.
fn filled(bytes: &[u8], length: usize) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![128; length];
    }
    bytes.iter().copied().cycle().take(length).collect()
}

fn reference(image: &RgbImage, crop: [u32; 4], to: [u32; 2], filter: Interpolation) -> Vec<u8> {
    let [left, top, width, height] = crop.map(|x| x as usize);
    let [to_width, to_height] = to.map(|x| x as usize);
    let across = weights(filter, width, to_width);
    let down = weights(filter, height, to_height);
    let pixel = |x: usize, y: usize, channel: usize| {
        image.data[((top + y) * image.width as usize + left + x) * 3 + channel]
    };
    let mut middle = vec![0; to_width * height * 3];
    for y in 0..height {
        for (x, (start, taps)) in across.iter().enumerate() {
            for channel in 0..3 {
                let values = (0..taps.len()).map(|tap| pixel(start + tap, y, channel));
                middle[(y * to_width + x) * 3 + channel] = dot(taps, values);
            }
        }
    }
    let mut result = vec![0; to_width * to_height * 3];
    for (y, (start, taps)) in down.iter().enumerate() {
        for x in 0..to_width {
            for channel in 0..3 {
                let values = (0..taps.len())
                    .map(|tap| middle[((start + tap) * to_width + x) * 3 + channel]);
                result[(y * to_width + x) * 3 + channel] = dot(taps, values);
            }
        }
    }
    result
}

/// One rounded and clipped pixel value.
fn dot(taps: &[i64], values: impl Iterator<Item = u8>) -> u8 {
    let sum: i64 = taps
        .iter()
        .zip(values)
        .map(|(tap, value)| tap * i64::from(value))
        .sum();
    ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

/// For each of `to` pixels the first of `from` that it reads, and the weights from there.
fn weights(filter: Interpolation, from: usize, to: usize) -> Vec<(usize, Vec<i64>)> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = stretch
        * match filter {
            Interpolation::Bicubic => 2.0,
            Interpolation::Bilinear => 1.0,
        };
    (0..to)
        .map(|index| {
            let centre = (index as f64 + 0.5) * scale;
            let start = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            // as in C: the difference is scaled by the reciprocal, which rounds once more
            let reciprocal = 1.0 / stretch;
            let raw: Vec<f64> = (start..end)
                .map(|x| curve(filter, (x as f64 - centre + 0.5) * reciprocal))
                .collect();
            let total: f64 = raw.iter().sum();
            let fixed = raw.iter().map(|weight| {
                let normal = if total == 0.0 { *weight } else { weight / total };
                let scaled = normal * f64::from(1 << BITS);
                (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i64
            });
            (start, fixed.collect())
        })
        .collect()
}

fn curve(filter: Interpolation, x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    match filter {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        Interpolation::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Interpolation::Bicubic => 0.0,
    }
}
