//! A part of an image, resized.

use super::filter::Interpolation;
use super::resample::{Area, resample};
use super::rgb::RgbImage;
use super::settings::ResizeOrder;

/// Crops `crop` (left, top, width, height) out of an image and resizes it to `to` (width, height), as
/// Pillow's `crop` and `resize`, in the given order of directions.
///
/// # Panics
/// If the crop is empty or reaches past the image, or `to` has a zero.
pub fn crop_resize(
    image: &RgbImage,
    crop: [u32; 4],
    to: [u32; 2],
    filter: Interpolation,
    order: ResizeOrder,
) -> RgbImage {
    let [x, y, width, height] = crop;
    let inside = x.checked_add(width).is_some_and(|end| end <= image.width)
        && y.checked_add(height).is_some_and(|end| end <= image.height);
    assert!(
        inside && width > 0 && height > 0,
        "crop {crop:?} outside of the image"
    );
    assert!(to[0] > 0 && to[1] > 0, "resize to nothing");
    let area = Area {
        x,
        y,
        width,
        height,
    };
    let whole = Area::whole(to[0], to[1]);
    resample(image, area, (to[0], to[1]), whole, filter, order)
}

/// The image with no side longer than `longest` pixels, its shape kept; as it is where it is small enough.
///
/// # Panics
/// If `longest` is zero.
pub fn no_longer_than(longest: u32, image: RgbImage) -> RgbImage {
    let side = image.width.max(image.height);
    if side <= longest {
        return image;
    }
    let scaled = |part: u32| {
        let exact = u64::from(part) * u64::from(longest) / u64::from(side);
        u32::try_from(exact).unwrap_or(longest).max(1)
    };
    crop_resize(
        &image,
        [0, 0, image.width, image.height],
        [scaled(image.width), scaled(image.height)],
        Interpolation::Bicubic,
        ResizeOrder::Classic,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32) -> RgbImage {
        RgbImage {
            width,
            height,
            data: vec![7; (width * height * 3) as usize],
        }
    }

    #[test]
    fn the_longest_side_is_bounded_and_no_side_vanishes() {
        let sides = |width, height| {
            let image = no_longer_than(10, plain(width, height));
            assert!(image.data.iter().all(|&value| value == 7));
            (image.width, image.height)
        };
        assert_eq!(sides(40, 20), (10, 5));
        assert_eq!(sides(20, 41), (4, 10));
        assert_eq!(sides(1, 100), (1, 10));
        assert_eq!(sides(10, 3), (10, 3));
    }
}
