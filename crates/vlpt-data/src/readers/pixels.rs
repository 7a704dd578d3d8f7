//! What readers of files of pixels share: whole files in bounds, samples, and what is said of wrong ones.

use std::path::Path;
use std::sync::Arc;

use crate::archive::{FileAt, MAX_MEMBER_BYTES, RawImages};
use crate::error::{LayoutError, Result};
use crate::sample::{ImageRef, Sample};

/// One image with its label.
pub(super) fn sample(images: &Arc<RawImages>, index: u32, label: u32) -> Sample {
    Sample {
        image: ImageRef::Raw {
            images: Arc::clone(images),
            index,
        },
        labels: vec![label],
    }
}

/// One sample for each label, in order.
pub(super) fn samples(images: &Arc<RawImages>, labels: &[u32]) -> Vec<Sample> {
    let all = (0..images.len()).zip(labels);
    all.map(|(index, &label)| sample(images, index, label))
        .collect()
}

/// A file that is not as it should be.
pub(super) fn bad(
    file: &Path,
    place: impl Into<String>,
    found: impl Into<String>,
    expected: impl Into<String>,
) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: place.into(),
        found: found.into(),
        expected: expected.into(),
    }
}

/// A file of a set that is not there.
pub(super) fn missing(set: &str, file: &Path, help: &str) -> LayoutError {
    LayoutError::MissingFile {
        set: set.to_owned(),
        file: file.to_path_buf(),
        help: help.to_owned(),
    }
}

/// The bytes of a file of at most [`MAX_MEMBER_BYTES`].
pub(super) fn whole(file: &Path) -> Result<Vec<u8>> {
    let open = FileAt::open(file)?;
    let length = open.len();
    if length > MAX_MEMBER_BYTES {
        let most = format!("at most {MAX_MEMBER_BYTES} bytes");
        return Err(bad(file, "the whole", format!("{length} bytes"), most).into());
    }
    Ok(open.bytes_at(0, length as usize)?)
}

/// A label of a file as an index into so many classes.
pub(super) fn label(file: &Path, number: usize, found: i64, classes: usize) -> Result<u32> {
    let label = u32::try_from(found).ok();
    let label = label.filter(|&label| (label as usize) < classes);
    label.ok_or_else(|| {
        let expected = format!("0 to {}, a class of the set", classes.saturating_sub(1));
        bad(
            file,
            format!("label of image {number}"),
            found.to_string(),
            expected,
        )
        .into()
    })
}
