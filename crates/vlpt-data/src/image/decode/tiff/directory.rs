//! The first directory of a TIFF file: its tags, and a copy of the file with some of them changed.
//!
//! The decoder library knows fewer kinds of pixels than there are, and undoes predictors where libtiff does not. It is
//! given files whose tags ask for nothing but the stored samples; what they mean is decided here.

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    /// Where the entry begins.
    at: usize,
    /// Where its values begin.
    values: usize,
    /// Bytes of a value: 1, 2, 4 or 8; 0 for kinds that are no whole numbers.
    size: usize,
    count: usize,
}

/// The tags of the first page.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    pub(super) little: bool,
    entries: Vec<Entry>,
}

/// A tag that means nothing, for entries that the decoder is not to see.
const HIDDEN: u16 = 65_432;
/// More values of one tag than this are not looked at: no tag that is read here has as many.
const MOST_VALUES: usize = 1 << 24;

impl<'a> Directory<'a> {
    /// Reads the first directory, of a classic or a big TIFF; `None` where it is not whole.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let little = bytes.first() == Some(&b'I');
        let number = |at: usize, size: usize| number(bytes, little, at, size);
        let big = number(2, 2)? == 43;
        // sizes of: the count of entries, an entry, an offset
        let (head, entry, offset) = if big { (8, 20, 8) } else { (2, 12, 4) };
        let first = usize::try_from(number(if big { 8 } else { 4 }, offset)?).ok()?;
        let count = usize::try_from(number(first, head)?).ok()?;
        let start = first.checked_add(head)?;
        let end = count.checked_mul(entry)?.checked_add(start)?;
        bytes.get(start..end)?;
        let mut entries = Vec::with_capacity(count);
        for at in (start..end).step_by(entry) {
            let size: usize = match number(at + 2, 2)? {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 13 => 4,
                16..=18 => 8,
                _ => 0,
            };
            let count = usize::try_from(number(at + 4, offset)?).unwrap_or(usize::MAX);
            let place = at + 4 + offset;
            let inline = size.max(1).checked_mul(count).is_some_and(|n| n <= offset);
            let values = if inline {
                place
            } else {
                usize::try_from(number(place, offset)?).unwrap_or(usize::MAX)
            };
            entries.push(Entry {
                tag: number(at, 2)? as u16,
                at,
                values,
                size,
                count,
            });
        }
        Some(Self {
            bytes,
            little,
            entries,
        })
    }

    /// The whole numbers of a tag; `None` where it is absent, or reaches past the file.
    pub(super) fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        if entry.size == 0 || entry.count > MOST_VALUES {
            return None;
        }
        let length = entry.size.checked_mul(entry.count)?;
        let end = entry.values.checked_add(length)?;
        self.bytes.get(entry.values..end)?;
        let places = (entry.values..end).step_by(entry.size);
        places
            .map(|at| number(self.bytes, self.little, at, entry.size))
            .collect()
    }

    /// The first number of a tag, or `otherwise` where there is none.
    pub(super) fn number(&self, tag: u16, otherwise: u64) -> u64 {
        let numbers = self.numbers(tag).unwrap_or_default();
        numbers.first().copied().unwrap_or(otherwise)
    }

    /// A copy of the file where the first number of some tags is another, some tags are hidden, and the bits of
    /// every byte in the given ranges are turned round.
    pub(super) fn changed(
        &self,
        set: &[(u16, u64)],
        hide: &[u16],
        turn: &[std::ops::Range<usize>],
    ) -> Vec<u8> {
        let mut copy = self.bytes.to_vec();
        let mut write = |at: usize, size: usize, value: u64| {
            let Some(place) = copy.get_mut(at..at + size) else {
                return;
            };
            if self.little {
                place.copy_from_slice(&value.to_le_bytes()[..size]);
            } else {
                place.copy_from_slice(&value.to_be_bytes()[8 - size..]);
            }
        };
        for entry in &self.entries {
            if hide.contains(&entry.tag) {
                write(entry.at, 2, u64::from(HIDDEN));
            } else if let Some((_, value)) = set.iter().find(|(tag, _)| *tag == entry.tag) {
                write(entry.values, entry.size, *value);
            }
        }
        for range in turn {
            if let Some(bytes) = copy.get_mut(range.clone()) {
                for byte in bytes {
                    *byte = byte.reverse_bits();
                }
            }
        }
        copy
    }
}

fn number(bytes: &[u8], little: bool, at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let fold = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    Some(if little {
        bytes.iter().rev().fold(0, fold)
    } else {
        bytes.iter().fold(0, fold)
    })
}
