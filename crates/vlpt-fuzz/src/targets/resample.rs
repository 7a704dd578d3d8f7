//! Resizing against a scalar program.
//!
//! The reference is the plain form of what Pillow documents of its resampler for 8-bit images: f64
//! weights of an antialiased filter, normalised, as 22-bit fixed point; a pass over columns that
//! rounds to 8 bits, then one over rows.

use vlpt_data::image::{Interpolation, Preprocess, ResizeMode, RgbImage};

/// Bits behind the point of a weight.
const BITS: u32 = 22;
/// Longest side tried.
const SIDE: u32 = 96;

/// Takes sizes, mode and filter of the first bytes and pixels of the others.
pub(super) fn run(bytes: &[u8]) -> bool {
    let Some((head, pixels)) = bytes.split_at_checked(5) else {
        return false;
    };
    let side = |byte: u8| 1 + u32::from(byte) % SIDE;
    let (width, height, n) = (side(head[0]), side(head[1]), side(head[2]));
    let image = RgbImage {
        width,
        height,
        data: filled(pixels, (width * height * 3) as usize),
    };
    let interpolation = if head[3] & 1 == 0 {
        Interpolation::Bicubic
    } else {
        Interpolation::Bilinear
    };
    let modes = [
        ResizeMode::Squash,
        ResizeMode::Shortest,
        ResizeMode::Longest,
    ];
    let preprocess = Preprocess {
        image_size: n,
        resize: modes[usize::from(head[4]) % 3],
        interpolation,
        ..Preprocess::default()
    };
    let found = preprocess.pixels(&image);
    assert_eq!((found.width, found.height), (n, n));
    assert_eq!(found.data.len(), (n * n * 3) as usize);
    let expected = match preprocess.resize {
        ResizeMode::Squash => reference(&image, [n, n], interpolation),
        ResizeMode::Shortest => shortest(&image, n, interpolation),
        ResizeMode::Longest => return true, // padded: its size is all that is compared
    };
    assert!(
        found.data == expected,
        "{width} x {height}, {:?} to {n}, {interpolation:?}",
        preprocess.resize
    );
    true
}

/// The shortest side to `n` and the other cut to a whole number, then the centre square.
fn shortest(image: &RgbImage, n: u32, filter: Interpolation) -> Vec<u8> {
    let (width, height) = (image.width, image.height);
    let long = (u64::from(n) * u64::from(width.max(height)) / u64::from(width.min(height))) as u32;
    let to = if width <= height {
        [n, long]
    } else {
        [long, n]
    };
    let whole = reference(image, to, filter);
    let [left, top] = to.map(|side| (f64::from(side - n) / 2.0).round_ties_even() as usize);
    let (line, kept) = (to[0] as usize * 3, n as usize * 3);
    (top..top + n as usize)
        .flat_map(|y| whole[y * line + left * 3..][..kept].iter().copied())
        .collect()
}

/// `length` bytes: those given, again and again.
fn filled(bytes: &[u8], length: usize) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![128; length];
    }
    bytes.iter().copied().cycle().take(length).collect()
}

/// The image resized to a width and a height.
fn reference(image: &RgbImage, to: [u32; 2], filter: Interpolation) -> Vec<u8> {
    let [width, height] = [image.width, image.height].map(|x| x as usize);
    let [to_width, to_height] = to.map(|x| x as usize);
    let across = weights(filter, width, to_width);
    let down = weights(filter, height, to_height);
    let pixel = |x: usize, y: usize, channel: usize| image.data[(y * width + x) * 3 + channel];
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
                let values =
                    (0..taps.len()).map(|tap| middle[((start + tap) * to_width + x) * 3 + channel]);
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
                let normal = if total == 0.0 {
                    *weight
                } else {
                    weight / total
                };
                let scaled = normal * f64::from(1 << BITS);
                (if scaled < 0.0 {
                    scaled - 0.5
                } else {
                    scaled + 0.5
                }) as i64
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
