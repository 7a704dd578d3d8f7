//! An image file on its way to pixels, and the limits it is held to.

use super::budget::Share;
use super::sniff::ImageFormat;
use crate::error::{DataError, Result};
use crate::image::settings::Grey16;
use std::cell::RefCell;

/// Limits that are checked against the header, before anything is allocated for pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest `width * height`.
    pub max_pixels: u64,
    /// Largest number of bytes that decoding may hold at once, in pixels and work buffers.
    pub max_bytes: u64,
    /// Largest image file in bytes: larger ones are refused before they are read.
    pub max_file: u64,
}

impl Default for Limits {
    /// 178,956,970 pixels (where Pillow refuses), 2 GiB, and files of 512 MiB.
    fn default() -> Self {
        Self {
            max_pixels: 178_956_970,
            max_bytes: 2 << 30,
            max_file: 512 << 20,
        }
    }
}

/// An image file being decoded: where errors come from.
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) origin: &'a str,
    pub(super) format: ImageFormat,
    pub(super) limits: Limits,
    pub(super) grey16: Grey16,
    /// What this image holds of the memory for decoding; taken when its size is known.
    pub(super) share: RefCell<Option<Share>>,
}

impl File<'_> {
    /// Checks a header's size against the limits, and waits until there is memory for it: `work` is the bytes held
    /// per pixel beside the three of the result.
    ///
    /// # Errors
    /// There are no pixels, or more of them or of bytes than the limits or the memory of the process allow.
    pub(super) fn check_size(&self, width: u64, height: u64, work: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(self.damaged(format!("the header says {width} x {height} pixels")));
        }
        let too_large = |what: &str, limit| DataError::ImageTooLarge {
            origin: self.origin.to_owned(),
            width,
            height,
            what: what.to_owned(),
            limit,
        };
        let pixels = width.saturating_mul(height);
        if pixels > self.limits.max_pixels {
            return Err(too_large("more pixels than", self.limits.max_pixels));
        }
        let bytes = pixels.saturating_mul(work.saturating_add(3));
        if bytes > self.limits.max_bytes {
            return Err(too_large(
                "more bytes while decoding than",
                self.limits.max_bytes,
            ));
        }
        // One share at a time: a thread that waits must not hold another.
        self.share.replace(None);
        self.share.replace(Some(Share::take(bytes)));
        // What the budget has, the process may lack: taken once here, where it can be told, and given back.
        let probe =
            Vec::<u8>::new().try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX));
        probe.map_err(|_| DataError::NoMemory {
            origin: self.origin.to_owned(),
            width,
            height,
            bytes,
        })
    }

    pub(super) fn truncated(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::TruncatedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::DamagedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    pub(super) fn no_decoder(
        &self,
        converter: &'static str,
        feature: Option<&'static str>,
    ) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::NoDecoder {
            origin,
            format,
            converter,
            feature,
        }
    }

    pub(super) fn unsupported(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::UnsupportedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    /// An I/O error of a decoder that reads from memory: the end of the data, or nonsense.
    pub(super) fn reading(&self, error: &std::io::Error) -> DataError {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            self.truncated(format!("the file ends after {} bytes", self.bytes.len()))
        } else {
            self.damaged(error.to_string())
        }
    }
}
