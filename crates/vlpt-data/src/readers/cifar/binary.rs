//! The binary version: records of one or two labels and the pixels.

use super::{IMAGE, SIDE};
use crate::archive::{Grid, MAX_MEMBER_BYTES, Pixels, RawImages, Root};
use crate::error::Result;
use crate::readers::pixels::{bad, label, samples, whole};
use crate::sample::Sample;

/// The images of one file whose records begin with `labels` bytes, of which the last one is the class.
pub(super) fn read(root: &Root, name: &str, labels: u64, classes: usize) -> Result<Vec<Sample>> {
    let file = root.join(name);
    let step = labels + IMAGE;
    let bytes = whole(&root.check_links(name)?)?;
    let length = bytes.len() as u64;
    if !length.is_multiple_of(step) || length > MAX_MEMBER_BYTES {
        let found = format!("{length} bytes");
        let expected = format!("records of {step} bytes: the file is cut off or of another kind");
        return Err(bad(&file, "the whole", found, expected).into());
    }
    let mut found = Vec::new();
    for (number, record) in bytes.chunks_exact(step as usize).enumerate() {
        let class = i64::from(record[labels as usize - 1]);
        found.push(label(&file, number, class, classes)?);
    }
    let grid = Grid {
        start: labels,
        step,
        count: found.len() as u32,
        width: SIDE,
        height: SIDE,
        pixels: Pixels::Planes,
    };
    // a file without a record has no first image
    let grid = match found.len() {
        0 => Grid { start: 0, ..grid },
        _ => grid,
    };
    Ok(samples(&RawImages::in_file(root, name, grid)?, &found))
}
