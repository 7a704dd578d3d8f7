//! One input that stands for several files, and files that hold one input.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What stands between two files.
const BETWEEN: &[u8] = b"\n=====\n";

/// The first `N` files of an input; those that it lacks are empty. The last one takes the rest.
pub fn split<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input;
    std::array::from_fn(|index| {
        let end = rest
            .windows(BETWEEN.len())
            .position(|window| window == BETWEEN)
            .filter(|_| index + 1 < N);
        let (part, after) = match end {
            Some(end) => (&rest[..end], &rest[end + BETWEEN.len()..]),
            None => (rest, &[][..]),
        };
        rest = after;
        part
    })
}

/// An input of these files.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(BETWEEN)
}

/// A file of `torch.save` with this pickle.
pub(crate) fn zipped(pickle: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let numbers: Vec<u8> = (0..16u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    for (name, bytes) in [
        ("a/data.pkl", pickle),
        ("a/data/0", &numbers[..]),
        ("a/data/1", &numbers[..]),
    ] {
        zip.start_file(name, stored)
            .and_then(|()| Ok(zip.write_all(bytes)?))
            .expect("memory takes every byte");
    }
    zip.finish().expect("memory takes every byte").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_joined_is_split_again() {
        let input = join(&[b"a", b"", b"c\n=====\nd"]);
        assert_eq!(split::<3>(&input), [&b"a"[..], b"", b"c\n=====\nd"]);
        assert_eq!(split::<2>(b"alone"), [&b"alone"[..], b""]);
    }
}
