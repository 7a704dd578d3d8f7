//! What the samples of a TIFF page mean: the combinations of tags that Pillow reads, and no others.

use super::directory::Directory;
use crate::error::Result;
use crate::image::decode::file::File;

pub(super) mod tag {
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES: u16 = 277;
    pub(crate) const STRIP_BYTES: u16 = 279;
    pub(crate) const PLANES: u16 = 284;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOUR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTES: u16 = 325;
    pub(crate) const EXTRA: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
}

/// Which picture the samples make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Grey of 1, 2, 4 or 8 bits, perhaps with 0 as white.
    Grey { inverted: bool },
    /// Grey of 16 or 32 bits, without or with a sign, or as floating point numbers: never inverted, as in Pillow.
    WideGrey,
    /// Indices into the colour map.
    Palette,
    /// Red, green, blue; then perhaps others.
    Rgb,
    /// Red, green and blue multiplied by the fourth sample.
    Multiplied,
    /// Inks.
    Cmyk,
}

/// How the page is stored.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    /// Bits of a sample.
    pub(super) bits: usize,
    /// Samples of a pixel, the ones that play no part among them.
    pub(super) samples: usize,
    /// Whether the lowest bit of a byte comes first.
    pub(super) low_bits_first: bool,
    /// Whether each sample has its own strips or tiles.
    pub(super) planes: bool,
    /// Whether the stored predictor plays a part: libtiff has none outside of LZW and Deflate.
    pub(super) predictor: bool,
}

/// Reads and judges the tags of a page.
///
/// # Errors
/// A feature that is not read here, by its name.
pub(super) fn layout(file: &File<'_>, page: &Directory<'_>) -> Result<Layout> {
    let compression = page.number(tag::COMPRESSION, 1);
    let known = match compression {
        1 | 4 | 5 | 8 | 32773 | 32946 => None,
        2 => Some("fax compression 2 (run lengths)"),
        3 => Some("fax compression 3 (group 3)"),
        6 | 7 => Some("JPEG compression inside TIFF"),
        34712 => Some("JPEG 2000 compression inside TIFF"),
        34925 => Some("LZMA compression"),
        50000 => Some("Zstandard compression"),
        50001 => Some("WebP compression inside TIFF"),
        _ => Some("an unknown compression"),
    };
    if let Some(what) = known {
        return Err(file.unsupported(format!("{what} (Compression {compression})")));
    }
    let samples = page.number(tag::SAMPLES, 1) as usize;
    let mut bits = page.numbers(tag::BITS).unwrap_or_else(|| vec![1]);
    bits.truncate(samples.max(1));
    if bits.len() == 1 {
        bits = vec![bits[0]; samples.min(16)];
    }
    let formats = page.numbers(tag::SAMPLE_FORMAT).unwrap_or_else(|| vec![1]);
    let extra = page.numbers(tag::EXTRA).unwrap_or_default();
    let photometric = page.number(tag::PHOTOMETRIC, 0);
    let order = page.number(tag::FILL_ORDER, 1);
    let predictor = page.number(tag::PREDICTOR, 1);
    let low_bits_first = order == 2;
    let described = || {
        format!(
            "photometric {photometric}, bits {bits:?}, formats {formats:?}, extra samples {extra:?}, bit order {order}"
        )
    };
    let depth = bits.first().copied().unwrap_or(0);
    if samples == 0 || bits.len() != samples || bits.iter().any(|b| *b != depth) {
        return Err(file.unsupported(format!("samples of mixed bits ({})", described())));
    }
    let format = formats.first().copied().unwrap_or(1);
    if formats.iter().any(|f| *f != format) {
        return Err(file.unsupported(format!("samples of mixed kinds ({})", described())));
    }
    let kind = kind(
        page.little,
        photometric,
        format,
        low_bits_first,
        depth,
        samples,
        &extra,
    );
    let Some(kind) = kind else {
        let name = match photometric {
            6 => "YCbCr",
            8..=10 => "Lab",
            _ => "pixels of a kind that Pillow does not read either",
        };
        return Err(file.unsupported(format!("{name} ({})", described())));
    };
    let predicted = predictor != 1 && matches!(compression, 5 | 8 | 32946);
    if predicted && predictor == 2 && depth < 8 {
        return Err(file.unsupported("a predictor over samples of less than 8 bits"));
    }
    let planes = page.number(tag::PLANES, 1) == 2 && samples > 1;
    // What Pillow makes noise of, so that nobody can have meant it.
    let noise = if planes && depth == 16 && compression == 1 {
        Some("uncompressed separate planes of 16 bits")
    } else if planes && kind == Kind::Palette && extra == [0] {
        Some("separate planes of a palette and an unused sample")
    } else if planes && kind == Kind::Rgb && samples > 3 && extra.is_empty() {
        Some("separate planes with a fourth sample that is not explained")
    } else if !page.little && kind == Kind::WideGrey && format != 1 && compression != 1 {
        Some("compressed big-endian grey with a sign or of floating point numbers")
    } else {
        None
    };
    if let Some(what) = noise {
        return Err(file.unsupported(format!("{what}, which Pillow reads wrongly")));
    }
    if planes && depth < 8 {
        return Err(file.unsupported("separate planes of less than 8 bits"));
    }
    Ok(Layout {
        kind,
        bits: depth as usize,
        samples,
        low_bits_first,
        planes,
        predictor: predicted,
    })
}

/// The kinds that Pillow tells by its table of byte order, photometric interpretation, sample format, bit order, bits
/// and extra samples.
fn kind(
    little: bool,
    photometric: u64,
    format: u64,
    low_bits_first: bool,
    bits: u64,
    samples: usize,
    extra: &[u64],
) -> Option<Kind> {
    let inverted = photometric == 0;
    // Unspecified samples at the end play no part.
    let unused = |kinds: &[u64]| kinds.iter().all(|kind| *kind == 0);
    match (photometric, format, bits, samples, extra) {
        (0 | 1, 1, 1 | 2 | 4 | 8, 1, []) => Some(Kind::Grey { inverted }),
        (1, 2, 8, 1, []) | (1, 1, 8, 2, [2]) | (6, 1, 8, 1, []) if !low_bits_first => {
            Some(Kind::Grey { inverted: false })
        }
        (1, 1, 16, 1, []) if little => Some(Kind::WideGrey),
        (3, 1, 1 | 2 | 4 | 8, 1, []) => Some(Kind::Palette),
        (2, 1, 8, 3, []) => Some(Kind::Rgb),
        _ if low_bits_first => None,
        (0, 1, 16, 1, []) | (1, 1, 32, 1, []) if little => Some(Kind::WideGrey),
        (1, 1, 16, 1, []) | (1, 2, 16 | 32, 1, []) | (0 | 1, 3, 32, 1, []) => Some(Kind::WideGrey),
        (3, 1, 8, 2, [0]) if little => Some(Kind::Palette),
        (3, 1, 8, 2, [2]) => Some(Kind::Palette),
        (2, 1, 8, 4, [] | [999]) | (2, 1, 16, 3 | 4, []) | (2, 1, 16, 4, [0 | 2]) => {
            Some(Kind::Rgb)
        }
        (2, 1, 8, 4..=6, [0 | 2, rest @ ..]) if unused(rest) && samples == 3 + extra.len() => {
            Some(Kind::Rgb)
        }
        (2, 1, 8, 4..=6, [1, rest @ ..]) if unused(rest) && samples == 3 + extra.len() => {
            Some(Kind::Multiplied)
        }
        (2, 1, 16, 4, [1]) => Some(Kind::Multiplied),
        (5, 1, 8, 4..=6, extra) if unused(extra) && samples == 4 + extra.len() => Some(Kind::Cmyk),
        (5, 1, 16, 4, []) => Some(Kind::Cmyk),
        _ => None,
    }
}
