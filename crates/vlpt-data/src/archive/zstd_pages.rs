//! Pages of a Parquet column that are compressed with Zstandard, unpacked here.
//!
//! The `parquet` crate unpacks them with a library in C that takes longer to compile than the crate
//! itself. So it is told that such a column is not compressed, gives its pages as they are stored,
//! and they are unpacked on their way to the column's reader.

use std::io::Read;

use bytes::Bytes;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use ruzstd::decoding::StreamingDecoder;

/// Gives the pages of another reader unpacked.
pub(super) struct ZstdPages<P> {
    pages: P,
}

/// The most bytes that a page may unpack to: the format states its size in 31 bits.
const MAX_PAGE_BYTES: u64 = i32::MAX as u64;

impl<P: PageReader> ZstdPages<P> {
    /// `pages` gives pages as they are stored.
    pub(super) fn new(pages: P) -> Self {
        Self { pages }
    }
}

/// The same page, its values unpacked.
fn unpack(mut page: Page) -> Result<Page> {
    match &mut page {
        Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => {
            *buf = unpacked(&[], buf)?;
        }
        Page::DataPageV2 {
            buf,
            def_levels_byte_len,
            rep_levels_byte_len,
            is_compressed,
            ..
        } => {
            if *is_compressed {
                // levels come first and are never compressed
                let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                let (levels, values) = buf
                    .split_at_checked(levels)
                    .ok_or_else(|| damaged("a page ends within its levels"))?;
                *buf = unpacked(levels, values)?;
                *is_compressed = false;
            }
        }
    }
    Ok(page)
}

/// `before` as it is, and what the frames in `frames` hold.
fn unpacked(before: &[u8], mut frames: &[u8]) -> Result<Bytes> {
    let mut bytes = before.to_vec();
    while !frames.is_empty() {
        let decoder = StreamingDecoder::new(&mut frames).map_err(|e| damaged(&e.to_string()))?;
        // one byte more than allowed tells that there is more
        let left = (MAX_PAGE_BYTES + 1).saturating_sub(bytes.len() as u64);
        decoder
            .take(left)
            .read_to_end(&mut bytes)
            .map_err(|e| damaged(&e.to_string()))?;
        if bytes.len() as u64 > MAX_PAGE_BYTES {
            return Err(damaged("a page unpacks to more than a page may hold"));
        }
    }
    Ok(bytes.into())
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(format!("Zstandard: {what}"))
}

impl<P: PageReader> PageReader for ZstdPages<P> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.map(unpack).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn supports_deferred_dictionary(&self) -> bool {
        self.pages.supports_deferred_dictionary()
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>> {
        let page = self.pages.take_deferred_dictionary()?;
        page.map(unpack).transpose()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

impl<P: PageReader> Iterator for ZstdPages<P> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
