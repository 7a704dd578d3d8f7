//! One idx file, plain or of gzip: a magic number, sizes, and a byte a value.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::archive::{Grid, MAX_MEMBER_BYTES, Pixels, RawImages, Root};
use crate::error::{LayoutError, Result};
use crate::readers::pixels::bad;

/// The most images of a file: each takes far more memory than an image of one pixel has bytes.
const MOST_IMAGES: u32 = 1 << 22;

/// An idx file of so many dimensions that is open behind its sizes.
struct Idx<const D: usize> {
    /// The file on disk, links followed.
    real: PathBuf,
    /// The file as errors call it.
    file: PathBuf,
    stream: Box<dyn Read>,
    sizes: [u32; D],
    /// Bytes of the values.
    length: u64,
}

impl<const D: usize> Idx<D> {
    /// Opens a file of bytes, unpacking it where its name ends in `.gz`.
    fn open(root: &Root, name: &str) -> Result<Self> {
        let real = root.check_links(name)?;
        let file = root.join(name);
        let open = std::io::BufReader::new(fs_err::File::open(&real)?);
        let mut stream: Box<dyn Read> = if is_gzip(name) {
            Box::new(MultiGzDecoder::new(open))
        } else {
            Box::new(open)
        };
        let mut head = vec![0; 4 + 4 * D];
        let read = stream.read_exact(&mut head);
        read.map_err(|error| cut_off(&file, "the header", &error))?;
        let (magic, stored) = head.split_at(4);
        if magic != [0, 0, 8, D as u8] {
            let hex: Vec<String> = magic.iter().map(|byte| format!("{byte:02x}")).collect();
            let expected = format!(
                "00 00 08 {D:02x}, the magic number of bytes in {D} dimensions{}",
                if magic.starts_with(&[0x1f, 0x8b]) {
                    "; this is gzip data, whose name ends in .gz"
                } else {
                    ""
                }
            );
            return Err(bad(&file, "the first 4 bytes", hex.join(" "), expected).into());
        }
        let mut sizes = [0; D];
        for (size, bytes) in sizes.iter_mut().zip(stored.chunks_exact(4)) {
            *size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let length = sizes
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(u64::from(size)))
            .filter(|&length| length <= MAX_MEMBER_BYTES);
        let Some(length) = length else {
            let most = format!("at most {MAX_MEMBER_BYTES} bytes in all");
            return Err(bad(&file, "the sizes", format!("{sizes:?}"), most).into());
        };
        Ok(Self {
            real,
            file,
            stream,
            sizes,
            length,
        })
    }

    /// All values; the file ends behind them.
    fn values(mut self) -> Result<Vec<u8>> {
        // the sizes are only a claim: memory grows with what arrives
        let mut bytes = Vec::new();
        let read = self
            .stream
            .by_ref()
            .take(self.length + 1)
            .read_to_end(&mut bytes);
        read.map_err(|error| cut_off(&self.file, "the values", &error))?;
        self.check(bytes.len() as u64)?;
        Ok(bytes)
    }

    fn check(&self, found: u64) -> Result<()> {
        let found = match found {
            found if found == self.length => return Ok(()),
            found if found > self.length => "more bytes".to_owned(),
            found => format!("{found} bytes, it is cut off"),
        };
        let expected = format!("the {} bytes of the sizes {:?}", self.length, self.sizes);
        Err(bad(&self.file, "after the header", found, expected).into())
    }
}

fn is_gzip(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "gz")
}

fn cut_off(file: &Path, place: &str, error: &std::io::Error) -> LayoutError {
    let expected = "a whole idx file: fetch it again";
    bad(file, place, format!("its end ({error})"), expected)
}

/// The labels of a file that has one for each of `images` images.
pub(super) fn labels(root: &Root, name: &str, images: u32) -> Result<Vec<u8>> {
    let idx = Idx::<1>::open(root, name)?;
    let [count] = idx.sizes;
    if count != images {
        let found = format!("{count} labels");
        let expected = format!("{images}, one for each image");
        return Err(bad(&idx.file, "the whole", found, expected).into());
    }
    idx.values()
}

/// The images of a file: read where they lie, or held where they have to be unpacked.
pub(super) fn images(root: &Root, name: &str) -> Result<Arc<RawImages>> {
    let idx = Idx::<3>::open(root, name)?;
    let [count, height, width] = idx.sizes;
    if width == 0 || height == 0 {
        let found = format!("images of {width} x {height} pixels");
        return Err(bad(&idx.file, "the sizes", found, "images with pixels").into());
    }
    if count > MOST_IMAGES {
        let found = format!("{count} images");
        return Err(bad(
            &idx.file,
            "the sizes",
            found,
            format!("at most {MOST_IMAGES}"),
        )
        .into());
    }
    let grid = |start| Grid {
        start,
        step: u64::from(width) * u64::from(height),
        count,
        width,
        height,
        pixels: Pixels::Grey,
    };
    if is_gzip(name) {
        return RawImages::held(name, idx.values()?, grid(0));
    }
    let head = 4 + 4 * 3;
    let length = fs_err::metadata(&idx.real)?.len();
    idx.check(length.saturating_sub(head))?;
    RawImages::in_file(root, name, grid(head))
}
