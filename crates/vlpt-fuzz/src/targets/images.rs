//! Image files.

use vlpt_data::image::{DecodeOptions, Exif, Grey16, Limits, RgbImage, decode_with};

use crate::promise::told;

/// What one image may take here: little, so that a header's claims are tried against the limits.
pub(crate) const LIMITS: Limits = Limits {
    max_pixels: 1 << 20,
    max_bytes: 32 << 20,
    max_file: 32 << 20,
};

/// Decodes as the program does by default, and then with its options the other way.
pub(super) fn run(bytes: &[u8]) -> bool {
    let plain = DecodeOptions {
        limits: LIMITS,
        ..DecodeOptions::default()
    };
    let lenient = DecodeOptions {
        exif: Exif::Apply,
        grey16: Grey16::Scale,
        accept_damaged: true,
        ..plain
    };
    let [accepted, _] =
        [plain, lenient].map(|options| match decode_with(bytes, "input", &options) {
            Ok(image) => whole(&image),
            Err(error) => told(&error, error.hint()),
        });
    accepted
}

/// Checks that an image has the pixels that it says, within the limits.
pub(crate) fn whole(image: &RgbImage) -> bool {
    let pixels = u64::from(image.width) * u64::from(image.height);
    assert!(pixels > 0, "{} x {} pixels", image.width, image.height);
    assert!(pixels <= LIMITS.max_pixels, "{pixels} pixels");
    assert_eq!(image.data.len() as u64, pixels * 3);
    true
}
