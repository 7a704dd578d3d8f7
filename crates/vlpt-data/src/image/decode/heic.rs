//! HEIC, as phones make it: HEVC pictures, whole or in a grid of tiles, cropped, turned and mirrored as the file says.
//!
//! Colours are those of `pillow-heif` (libheif): each colour sample stands for its block of pixels.

use std::sync::OnceLock;

use heic_decoder::{ChromaUpsampling, DecodedImage, HeifError, RgbOptions};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::file::File;

use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use crate::quiet;

/// Bytes held per pixel while decoding: three planes of 32 bits, twice while tiles are put together, and an alpha
/// plane.
const WORK: u64 = 32;

/// Decodes a HEIC file.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let failed = |error: HeifError| failure(file, &error);
    let about = heic_decoder::probe(file.bytes).map_err(failed)?;
    file.check_size(about.coded_width as u64, about.coded_height as u64, WORK)?;
    let image = apart(|| heic_decoder::decode(file.bytes).and_then(rgb))
        .ok_or_else(|| file.damaged("the decoder gave up"))?;
    image.map_err(failed)
}

fn rgb(mut image: DecodedImage) -> std::result::Result<RgbImage, HeifError> {
    // In the middle of its block, wherever the file puts it, as libheif.
    let place = &mut image.chroma_sampling;
    place.origin_x = (place.sub_x as f32 - 1.0) / 2.0;
    place.origin_y = (place.sub_y as f32 - 1.0) / 2.0;
    let options = RgbOptions {
        color: None,
        upsampling: ChromaUpsampling::Nearest,
    };
    let rgb = image.to_rgb8_with_options(&options)?;
    Ok(RgbImage {
        width: rgb.width as u32,
        height: rgb.height as u32,
        data: rgb.data,
    })
}

/// Runs `work` on threads that do nothing else; `None` where it panicked. The library shares tiles out over the pool
/// of the thread that calls it, and a thread of rayon that waits takes up other work of its pool. That might be another
/// image, for whose memory it would wait while holding that of this one. The thread in between belongs to no pool: it
/// sleeps.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let threads = rayon::current_num_threads();
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        builder.start_handler(|_| quiet::mute()).build().ok()
    });
    let pool = pool.as_ref()?;
    let inside = || pool.install(|| quiet::catch(work));
    std::thread::scope(|scope| scope.spawn(inside).join().ok().flatten())
}

fn failure(file: &File<'_>, error: &HeifError) -> DataError {
    match error {
        HeifError::Truncated { at, needed } => {
            file.truncated(format!("{needed} bytes are missing at {at}"))
        }
        HeifError::Unsupported(what) => file.unsupported(*what),
        HeifError::LimitExceeded(what) => file.unsupported(format!("more than the limit: {what}")),
        _ => file.damaged(error.to_string()),
    }
}
