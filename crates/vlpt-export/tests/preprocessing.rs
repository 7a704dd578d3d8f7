//! The preprocessing as a graph gives the very pixels that this program gives.

#![allow(clippy::unwrap_used)]

use vlpt_base::random::Stream;
use vlpt_data::image::{Interpolation, Preprocess, ResizeMode, ResizeOrder, RgbImage};
use vlpt_export::{image_value, preprocessing_graph, run};

fn noise(width: u32, height: u32) -> RgbImage {
    let mut random = Stream::new(u64::from(width * 1000 + height), "noise");
    let data = (0..width * height * 3).map(|_| random.next_u64() as u8);
    RgbImage {
        width,
        height,
        data: data.collect(),
    }
}

/// Shrunk and grown, tall and wide, even and odd, as it is.
const SIZES: [(u32, u32); 12] = [
    (24, 24),
    (25, 24),
    (1, 1),
    (3, 50),
    (50, 3),
    (37, 91),
    (91, 37),
    (23, 23),
    (48, 72),
    (100, 100),
    (131, 65),
    (65, 200),
];

fn equal(view: &Preprocess) {
    let graph = preprocessing_graph(view);
    for (width, height) in SIZES {
        let image = noise(width, height);
        let found = run(&graph, &[("image", image_value(&image))]).unwrap();
        let side = view.image_size as usize;
        assert_eq!(found[0].shape, [1, 3, side, side]);
        let found = found[0].as_f32().unwrap();
        let expected = view.apply(&image);
        let differ = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "{width} x {height}, {}", view.fingerprint());
    }
}

#[test]
fn every_pixel_is_equal_to_the_last_bit() {
    for resize in [
        ResizeMode::Shortest,
        ResizeMode::Squash,
        ResizeMode::Longest,
    ] {
        for interpolation in [Interpolation::Bicubic, Interpolation::Bilinear] {
            equal(&Preprocess {
                image_size: 24,
                resize,
                interpolation,
                fill: 7,
                ..Preprocess::default()
            });
        }
    }
}

#[test]
fn rows_may_come_first() {
    for image_size in [23, 48] {
        equal(&Preprocess {
            image_size,
            resize_order: ResizeOrder::Pillow13,
            ..Preprocess::default()
        });
    }
}
