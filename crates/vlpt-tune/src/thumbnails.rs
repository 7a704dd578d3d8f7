//! Small pictures of photos for the report.

use vlpt_data::Sample;
use vlpt_data::image::{DecodeOptions, Interpolation, ResizeOrder, RgbImage, crop_resize};
use vlpt_report::Picture;

/// The longest side of a picture, in pixels.
const SIDE: u32 = 112;

/// The photo, no side longer than a report needs; none where it cannot be read any more.
pub(crate) fn thumbnail(sample: &Sample, decoding: &DecodeOptions) -> Option<Picture> {
    let image = sample.load_then(decoding, smaller).ok()?;
    Some(Picture {
        width: image.width,
        height: image.height,
        rgb: image.data,
    })
}

fn smaller(image: RgbImage) -> RgbImage {
    let longest = image.width.max(image.height);
    if longest <= SIDE {
        return image;
    }
    let scaled =
        |side: u32| ((u64::from(side) * u64::from(SIDE) / u64::from(longest)) as u32).max(1);
    let to = [scaled(image.width), scaled(image.height)];
    crop_resize(
        &image,
        [0, 0, image.width, image.height],
        to,
        Interpolation::Bicubic,
        ResizeOrder::Classic,
    )
}
