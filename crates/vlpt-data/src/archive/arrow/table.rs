//! Tables of a FlatBuffer, read with every place checked. Nothing here panics on what a file holds.

/// A table in a buffer: where its fields lie is said by another table before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: &'a [u8],
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()
}

impl<'a> Table<'a> {
    /// The root of a buffer.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, u32_at(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i64::from(i32::from_le_bytes(array(bytes, at)?));
        let start = usize::try_from(i64::try_from(at).ok()?.checked_sub(back)?).ok()?;
        let length = usize::from(u16::from_le_bytes(array(bytes, start)?));
        let fields = bytes.get(start.checked_add(4)?..start.checked_add(length)?)?;
        Some(Self { bytes, at, fields })
    }

    /// Where a field lies; `None` where it has its default.
    fn place(&self, field: usize) -> Option<usize> {
        let offset = u16::from_le_bytes(array(self.fields, field * 2)?);
        (offset != 0).then(|| self.at.checked_add(offset.into()))?
    }

    pub(super) fn i64(&self, field: usize) -> Option<i64> {
        Some(i64::from_le_bytes(array(self.bytes, self.place(field)?)?))
    }

    pub(super) fn i32(&self, field: usize) -> Option<i32> {
        Some(i32::from_le_bytes(array(self.bytes, self.place(field)?)?))
    }

    pub(super) fn i16(&self, field: usize) -> Option<i16> {
        Some(i16::from_le_bytes(array(self.bytes, self.place(field)?)?))
    }

    pub(super) fn u8(&self, field: usize) -> Option<u8> {
        self.bytes.get(self.place(field)?).copied()
    }

    fn target(&self, place: usize) -> Option<usize> {
        place.checked_add(u32_at(self.bytes, place)?)
    }

    pub(super) fn table(&self, field: usize) -> Option<Self> {
        Self::at(self.bytes, self.target(self.place(field)?)?)
    }

    /// A vector of items of so many bytes: its first byte and their number.
    fn vector(&self, field: usize, width: usize) -> Option<(usize, usize)> {
        let at = self.target(self.place(field)?)?;
        let count = u32_at(self.bytes, at)?;
        let start = at.checked_add(4)?;
        let end = start.checked_add(count.checked_mul(width)?)?;
        (end <= self.bytes.len()).then_some((start, count))
    }

    pub(super) fn text(&self, field: usize) -> Option<&'a str> {
        let (start, length) = self.vector(field, 1)?;
        std::str::from_utf8(self.bytes.get(start..start + length)?).ok()
    }

    /// The tables of a vector of tables, none where it is absent; `None` for one that is damaged.
    pub(super) fn tables(&self, field: usize) -> impl Iterator<Item = Option<Self>> + use<'a> {
        let (start, count) = self.vector(field, 4).unwrap_or_default();
        let table = *self;
        (0..count).map(move |i| Self::at(table.bytes, table.target(start + 4 * i)?))
    }

    /// The pairs of a vector of structs of two numbers.
    pub(super) fn pairs(&self, field: usize) -> Vec<(i64, i64)> {
        let (start, count) = self.vector(field, 16).unwrap_or_default();
        let number = |at| array(self.bytes, at).map(i64::from_le_bytes);
        let pair = |i| Some((number(start + 16 * i)?, number(start + 16 * i + 8)?));
        (0..count).map_while(pair).collect()
    }
}
