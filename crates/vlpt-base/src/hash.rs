//! SHA-256 as text, and seeds derived from it.

use sha2::{Digest, Sha256};

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let text = String::with_capacity(2 * bytes.len());
    bytes.iter().fold(text, |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a string takes everything
        text
    })
}

/// SHA-256 of some bytes, as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of some parts, each with its length (u64, little endian) before it, as lower-case
/// hexadecimal digits.
pub fn fingerprint<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    hex(&of_parts(parts))
}

/// A seed derived from a purpose and some parts: the first eight bytes, big endian, of what
/// [`fingerprint`] is of.
pub fn derive_seed(purpose: &str, parts: &[&[u8]]) -> u64 {
    let all = std::iter::once(purpose.as_bytes()).chain(parts.iter().copied());
    let digest = of_parts(all);
    digest
        .iter()
        .take(8)
        .fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
}

fn of_parts<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-4's example.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn fingerprints_know_where_a_part_ends() {
        assert_ne!(fingerprint(["ab", "c"]), fingerprint(["a", "bc"]));
        assert_ne!(
            derive_seed("x", &[b"ab", b"c"]),
            derive_seed("x", &[b"a", b"bc"])
        );
    }

    #[test]
    fn a_seed_is_the_start_of_the_fingerprint() {
        let text = fingerprint(["x", "ab"]);
        assert_eq!(format!("{:016x}", derive_seed("x", &[b"ab"])), text[..16]);
    }
}
