//! The headers of pages: Thrift's compact protocol, as far as they use it.
//!
//! The `parquet` crate reads them too, but takes the room for a text before it knows that the file
//! holds one, and panics where a number is negative. Here nothing is allocated at all.

/// Deepest nesting of structs and lists that is followed.
const MAX_DEPTH: u8 = 16;

/// A place in encoded bytes. Every step gives `None` where the bytes end or make no sense.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The kind of a field, as the protocol numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(u8);

/// What comes next in a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A field of this number and kind.
    Field(i16, Kind),
    /// Nothing more.
    End,
}

impl Kind {
    pub(super) const STRUCT: Self = Self(12);

    /// The value of a field that is true or false, which has no bytes of its own.
    pub(super) fn boolean(self) -> Option<bool> {
        match self.0 {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        }
    }
}

impl<'a> Compact<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Number of bytes that were read.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number of any width.
    pub(super) fn number(&mut self) -> Option<i64> {
        let raw = self.varint()?;
        Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// What comes next in a struct, after the field `before` (0 at the start).
    pub(super) fn next(&mut self, before: i16) -> Option<Next> {
        let head = self.byte()?;
        let kind = Kind(head & 0x0f);
        if kind.0 == 0 {
            return Some(Next::End);
        }
        let step = i16::from(head >> 4);
        let id = if step == 0 {
            i16::try_from(self.number()?).ok()?
        } else {
            before.checked_add(step)?
        };
        Some(Next::Field(id, kind))
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self, kind: Kind) -> Option<()> {
        self.skip_to(kind, MAX_DEPTH, false)
    }

    fn skip_to(&mut self, kind: Kind, depth: u8, element: bool) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind.0 {
            // in a list they have a byte, as fields they have none
            1 | 2 if element => self.byte().map(|_| ()),
            1 | 2 => Some(()),
            3 => self.byte().map(|_| ()),
            4..=6 => self.varint().map(|_| ()),
            7 => self.jump(8),
            8 => {
                let length = self.varint()?;
                self.jump(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    short => u64::from(short),
                };
                self.skip_many(count, &[Kind(head & 0x0f)], depth)
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                self.skip_many(count, &[Kind(kinds >> 4), Kind(kinds & 0x0f)], depth)
            }
            12 => {
                let mut before = 0;
                while let Next::Field(id, kind) = self.next(before)? {
                    self.skip_to(kind, depth, false)?;
                    before = id;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn skip_many(&mut self, count: u64, kinds: &[Kind], depth: u8) -> Option<()> {
        // each element has a byte or more
        if count > (self.bytes.len() - self.at) as u64 {
            return None;
        }
        for _ in 0..count {
            for kind in kinds {
                self.skip_to(*kind, depth, true)?;
            }
        }
        Some(())
    }

    fn jump(&mut self, length: u64) -> Option<()> {
        let end = (self.at as u64).checked_add(length)?;
        self.at = usize::try_from(end)
            .ok()
            .filter(|e| *e <= self.bytes.len())?;
        Some(())
    }
}
