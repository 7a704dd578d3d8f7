//! Values stored as differences to the one before.

use bytes::Bytes;

use super::hybrid::varint;

/// Numbers from 64-bit differences, packed block by block, and what follows them; at most `count`.
pub(super) fn numbers(bytes: &[u8], count: usize) -> Option<(Vec<i64>, &[u8])> {
    let (block, bytes) = varint(bytes)?;
    let (parts, bytes) = varint(bytes)?;
    let (total, bytes) = varint(bytes)?;
    let (first, mut bytes) = zigzag(bytes)?;
    let total = usize::try_from(total)
        .ok()
        .filter(|total| *total <= count)?;
    let size = block.checked_div(parts).filter(|size| size % 32 == 0)?;
    let size = usize::try_from(size).ok().filter(|size| *size > 0)?;
    let mut found = Vec::new();
    let mut last = first;
    if total > 0 {
        found.push(first);
    }
    while found.len() < total {
        let (least, rest) = zigzag(bytes)?;
        let (widths, rest) = rest.split_at_checked(usize::try_from(parts).ok()?)?;
        bytes = rest;
        for &width in widths {
            if found.len() == total {
                break; // the widths of parts without values mean nothing
            }
            let width = u32::from(width);
            if width > 64 {
                return None;
            }
            let length = size.checked_mul(width as usize)? / 8;
            let (packed, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            let mut bits = Bits::new(packed, width);
            for _ in 0..size.min(total - found.len()) {
                last = last.wrapping_add(least).wrapping_add(bits.next() as i64);
                found.push(last);
            }
        }
    }
    Some((found, bytes))
}

/// Texts whose lengths stand before them.
pub(super) fn texts(page: &Bytes, count: usize) -> Option<Vec<Bytes>> {
    let (lengths, rest) = numbers(page, count)?;
    let mut at = page.len() - rest.len();
    let mut found = Vec::with_capacity(lengths.len());
    for length in lengths {
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        if end > page.len() {
            return None;
        }
        found.push(page.slice(at..end));
        at = end;
    }
    Some(found)
}

/// Texts that begin as the one before: lengths of what is shared, then what differs. All together
/// may not become longer than `limit`.
pub(super) fn shared_texts(page: &Bytes, count: usize, limit: usize) -> Option<Vec<Bytes>> {
    let (shared, rest) = numbers(page, count)?;
    let ends = texts(&page.slice(page.len() - rest.len()..), count)?;
    if ends.len() != shared.len() {
        return None;
    }
    let mut found: Vec<Bytes> = Vec::with_capacity(ends.len());
    let mut total = 0_usize;
    for (length, end) in shared.into_iter().zip(ends) {
        let length = usize::try_from(length).ok()?;
        let before = found.last().map_or(&[][..], |text| &text[..]);
        let start = before.get(..length)?;
        total = total
            .checked_add(length + end.len())
            .filter(|total| *total <= limit)?;
        let text = [start, &end[..]].concat();
        found.push(text.into());
    }
    Some(found)
}

fn zigzag(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (raw, rest) = varint(bytes)?;
    Some(((raw >> 1) as i64 ^ -((raw & 1) as i64), rest))
}

/// Numbers of up to 64 bits, the lowest bits first.
struct Bits<'a> {
    packed: &'a [u8],
    width: u32,
    buffer: u128,
    held: u32,
}

impl<'a> Bits<'a> {
    fn new(packed: &'a [u8], width: u32) -> Self {
        Self {
            packed,
            width,
            buffer: 0,
            held: 0,
        }
    }

    fn next(&mut self) -> u64 {
        while self.held < self.width {
            let (byte, rest) = self.packed.split_first().unwrap_or((&0, &[]));
            self.packed = rest;
            self.buffer |= u128::from(*byte) << self.held;
            self.held += 8;
        }
        let value = self.buffer & ((1_u128 << self.width) - 1);
        self.buffer >>= self.width;
        self.held -= self.width;
        value as u64
    }
}
