//! What bytes are, by their beginning.

/// An image format, recognised by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG, baseline and progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy and lossless.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// GIF, first frame.
    Gif,
    /// TIFF, first page.
    Tiff,
    /// Netpbm: PBM, PGM, PPM.
    Pnm,
    /// HEIC: HEVC pictures in a HEIF file, as phones make.
    Heic,
    /// AVIF: AV1 pictures in a HEIF file.
    Avif,
}

impl ImageFormat {
    /// The usual name, such as `JPEG`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Pnm => "PNM",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
        }
    }
}

/// The format of image bytes, by their first bytes; `None` when they are not an image known here.
pub fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif(bytes),
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageFormat::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(ImageFormat::WebP),
        [b'B', b'M', ..] => Some(ImageFormat::Bmp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(ImageFormat::Tiff),
        [b'P', b'1'..=b'6', b' ' | b'\t'..=b'\r', ..] => Some(ImageFormat::Pnm),
        _ if is_dib(bytes) => Some(ImageFormat::Bmp),
        _ => None,
    }
}

/// Whether bytes are a device-independent bitmap: a BMP without the 14 bytes that begin its file.
pub(super) fn is_dib(bytes: &[u8]) -> bool {
    // size of the header, width and height, one plane, bits of a pixel
    matches!(
        bytes,
        [
            40 | 108 | 124,
            0,
            0,
            0,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            1,
            0,
            1 | 4 | 8 | 16 | 24 | 32,
            0,
            ..
        ]
    )
}

/// Which of the pictures in HEIF files, by the brands in the file's first box.
fn heif(bytes: &[u8]) -> Option<ImageFormat> {
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let brands = bytes.get(8..length.min(bytes.len()).min(256))?;
    let mut brands = brands.chunks_exact(4).enumerate();
    // The second word is a version.
    brands.find_map(|(place, brand)| match brand {
        _ if place == 1 => None,
        b"avif" | b"avis" => Some(ImageFormat::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(ImageFormat::Heic),
        _ => None,
    })
}

/// What bytes that are no known image look like, in words.
pub(super) fn describe(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(64)];
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start().to_lowercase();
    let known = match bytes {
        [b'P', b'K', 3 | 5, ..] => Some("a ZIP archive"),
        [0x1f, 0x8b, ..] => Some("gzip data"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF document"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("a film, or an image in a film's format"),
        [0, 0, 0, 12, b'j', b'P', ..] => Some("a JPEG 2000 image"),
        [b'P', b'7', b'\n', ..] => Some("a PAM image"),
        [b'P', b'f' | b'F', b'\n', ..] => Some("a PFM image"),
        _ if text.starts_with("<!doctype html") || text.starts_with("<html") => Some("a web page"),
        _ if text.starts_with("<svg") || text.starts_with("<?xml") => Some("XML or SVG text"),
        _ if text.starts_with("version https://git-lfs") => Some("a Git LFS pointer"),
        _ if bytes.iter().all(|&b| b == 0) => Some("nothing but zero bytes"),
        _ => None,
    };
    let size = bytes.len();
    match known {
        Some(known) => format!("the {size} bytes are {known}"),
        None if start
            .iter()
            .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) =>
        {
            format!("the {size} bytes look like text")
        }
        None => {
            let hex: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
            format!("the {size} bytes begin with {}", hex.join(" "))
        }
    }
}
