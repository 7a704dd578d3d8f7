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
