//! The format's mixture of runs and packed bits, in which levels and dictionary indices stand.

/// The first `count` numbers of `width` bits each that `bytes` holds; `None` where they end early
/// or make no sense.
pub(super) fn hybrid(mut bytes: &[u8], width: u32, count: usize) -> Option<Vec<u32>> {
    if width > 32 {
        return None;
    }
    let mut found = Vec::new();
    if width == 0 {
        found.resize(count, 0);
        return Some(found);
    }
    while found.len() < count {
        let (head, rest) = varint(bytes)?;
        let left = count - found.len();
        bytes = rest;
        if head & 1 == 1 {
            // groups of eight packed numbers
            let groups = usize::try_from(head >> 1).ok()?;
            let length = groups.checked_mul(width as usize)?;
            // a writer may leave out the end of the last group
            let (packed, rest) = bytes.split_at(length.min(bytes.len()));
            let wanted = left.min(groups.checked_mul(8)?);
            if packed.len() * 8 / (width as usize) < wanted || wanted == 0 {
                return None;
            }
            unpack_bits(packed, width, wanted, &mut found);
            bytes = rest;
        } else {
            let length = usize::try_from(head >> 1).ok()?;
            let (value, rest) = bytes.split_at_checked(width.div_ceil(8) as usize)?;
            let mut four = [0; 4];
            four[..value.len()].copy_from_slice(value);
            if length == 0 {
                return None;
            }
            found.resize(found.len() + length.min(left), u32::from_le_bytes(four));
            bytes = rest;
        }
    }
    Some(found)
}

/// `count` numbers of `width` bits (1 to 32), the lowest bits first; the caller has seen to it that
/// there are enough.
fn unpack_bits(packed: &[u8], width: u32, count: usize, out: &mut Vec<u32>) {
    let mask = (1_u64 << width) - 1;
    let (mut buffer, mut held) = (0_u64, 0);
    let mut bytes = packed.iter();
    for _ in 0..count {
        while held < width {
            let byte = bytes.next().copied().unwrap_or(0);
            buffer |= u64::from(byte) << held;
            held += 8;
        }
        out.push((buffer & mask) as u32);
        buffer >>= width;
        held -= width;
    }
}

/// A number of up to ten bytes, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (i, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * i as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}
