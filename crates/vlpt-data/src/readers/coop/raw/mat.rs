//! Arrays from a MATLAB file of version 5: whole numbers, text, cells and structs.
//!
//! After "MAT-File Format" of MathWorks: elements of a type, a length and data; an array is an element
//! of elements (flags, sizes, name, content), and content may be arrays again.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::ZlibDecoder;

/// Bytes before the first element.
const HEADER: usize = 128;
/// The most that a packed element may unpack to.
const MAX_UNPACKED: u64 = 64 << 20;
/// Arrays inside arrays at most.
const DEEPEST: usize = 8;
/// Types of elements.
const PACKED: u32 = 15;
const ARRAY: u32 = 14;
/// Classes of arrays.
const CELL: u8 = 1;
const STRUCT: u8 = 2;
const TEXT: u8 = 4;

/// An array, column by column.
#[derive(Debug, PartialEq)]
pub(super) enum Array {
    /// Whole numbers from 0.
    Numbers(Vec<u32>),
    Text(String),
    Cells(Vec<Array>),
    /// Each struct's fields.
    Structs(Vec<BTreeMap<String, Array>>),
    /// Numbers that are not whole, and what else there is.
    Other,
}

impl Array {
    /// The one number that it holds.
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Numbers(numbers) => match numbers[..] {
                [number] => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The array `wanted` of a file.
///
/// # Errors
/// It is no file of version 5, is damaged, or has no such array; said in words.
pub(super) fn array(file: &[u8], wanted: &str) -> Result<Array, String> {
    if !file.starts_with(b"MATLAB 5.0") {
        return Err(if file.starts_with(b"MATLAB 7.3") {
            "a MATLAB file of version 7.3: save it with `-v7`".to_owned()
        } else {
            "no MATLAB file of version 5".to_owned()
        });
    }
    let mut rest = file.get(HEADER..).unwrap_or_default();
    while let Some((kind, data, after)) = element(rest, false) {
        let mut unpacked = Vec::new();
        let found = if kind == PACKED {
            let stream = ZlibDecoder::new(data).take(MAX_UNPACKED);
            let read = { stream }.read_to_end(&mut unpacked);
            read.map_err(|error| error.to_string())?;
            element(&unpacked, true).map(|(kind, data, _)| (kind, data))
        } else {
            Some((kind, data))
        };
        if let Some((ARRAY, data)) = found
            && name_of(data) == Some(wanted.as_bytes())
        {
            return content(data, 0).ok_or_else(|| format!("`{wanted}` is damaged"));
        }
        rest = after;
    }
    Err(format!("no array `{wanted}`"))
}

/// The whole numbers of the array `wanted`.
///
/// # Errors
/// As [`array`], or it holds something else.
pub(super) fn numbers(file: &[u8], wanted: &str) -> Result<Vec<u32>, String> {
    match array(file, wanted)? {
        Array::Numbers(numbers) => Ok(numbers),
        _ => Err(format!("`{wanted}` holds no whole numbers")),
    }
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

fn name_of(data: &[u8]) -> Option<&[u8]> {
    let (_, _, rest) = element(data, false)?; // flags
    let (_, _, rest) = element(rest, false)?; // sizes
    Some(element(rest, false)?.1)
}

/// What an array holds.
fn content(data: &[u8], depth: usize) -> Option<Array> {
    if depth > DEEPEST {
        return None;
    }
    let (_, flags, rest) = element(data, false)?;
    let (_, sizes, rest) = element(rest, false)?;
    let (_, _, mut rest) = element(rest, false)?; // name
    let sizes = sizes.chunks_exact(4);
    let count = sizes.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let count = count.reduce(usize::saturating_mul)?;
    match *flags.first()? {
        CELL => {
            let cells = (0..count).map(|_| inner(&mut rest, depth));
            cells.collect::<Option<_>>().map(Array::Cells)
        }
        STRUCT => {
            let (_, length, after) = element(rest, false)?;
            let length = *length.first()? as usize;
            let (_, names, after) = element(after, false)?;
            rest = after;
            let names: Vec<String> = names
                .chunks_exact(length.max(1))
                .map(|name| {
                    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                    String::from_utf8_lossy(name).into_owned()
                })
                .collect();
            if names.is_empty() {
                return Some(Array::Other);
            }
            let structs = (0..count).map(|_| {
                let fields = names.iter();
                fields
                    .map(|name| Some((name.clone(), inner(&mut rest, depth)?)))
                    .collect()
            });
            structs.collect::<Option<_>>().map(Array::Structs)
        }
        class => {
            let (kind, values, _) = element(rest, false)?;
            Some(match (class, whole_numbers(kind, values)) {
                (TEXT, Some(letters)) if kind != 16 => {
                    let letters = letters.into_iter().map(char::from_u32);
                    Array::Text(
                        letters
                            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                            .collect(),
                    )
                }
                (TEXT, _) => Array::Text(String::from_utf8_lossy(values).into_owned()),
                (_, Some(numbers)) => Array::Numbers(numbers),
                (_, None) => Array::Other,
            })
        }
    }
}

/// The array at the start of `rest`, which then begins behind it. Each takes 8 bytes at least, so that
/// there are never more than the bytes hold.
fn inner(rest: &mut &[u8], depth: usize) -> Option<Array> {
    let (kind, data, after) = element(rest, false)?;
    *rest = after;
    match (kind, data) {
        (ARRAY, []) => Some(Array::Other),
        (ARRAY, data) => content(data, depth + 1),
        _ => None,
    }
}

/// Whole numbers, which a file keeps in the smallest type that holds them.
fn whole_numbers(kind: u32, values: &[u8]) -> Option<Vec<u32>> {
    let pieces = |size: usize| values.chunks_exact(size);
    match kind {
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
    }
}
