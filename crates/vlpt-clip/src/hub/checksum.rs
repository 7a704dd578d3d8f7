//! The hashes that the hub names its files by.

use std::io::Read;
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use vlpt_base::hash::hex;

use crate::error::Result;

/// Bytes hashed at a time.
const CHUNK: usize = 1 << 20;

/// A hash, known by the number of its digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    /// 64 digits: SHA-256 of the bytes, for large files.
    Sha256(String),
    /// 40 digits: SHA-1, for files that lie in git itself. The hub's is git's, which is of a
    /// header before the bytes; mirrors of general servers name that of the bytes alone.
    Sha1(String),
}

impl Checksum {
    /// The hash that a text is; `None` for a text of another kind.
    pub(super) fn of(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let text = || text.to_ascii_lowercase();
        match text().len() {
            64 if digits => Some(Self::Sha256(text())),
            40 if digits => Some(Self::Sha1(text())),
            _ => None,
        }
    }

    /// Begins the hash of a file of `size` bytes.
    pub(super) fn begin(&self, size: u64) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::Sha1(_) => {
                let mut git = Sha1::new();
                git.update(format!("blob {size}\0"));
                Hasher::Sha1(git, Sha1::new())
            }
        }
    }

    /// Says how bytes differ from those that the hash is of; `None` where they do not.
    pub(super) fn differs(&self, hasher: Hasher) -> Option<String> {
        let (name, expected, found) = match (self, hasher) {
            (Self::Sha256(expected), Hasher::Sha256(hash)) => {
                ("SHA-256", expected, vec![hex(&hash.finalize())])
            }
            (Self::Sha1(expected), Hasher::Sha1(git, plain)) => {
                let both = vec![hex(&git.finalize()), hex(&plain.finalize())];
                ("SHA-1", expected, both)
            }
            _ => return Some("another kind of hash was begun".to_owned()),
        };
        let wrong = !found.contains(expected);
        wrong.then(|| format!("{name} {}, the hub says {expected}", found[0]))
    }

    /// As [`Checksum::differs`], of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn differs_from_file(&self, path: &Path) -> Result<Option<String>> {
        let mut file = fs_err::File::open(path)?;
        let mut hasher = self.begin(file.metadata()?.len());
        let mut buffer = vec![0; CHUNK];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(self.differs(hasher)),
                count => hasher.update(&buffer[..count]),
            }
        }
    }
}

/// A hash under way.
#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    /// Git's, and that of the bytes alone.
    Sha1(Sha1, Sha1),
}

impl Hasher {
    /// More bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha1(git, plain) => {
                git.update(bytes);
                plain.update(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(hash: &str, bytes: &[u8]) -> Option<String> {
        let sum = Checksum::of(hash).unwrap();
        let mut hasher = sum.begin(bytes.len() as u64);
        hasher.update(bytes);
        sum.differs(hasher)
    }

    #[test]
    fn hashes_are_known_by_their_length() {
        // `git hash-object` and `sha1sum` of the five bytes
        for hash in [
            "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0",
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ] {
            assert_eq!(differs(hash, b"hello"), None, "{hash}");
            assert!(differs(hash, b"hellO").is_some(), "{hash}");
        }
        assert_eq!(Checksum::of("5f3a-17"), None);
        assert_eq!(Checksum::of(&"g".repeat(40)), None);
    }
}
