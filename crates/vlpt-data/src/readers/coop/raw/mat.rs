//! One row of numbers from a MATLAB file of version 5.

use std::io::Read;

use flate2::read::ZlibDecoder;

/// Bytes before the first element.
const HEADER: usize = 128;
/// The most that a packed element may unpack to.
const MAX_UNPACKED: u64 = 64 << 20;
/// Types of elements.
const PACKED: u32 = 15;
const MATRIX: u32 = 14;

/// The whole numbers of the matrix `wanted`, column by column.
///
/// # Errors
/// There is no such matrix, or it holds something else; said in words.
pub(super) fn numbers(file: &[u8], wanted: &str) -> Result<Vec<u32>, String> {
    if !file.starts_with(b"MATLAB 5.0") {
        return Err("no MATLAB file of version 5".to_owned());
    }
    let mut rest = file.get(HEADER..).unwrap_or_default();
    while let Some((kind, data, after)) = element(rest, false) {
        let mut unpacked = Vec::new();
        let matrix = if kind == PACKED {
            let stream = ZlibDecoder::new(data).take(MAX_UNPACKED);
            let read = { stream }.read_to_end(&mut unpacked);
            read.map_err(|error| error.to_string())?;
            element(&unpacked, true).map(|(kind, data, _)| (kind, data))
        } else {
            Some((kind, data))
        };
        if let Some((MATRIX, data)) = matrix
            && let Some(found) = matrix_of(data, wanted)
        {
            return found;
        }
        rest = after;
    }
    Err(format!("no matrix `{wanted}`"))
}

/// The element at the start of `bytes`: its type, its data, and what follows. A packed element is
/// followed by the next one without a gap, others begin at multiples of eight.
fn element(bytes: &[u8], whole: bool) -> Option<(u32, &[u8], &[u8])> {
    let word = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four))
    };
    let kind = word(0)?;
    if kind >> 16 != 0 && !whole {
        // up to four bytes stand in the head itself
        let length = (kind >> 16) as usize;
        return Some((kind & 0xffff, bytes.get(4..4 + length)?, bytes.get(8..)?));
    }
    let length = word(4)? as usize;
    let end = length.checked_add(8)?;
    let next = if kind == PACKED {
        end
    } else {
        end.checked_next_multiple_of(8)?
    };
    let after = bytes.get(next..).unwrap_or_default();
    Some((kind, bytes.get(8..end)?, after))
}

/// The numbers of a matrix, if it has this name; an error where they are no whole ones.
fn matrix_of(data: &[u8], wanted: &str) -> Option<Result<Vec<u32>, String>> {
    let (_, _, rest) = element(data, false)?; // flags
    let (_, _, rest) = element(rest, false)?; // sizes
    let (_, name, rest) = element(rest, false)?;
    if name != wanted.as_bytes() {
        return None;
    }
    let (kind, values, _) = element(rest, false)?;
    let pieces = |size: usize| values.chunks_exact(size);
    let found = match kind {
        // the file keeps numbers in the smallest type that holds them
        1 | 2 => Some(values.iter().map(|byte| u32::from(*byte)).collect()),
        3 | 4 => Some(
            pieces(2)
                .map(|b| u16::from_le_bytes([b[0], b[1]]).into())
                .collect(),
        ),
        5 | 6 => Some(
            pieces(4)
                .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
        ),
        9 => pieces(8)
            .map(|b| {
                let number = f64::from_le_bytes(b.try_into().ok()?);
                (number.fract() == 0.0 && (0.0..4e9).contains(&number)).then_some(number as u32)
            })
            .collect(),
        _ => None,
    };
    Some(found.ok_or_else(|| format!("`{wanted}` holds no whole numbers")))
}
