//! Small pictures inside a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A picture of 8-bit RGB pixels, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `height * width * 3` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The picture as a PNG file; `None` where the number of bytes does not fit the size, or there
    /// are no pixels.
    pub fn png(&self) -> Option<Vec<u8>> {
        let bytes = u64::from(self.width) * u64::from(self.height) * 3;
        if bytes == 0 || bytes != self.rgb.len() as u64 {
            return None;
        }
        self.encode().ok()
    }

    fn encode(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Adaptive);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgb)?;
        writer.finish()?;
        Ok(file)
    }

    /// The picture as a PNG in a `data:` address; `None` as [`Picture::png`].
    pub fn data_uri(&self) -> Option<String> {
        let png = self.png()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back_from_its_address() {
        let picture = Picture {
            width: 2,
            height: 1,
            rgb: vec![1, 2, 3, 250, 251, 252],
        };
        let uri = picture.data_uri().unwrap();
        let png = STANDARD
            .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        let image = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!((image.width(), image.height()), (2, 1));
        assert_eq!(image.into_raw(), picture.rgb);
    }

    #[test]
    fn pixels_that_do_not_fit_the_size_give_no_picture() {
        assert_eq!(
            Picture {
                width: 2,
                height: 2,
                rgb: vec![0; 3]
            }
            .data_uri(),
            None
        );
        assert_eq!(
            Picture {
                width: 0,
                height: 0,
                rgb: vec![]
            }
            .data_uri(),
            None
        );
    }
}
