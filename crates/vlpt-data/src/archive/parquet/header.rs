//! What the header of a page says.

use super::thrift::{Compact, Kind, Next};

/// Encodings of values that are read, with the numbers that the format gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Dictionary,
    Rle,
    DeltaBinaryPacked,
    DeltaLength,
    DeltaBytes,
    Other(i64),
}

impl Encoding {
    fn of(number: i64) -> Self {
        match number {
            0 => Self::Plain,
            2 | 8 => Self::Dictionary,
            3 => Self::Rle,
            5 => Self::DeltaBinaryPacked,
            6 => Self::DeltaLength,
            7 => Self::DeltaBytes,
            other => Self::Other(other),
        }
    }
}

/// Where a data page keeps the levels of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Levels {
    /// Before the values and compressed with them, each with its length before it.
    Within,
    /// Before the values, not compressed: so many bytes of repetition and of definition levels.
    Before {
        repetition: usize,
        definition: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Dictionary,
    Data(Levels),
    /// A page of another kind, to be passed over.
    Other,
}

/// A page's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: PageKind,
    /// Number of bytes in the file, behind the header.
    pub(super) stored: usize,
    /// Number of bytes once unpacked, levels included.
    pub(super) unpacked: usize,
    /// Number of values, those that are null included.
    pub(super) values: usize,
    pub(super) encoding: Encoding,
    /// Whether the page is compressed where its column is.
    pub(super) compressed: bool,
}

/// What the struct of one kind of page says: values, encoding, and for the second version the
/// lengths of the levels.
#[derive(Default)]
struct Inner {
    numbers: [Option<i64>; 8],
    compressed: Option<bool>,
}

fn inner(input: &mut Compact<'_>) -> Option<Inner> {
    let mut found = Inner::default();
    let mut before = 0;
    while let Next::Field(id, kind) = input.next(before)? {
        before = id;
        match (id, kind.boolean()) {
            (7, Some(compressed)) => found.compressed = Some(compressed),
            (1..=6, None) if kind != Kind::STRUCT => {
                // levels and counts are plain numbers
                let mut copy = *input;
                found.numbers[id as usize] = copy.number();
                input.skip(kind)?;
            }
            _ => input.skip(kind)?,
        }
    }
    Some(found)
}

/// The header at the start of `bytes`, and its length; `None` where it makes no sense or is cut.
pub(super) fn read(bytes: &[u8]) -> Option<(Header, usize)> {
    let mut input = Compact::new(bytes);
    let (mut kind, mut unpacked, mut stored) = (None, None, None);
    let (mut data, mut dictionary, mut second) = (None, None, None);
    let mut before = 0;
    while let Next::Field(id, field) = input.next(before)? {
        before = id;
        match (id, field) {
            (1, _) => kind = Some(input.number()?),
            (2, _) => unpacked = Some(input.number()?),
            (3, _) => stored = Some(input.number()?),
            (5, Kind::STRUCT) => data = Some(inner(&mut input)?),
            (7, Kind::STRUCT) => dictionary = Some(inner(&mut input)?),
            (8, Kind::STRUCT) => second = Some(inner(&mut input)?),
            _ => input.skip(field)?,
        }
    }
    let size = |number: Option<i64>| usize::try_from(number?).ok();
    let (stored, unpacked) = (size(stored)?, size(unpacked)?);
    let other = Header {
        kind: PageKind::Other,
        stored,
        unpacked,
        values: 0,
        encoding: Encoding::Plain,
        compressed: true,
    };
    let header = match kind? {
        0 => {
            let page = data?;
            Header {
                kind: PageKind::Data(Levels::Within),
                values: size(page.numbers[1])?,
                encoding: Encoding::of(page.numbers[2]?),
                ..other
            }
        }
        2 => {
            let page = dictionary?;
            Header {
                kind: PageKind::Dictionary,
                values: size(page.numbers[1])?,
                encoding: Encoding::of(page.numbers[2]?),
                ..other
            }
        }
        3 => {
            let page = second?;
            let levels = Levels::Before {
                definition: size(page.numbers[5])?,
                repetition: size(page.numbers[6])?,
            };
            Header {
                kind: PageKind::Data(levels),
                values: size(page.numbers[1])?,
                encoding: Encoding::of(page.numbers[4]?),
                compressed: page.compressed.unwrap_or(true),
                ..other
            }
        }
        _ => other,
    };
    Some((header, input.place()))
}
