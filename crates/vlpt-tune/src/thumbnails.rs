//! Small pictures of photos for the report.

use vlpt_data::Sample;
use vlpt_data::image::{DecodeOptions, no_longer_than};
use vlpt_report::Picture;

/// The longest side of a picture, in pixels.
const SIDE: u32 = 112;

/// The photo, no side longer than a report needs; none where it cannot be read any more.
pub(crate) fn thumbnail(sample: &Sample, decoding: &DecodeOptions) -> Option<Picture> {
    let image = sample
        .load_then(decoding, |image| no_longer_than(SIDE, image))
        .ok()?;
    Some(Picture {
        width: image.width,
        height: image.height,
        rgb: image.data,
    })
}
