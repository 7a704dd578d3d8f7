//! From the bytes of a page to levels and values. Nothing here panics on what a file holds.

use bytes::Bytes;
use parquet::basic::Type;

use super::delta;
use super::header::{Encoding, Header, Levels, PageKind};
use super::hybrid::hybrid;
use super::unpack::MAX_PAGE_BYTES;

/// What the schema says of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) kind: Type,
    /// Definition level of a value that is there.
    pub(super) definition: u32,
    /// Levels of lists around a value.
    pub(super) repetition: u32,
}

/// A page, unpacked.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) header: Header,
    pub(super) body: Bytes,
}

/// Levels and values of a page. Columns without optional parts have no definition levels, those
/// without lists no repetition levels.
#[derive(Debug)]
pub(super) struct Decoded<T> {
    pub(super) repetition: Vec<u32>,
    pub(super) definition: Vec<u32>,
    pub(super) values: Vec<T>,
}

/// A value of a column: a number or a text.
pub(super) trait Value: Sized + Clone + std::fmt::Debug {
    /// Whether a column of this kind holds such values.
    fn is(kind: Type) -> bool;

    /// `count` values as they are.
    fn plain(body: &Bytes, kind: Type, count: usize) -> Option<Vec<Self>>;

    /// `count` values in another encoding than plain and dictionary.
    fn other(body: &Bytes, encoding: Encoding, count: usize) -> Option<Vec<Self>>;
}

impl Value for i64 {
    fn is(kind: Type) -> bool {
        matches!(kind, Type::INT32 | Type::INT64 | Type::BOOLEAN)
    }

    fn plain(body: &Bytes, kind: Type, count: usize) -> Option<Vec<Self>> {
        match kind {
            Type::INT32 => {
                let bytes = body.get(..count.checked_mul(4)?)?;
                let four = |b: &[u8]| i32::from_le_bytes(b.try_into().expect("four bytes"));
                Some(bytes.chunks_exact(4).map(|b| four(b).into()).collect())
            }
            Type::INT64 => {
                let bytes = body.get(..count.checked_mul(8)?)?;
                let eight = |b: &[u8]| Self::from_le_bytes(b.try_into().expect("eight bytes"));
                Some(bytes.chunks_exact(8).map(eight).collect())
            }
            _ => {
                let bytes = body.get(..count.div_ceil(8))?;
                let bit = |i: usize| Self::from(bytes[i / 8] >> (i % 8) & 1);
                Some((0..count).map(bit).collect())
            }
        }
    }

    fn other(body: &Bytes, encoding: Encoding, count: usize) -> Option<Vec<Self>> {
        match encoding {
            Encoding::DeltaBinaryPacked => {
                let (mut numbers, _) = delta::numbers(body, count)?;
                numbers.truncate(count);
                Some(numbers)
            }
            // of values only those that are true or false
            Encoding::Rle => {
                let bits = hybrid(body.get(4..)?, 1, count)?;
                Some(bits.into_iter().map(Self::from).collect())
            }
            _ => None,
        }
    }
}

impl Value for Bytes {
    fn is(kind: Type) -> bool {
        kind == Type::BYTE_ARRAY
    }

    fn plain(body: &Bytes, _: Type, count: usize) -> Option<Vec<Self>> {
        let mut found = Vec::new();
        let mut at = 0_usize;
        for _ in 0..count {
            let start = at.checked_add(4)?;
            let length = body.get(at..start)?.try_into().expect("four bytes");
            at = start.checked_add(u32::from_le_bytes(length) as usize)?;
            if at > body.len() {
                return None;
            }
            found.push(body.slice(start..at));
        }
        Some(found)
    }

    fn other(body: &Bytes, encoding: Encoding, count: usize) -> Option<Vec<Self>> {
        match encoding {
            Encoding::DeltaLength => delta::texts(body, count),
            Encoding::DeltaBytes => delta::shared_texts(body, count, MAX_PAGE_BYTES),
            _ => None,
        }
    }
}

const CUT: &str = "a page ends early or contradicts itself";

/// The values of a dictionary page.
pub(super) fn dictionary<T: Value>(page: &Page, shape: Shape) -> Result<Vec<T>, String> {
    T::plain(&page.body, shape.kind, page.header.values).ok_or_else(|| CUT.to_owned())
}

/// The definition levels of a data page alone.
pub(super) fn definition_levels(page: &Page, shape: Shape) -> Result<Vec<u32>, String> {
    Ok(levels(page, shape).ok_or(CUT)?.1)
}

/// Levels and values of a data page.
pub(super) fn decode<T: Value>(
    page: &Page,
    shape: Shape,
    dictionary: Option<&[T]>,
) -> Result<Decoded<T>, String> {
    let Page { header, body } = page;
    let (repetition, definition, values) = levels(page, shape).ok_or(CUT)?;
    let count = if shape.definition == 0 {
        header.values
    } else {
        let there = definition
            .iter()
            .filter(|&&level| level == shape.definition);
        there.count()
    };
    let body = body.slice(values..);
    let values = match header.encoding {
        _ if count == 0 => Vec::new(),
        Encoding::Plain => T::plain(&body, shape.kind, count).ok_or(CUT)?,
        Encoding::Dictionary => {
            let dictionary = dictionary.ok_or("its dictionary page is missing")?;
            let (width, indices) = body.split_first().ok_or(CUT)?;
            let indices = hybrid(indices, u32::from(*width), count).ok_or(CUT)?;
            let value = |index: u32| dictionary.get(index as usize).cloned();
            indices
                .into_iter()
                .map(value)
                .collect::<Option<_>>()
                .ok_or("an index leads beyond its dictionary")?
        }
        Encoding::Other(number) => {
            return Err(format!(
                "values in encoding {number} of the format are not read here"
            ));
        }
        encoding => T::other(&body, encoding, count).ok_or_else(|| {
            format!("values in encoding {encoding:?} end early or are of another kind")
        })?,
    };
    if values.len() != count {
        let found = values.len();
        return Err(format!(
            "a page holds {found} values where {count} are told"
        ));
    }
    Ok(Decoded {
        repetition,
        definition,
        values,
    })
}

/// Repetition levels, definition levels, and where the values begin.
fn levels(page: &Page, shape: Shape) -> Option<(Vec<u32>, Vec<u32>, usize)> {
    let (body, count) = (&page.body, page.header.values);
    let width = |level: u32| u32::BITS - level.leading_zeros();
    let read = |bytes: &[u8], level: u32| hybrid(bytes, width(level), count);
    let (mut repetition, mut definition) = (Vec::new(), Vec::new());
    let mut at = 0;
    if let PageKind::Data(Levels::Before {
        repetition: first,
        definition: second,
    }) = page.header.kind
    {
        at = first.checked_add(second)?;
        let (first, second) = (body.get(..first)?, body.get(first..at)?);
        if shape.repetition > 0 {
            repetition = read(first, shape.repetition)?;
        }
        if shape.definition > 0 {
            definition = read(second, shape.definition)?;
        }
        return Some((repetition, definition, at));
    }
    let levels = [
        (shape.repetition, &mut repetition),
        (shape.definition, &mut definition),
    ];
    for (level, found) in levels.into_iter().filter(|(level, _)| *level > 0) {
        let start = at + 4;
        let length = body.get(at..start)?.try_into().expect("four bytes");
        at = start.checked_add(u32::from_le_bytes(length) as usize)?;
        *found = read(body.get(start..at)?, level)?;
    }
    Some((repetition, definition, at))
}
