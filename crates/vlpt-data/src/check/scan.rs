//! Reading every image: hashes, sizes, and what cannot be read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::finding::{Finding, Level, plural};
use super::headers::{Header, Looked};
use super::options::CheckOptions;
use crate::error::DataError;
use crate::image::{DecodeOptions, decode_then, format_of};
use crate::sample::{ImageRef, Sample};
use crate::task::Split;

/// Images that threads share before they go on to the next ones.
const BLOCK: usize = 256;

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// What was seen of one image.
pub(super) struct Scan {
    /// Hash of the file; `None` where it cannot be read.
    pub(super) bytes: Option<Hash>,
    /// Hash of size and pixels, where they were asked for.
    pub(super) pixels: Option<Hash>,
    /// Width and height, where it was decoded.
    size: Option<(u32, u32)>,
    format: &'static str,
    error: Option<DataError>,
    header: Header,
}

/// An image that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its split.
    pub split: &'static str,
    /// Its id.
    pub id: String,
    /// What is wrong, the id in it.
    pub message: String,
    /// A way out, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Smallest, median and largest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The smallest.
    pub min: u32,
    /// The median; of an even number of numbers the lower of the two in the middle.
    pub median: u32,
    /// The largest.
    pub max: u32,
}

impl Range {
    fn spanning(mut numbers: Vec<u32>) -> Option<Self> {
        numbers.sort_unstable();
        let (&min, &max) = (numbers.first()?, numbers.last()?);
        Some(Self {
            min,
            median: numbers[(numbers.len() - 1) / 2],
            max,
        })
    }
}

/// Sizes and formats of the images of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Widths in pixels.
    pub width: Range,
    /// Heights in pixels.
    pub height: Range,
    /// Number of images of each format.
    pub formats: BTreeMap<&'static str, usize>,
}

/// Looks at every image of every split.
pub(super) fn scan(
    splits: &[(&'static str, &Split)],
    options: &CheckOptions,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Vec<Vec<Scan>> {
    let total = splits
        .iter()
        .map(|(_, split)| split.samples.len() as u64)
        .sum();
    let done = AtomicU64::new(0);
    progress(0, total);
    let look = |sample: &Sample| {
        let scan = scan_one(sample, options);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        scan
    };
    // block by block, so that threads stay near each other in an archive
    let all = |samples: &[Sample]| -> Vec<Scan> {
        let blocks = samples.chunks(BLOCK).map(|block| {
            let scans: Vec<Scan> = block.par_iter().map(look).collect();
            scans
        });
        blocks.flatten().collect()
    };
    splits
        .iter()
        .map(|(_, split)| all(&split.samples))
        .collect()
}

fn scan_one(sample: &Sample, options: &CheckOptions) -> Scan {
    let mut scan = Scan {
        bytes: None,
        pixels: None,
        size: None,
        format: "unknown",
        error: None,
        header: Header::default(),
    };
    let bytes = match sample.image.read() {
        Ok(bytes) => bytes,
        Err(error) => {
            scan.error = Some(error);
            return scan;
        }
    };
    scan.bytes = Some(Sha256::digest(&bytes).into());
    if !matches!(sample.image, ImageRef::Synthetic(_)) {
        scan.header = Header::of(&bytes);
    }
    if let Some(format) = format_of(&bytes) {
        scan.format = format.name();
    }
    if !options.decode && !options.pixels {
        return scan;
    }
    let decoding = DecodeOptions {
        limits: options.limits,
        ..DecodeOptions::default()
    };
    let seen = decode_then(&bytes, &sample.image.id(), &decoding, |image| {
        let hash = options.pixels.then(|| {
            let mut hash = Sha256::new();
            hash.update(image.width.to_le_bytes());
            hash.update(image.height.to_le_bytes());
            hash.update(&image.data);
            hash.finalize().into()
        });
        ((image.width, image.height), hash)
    });
    match seen {
        Ok((size, pixels)) => {
            scan.size = Some(size);
            scan.pixels = pixels;
        }
        Err(error) => scan.error = Some(error),
    }
    scan
}

/// Sizes and formats of what could be decoded; `None` where nothing was.
pub(super) fn sizes(scans: &[Scan]) -> Option<Sizes> {
    let decoded = || {
        scans
            .iter()
            .filter_map(|scan| Some((scan.size?, scan.format)))
    };
    let mut formats = BTreeMap::new();
    for (_, format) in decoded() {
        *formats.entry(format).or_insert(0) += 1;
    }
    Some(Sizes {
        width: Range::spanning(decoded().map(|(size, _)| size.0).collect())?,
        height: Range::spanning(decoded().map(|(size, _)| size.1).collect())?,
        formats,
    })
}

/// What the headers of all images say.
pub(super) fn headers(splits: &[(&'static str, &Split)], scans: &[Vec<Scan>]) -> Looked {
    let pairs = splits.iter().zip(scans);
    let pairs = pairs.flat_map(|((_, split), scans)| split.samples.iter().zip(scans));
    let odd = pairs.filter(|(_, scan)| scan.header != Header::default());
    Looked::all(
        odd.map(|(sample, scan)| (sample.image.id(), scan.header))
            .collect(),
    )
}

/// The images that cannot be used, in the order of the task.
pub(super) fn broken(splits: &[(&'static str, &Split)], scans: &[Vec<Scan>]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (&(split, images), scans) in splits.iter().zip(scans) {
        for (sample, scan) in images.samples.iter().zip(scans) {
            if let Some(error) = &scan.error {
                broken.push(Broken {
                    split,
                    id: sample.image.id(),
                    message: error.to_string(),
                    hint: error.hint(),
                });
            }
        }
    }
    broken
}

pub(super) fn findings(broken: &[Broken]) -> Option<Finding> {
    let first = broken.first()?;
    let text = format!(
        "{} cannot be read, the first in {}: {}",
        plural(broken.len(), "image"),
        first.split,
        first.message
    );
    let finding = Finding::new(Level::Error, text);
    Some(match &first.hint {
        Some(hint) => finding.hint(hint.clone()),
        None => finding,
    })
}
