//! The binary version: records of one or two labels and the pixels.

use super::{IMAGE, SIDE};
use crate::archive::{Grid, Pixels, RawImages, Root};
use crate::error::Result;
use crate::readers::pixels::{bad, label, samples, whole};
use crate::sample::Sample;

/// The images of one file whose records begin with `labels` bytes, of which the last one is the class.
pub(super) fn read(root: &Root, name: &str, labels: u64, classes: usize) -> Result<Vec<Sample>> {
    let file = root.join(name);
    let step = labels + IMAGE;
    let bytes = whole(&root.check_links(name)?)?;
    let length = bytes.len() as u64;
    if length == 0 || !length.is_multiple_of(step) {
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
    Ok(samples(&RawImages::in_file(root, name, grid)?, &found))
}
