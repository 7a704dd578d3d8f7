//! The byte alphabet of byte-level BPE: one printable character for each of the 256 byte values.

/// Number of byte values, and so of symbols that a vocabulary starts with (twice: bare, and
/// with the end-of-word mark).
pub(super) const BYTES: usize = 256;

/// Whether a byte stands for itself: the printable ASCII and Latin-1 characters, without the
/// space, the no-break space and the soft hyphen.
const fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The character of each byte value: itself where it is printable, else the next free one from
/// U+0100 on, in byte order (the alphabet published with GPT-2).
pub(super) fn alphabet() -> [char; BYTES] {
    let mut next = 0x100_u32;
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if stands_for_itself(byte) {
            char::from(byte)
        } else {
            next += 1;
            char::from_u32(next - 1).expect("U+0100 to U+0143 are characters")
        }
    })
}

/// Byte values in vocabulary order: those that stand for themselves first, then the others.
pub(super) fn vocabulary_order() -> impl Iterator<Item = u8> {
    let own = (0..=u8::MAX).filter(|&byte| stands_for_itself(byte));
    own.chain((0..=u8::MAX).filter(|&byte| !stands_for_itself(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_printable_and_has_no_doubles() {
        let mut all = alphabet().to_vec();
        assert_eq!(all[usize::from(b' ')], 'Ġ');
        assert_eq!(all[usize::from(b'\n')], 'Ċ');
        assert_eq!(all[usize::from(b'a')], 'a');
        assert_eq!(all[0xAD], 'Ń');
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), BYTES);
    }

    #[test]
    fn the_vocabulary_starts_with_the_exclamation_mark() {
        let order: Vec<u8> = vocabulary_order().collect();
        assert_eq!(
            (order[0], order[93], order[94], order[188]),
            (b'!', b'~', 0xA1, 0)
        );
        assert_eq!(order.len(), BYTES);
    }
}
