//! Tasks whose images the program draws itself.

use crate::image::RgbImage;

/// One image to be drawn.
#[derive(Debug, Clone)]
pub struct DrawnImage {
    name: String,
}

impl DrawnImage {
    /// A stable name.
    pub fn id(&self) -> String {
        self.name.clone()
    }

    /// Draws the image.
    pub fn draw(&self) -> RgbImage {
        RgbImage::filled(1, 1, [0; 3])
    }
}
