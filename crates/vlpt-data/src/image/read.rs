//! An image file from disk, refused before it is read where it is too large.

use super::decode::{Limits, format_of};
use crate::error::{DataError, Result};
use crate::memory::make_room;
use fs_err::File;
use std::io::Read;
use std::path::Path;

/// Bytes that tell what a file is.
const HEAD: u64 = 64;

/// The bytes of an image file. Of a file that is larger than `limits.max_file` no more than the beginning is read, to
/// say what it is. A pipe or device is read until it ends or passes the limit.
///
/// # Errors
/// The file cannot be read, is too large, or is so large and no image.
pub fn read_file(path: &Path, origin: &str, limits: &Limits) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let length = if about.is_file() { about.len() } else { 0 };
    read_bounded(file, length, origin, limits)
}

/// As [`read_file`], of something open that says it has `length` bytes.
pub(crate) fn read_bounded(
    mut file: impl Read,
    length: u64,
    origin: &str,
    limits: &Limits,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if length > limits.max_file {
        file.take(HEAD).read_to_end(&mut bytes)?;
        return Err(too_large(&bytes, length, origin, limits));
    }
    make_room(&mut bytes, usize::try_from(length).unwrap_or(usize::MAX)).map_err(|what| {
        let what = format!("{origin}: {what}");
        std::io::Error::new(std::io::ErrorKind::OutOfMemory, what)
    })?;
    let read = file
        .by_ref()
        .take(limits.max_file + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > limits.max_file {
        return Err(too_large(
            &bytes[..HEAD as usize],
            read as u64,
            origin,
            limits,
        ));
    }
    Ok(bytes)
}

fn too_large(head: &[u8], bytes: u64, origin: &str, limits: &Limits) -> DataError {
    let kind = format_of(head).map_or("by its first bytes no image known here", |format| {
        format.name()
    });
    DataError::ImageFileTooLarge {
        origin: origin.to_owned(),
        kind,
        bytes,
        limit: limits.max_file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_the_limit_is_refused_from_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge.png");
        let file = File::create(&path).unwrap();
        file.set_len(6 << 30).unwrap(); // takes no place on disk
        let error = read_file(&path, "huge.png", &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "huge.png: 6442450944 bytes, by its first bytes no image known here; image files of up to 536870912 bytes are read"
        );
        assert!(error.hint().is_some());
    }

    #[test]
    fn what_does_not_say_its_length_is_read_to_the_limit_and_no_further() {
        let limits = Limits {
            max_file: 1000,
            ..Limits::default()
        };
        let error = read_bounded(std::io::repeat(b'x'), 0, "-", &limits).unwrap_err();
        assert!(
            matches!(error, DataError::ImageFileTooLarge { bytes: 1001, .. }),
            "{error}"
        );
        let all = read_bounded(&[7_u8; 1000][..], 0, "-", &limits).unwrap();
        assert_eq!(all, [7; 1000]);
    }
}
