//! Pixels of a decoded image.

use std::io;

/// An image of 8-bit RGB pixels, rows from the top, three bytes a pixel.
///
/// Width and height are at least 1; whoever fills the fields keeps `data` at the length they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `height * width * 3` bytes.
    pub data: Vec<u8>,
}

impl RgbImage {
    /// An image of one colour.
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        let pixels = width as usize * height as usize;
        Self {
            width,
            height,
            data: colour.repeat(pixels),
        }
    }

    /// Left and right changed over, in place.
    pub fn mirror(&mut self) {
        for row in self.data.chunks_exact_mut(self.width as usize * 3) {
            row.reverse();
            for pixel in row.chunks_exact_mut(3) {
                pixel.swap(0, 2);
            }
        }
    }

    /// The image as a PNG file.
    ///
    /// # Errors
    /// The image has no pixel, or `data` is not as long as the size says.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        // Features are cached by the hash of these bytes: another setting empties every cache.
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Adaptive);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.data)?;
        writer.finish()?;
        Ok(file)
    }
}
