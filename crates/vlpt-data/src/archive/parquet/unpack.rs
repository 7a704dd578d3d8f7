//! Unpacking what a page holds, never to more than its header says.

use std::io::{self, Read};

use parquet::basic::Compression;
use ruzstd::decoding::StreamingDecoder;

use crate::memory::make_room;

/// The most bytes that one page may unpack to. A value cannot be longer than its page, so this is
/// the limit of one image as well, the same as that of a member of a zip or tar.
pub(super) const MAX_PAGE_BYTES: usize = super::super::file_at::MAX_MEMBER_BYTES as usize;

/// Snappy's densest copies give some 22 bytes for one: more is a lie in the header.
const SNAPPY_MOST: usize = 64;
/// LZ4 gives at most 255 bytes for one.
const LZ4_MOST: usize = 256;

/// Appends `length` bytes, unpacked from `stored`, to `out`.
///
/// # Errors
/// The data is damaged, or holds more or fewer bytes, or the way of packing is not read here, or
/// there is no memory for so many bytes.
pub(super) fn unpack(
    stored: &[u8],
    how: Compression,
    length: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let start = out.len();
    match how {
        Compression::UNCOMPRESSED => {
            make_room(out, stored.len())?;
            out.extend_from_slice(stored);
        }
        Compression::SNAPPY => {
            let stated = snap::raw::decompress_len(stored).map_err(|e| e.to_string())?;
            exact(stated, length)?;
            plausible(stored, length, SNAPPY_MOST)?;
            make_room(out, length)?;
            out.resize(start + length, 0);
            snap::raw::Decoder::new()
                .decompress(stored, &mut out[start..])
                .map_err(|e| e.to_string())?;
        }
        Compression::GZIP(_) => {
            // several members may follow each other
            read(flate2::read::MultiGzDecoder::new(stored), length, out)?;
        }
        Compression::ZSTD(_) => zstandard(stored, length, out)?,
        Compression::LZ4_RAW => lz4_block(stored, length, out)?,
        Compression::LZ4 => lz4(stored, length, out)?,
        other => {
            return Err(format!(
                "the column is compressed with {other}; read are Snappy, gzip, Zstandard, LZ4 and none"
            ));
        }
    }
    exact(out.len() - start, length)
}

fn exact(found: usize, length: usize) -> Result<(), String> {
    if found == length {
        return Ok(());
    }
    Err(format!(
        "a page holds {found} bytes where its header says {length}"
    ))
}

/// Refuses more than so many bytes could ever hold.
fn plausible(stored: &[u8], length: usize, most: usize) -> Result<(), String> {
    if length > stored.len().saturating_mul(most) {
        let stored = stored.len();
        return Err(format!(
            "a page of {stored} bytes cannot hold {length} bytes"
        ));
    }
    Ok(())
}

/// What a stream gives, up to one byte more than expected.
fn read(stream: impl Read, length: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let most = length as u64 + 1;
    let result: io::Result<usize> = stream.take(most).read_to_end(out);
    result.map(|_| ()).map_err(|e| e.to_string())
}

fn zstandard(mut frames: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    while !frames.is_empty() {
        let decoder = StreamingDecoder::new(&mut frames).map_err(|e| format!("Zstandard: {e}"))?;
        let left = length - (out.len() - start).min(length);
        read(decoder, left, out).map_err(|e| format!("Zstandard: {e}"))?;
        if out.len() - start > length {
            return exact(out.len() - start, length);
        }
    }
    Ok(())
}

fn lz4_block(stored: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), String> {
    plausible(stored, length, LZ4_MOST)?;
    make_room(out, length)?;
    let start = out.len();
    out.resize(start + length, 0);
    let found = lz4_flex::block::decompress_into(stored, &mut out[start..])
        .map_err(|e| format!("LZ4: {e}"))?;
    exact(found, length)
}

/// The older LZ4 of the format: blocks as Hadoop frames them, LZ4's own frames, or a bare block,
/// by the writer.
fn lz4(stored: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    if hadoop(stored, length, out).is_some() {
        return Ok(());
    }
    out.truncate(start);
    if stored.starts_with(&0x184D_2204_u32.to_le_bytes()) {
        return read(lz4_flex::frame::FrameDecoder::new(stored), length, out);
    }
    lz4_block(stored, length, out)
}

fn hadoop(mut stored: &[u8], length: usize, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    while !stored.is_empty() {
        let (sizes, rest) = stored.split_at_checked(8)?;
        let number = |at: usize| {
            let four = sizes[at..at + 4].try_into().expect("a slice of four bytes");
            u32::from_be_bytes(four) as usize
        };
        let (block, after) = rest.split_at_checked(number(4))?;
        let left = length.checked_sub(out.len() - start)?;
        let size = Some(number(0)).filter(|size| *size <= left)?;
        lz4_block(block, size, out).ok()?;
        stored = after;
    }
    (out.len() - start == length).then_some(())
}
