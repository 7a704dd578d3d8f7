//! The images of some pages in a row, unpacked together and kept for a while.
//!
//! Images are read one by one, and a page may hold hundreds. A window is made of whole pages, so
//! that reading a file from front to back unpacks each page once, whatever its size.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::chunk::Chunk;
use super::values::{decode, dictionary};
use crate::archive::file_at::FileAt;

/// Unpacked bytes that one window aims at; a longer page is a window of its own.
const WINDOW_BYTES: usize = 4 << 20;
/// Rows of one window at most, unless a page has more.
const WINDOW_ROWS: usize = 4096;
/// Windows kept for all files of one set together, and what they may take; two are always kept.
const WINDOWS_KEPT: usize = 16;
const BYTES_KEPT: usize = 256 << 20;

/// A value or nothing, for each row of a window.
pub(super) type Images = Vec<Option<Bytes>>;

/// The windows of a row group.
#[derive(Debug)]
pub(super) struct Windows {
    chunk: Chunk,
    /// First row and pages of each window.
    windows: Vec<(usize, Range<usize>)>,
}

impl Windows {
    /// Groups the pages of a chunk without lists.
    pub(super) fn of(chunk: Chunk) -> Self {
        let mut windows: Vec<(usize, Range<usize>)> = Vec::new();
        let (mut row, mut start, mut rows, mut bytes) = (0, 0, 0, 0_usize);
        for page in 0..chunk.len() {
            rows += chunk.values(page);
            bytes = bytes.saturating_add(chunk.bytes(page));
            if bytes >= WINDOW_BYTES || rows >= WINDOW_ROWS || page + 1 == chunk.len() {
                windows.push((row, start..page + 1));
                (row, start) = (row + rows, page + 1);
                (rows, bytes) = (0, 0);
            }
        }
        Self { chunk, windows }
    }

    /// The window of a row, and the row within it.
    pub(super) fn find(&self, row: usize) -> Option<(usize, usize)> {
        let after = self.windows.partition_point(|(first, _)| *first <= row);
        let window = after.checked_sub(1)?;
        Some((window, row - self.windows[window].0))
    }

    /// Bytes that a window takes once unpacked.
    pub(super) fn bytes(&self, window: usize) -> usize {
        let pages = self.windows[window].1.clone();
        let of_row = size_of::<Option<Bytes>>();
        let page_bytes = |page| self.chunk.bytes(page) + self.chunk.values(page) * of_row;
        let own: usize = pages.clone().map(page_bytes).sum();
        if pages
            .into_iter()
            .any(|page| self.chunk.needs_dictionary(page))
        {
            return own.saturating_add(self.chunk.dictionary_bytes());
        }
        own
    }

    /// Reads a window.
    pub(super) fn load(&self, file: &FileAt, window: usize) -> Result<Images, String> {
        let chunk = &self.chunk;
        let pages = self.windows[window].1.clone();
        let needed = pages.clone().any(|page| chunk.needs_dictionary(page));
        let words = if needed {
            chunk.dictionary(file)?
        } else {
            None
        };
        let words: Option<Vec<Bytes>> = words
            .map(|page| dictionary(&page, chunk.shape))
            .transpose()?;
        let mut images = Images::new();
        for page in pages {
            let decoded = decode(&chunk.page(file, page)?, chunk.shape, words.as_deref())?;
            let mut values = decoded.values.into_iter();
            if chunk.shape.definition == 0 {
                images.extend(values.map(Some));
                continue;
            }
            let there = decoded.definition.into_iter();
            let there = there.map(|level| level == chunk.shape.definition);
            images.extend(there.map(|there| if there { values.next() } else { None }));
        }
        Ok(images)
    }
}

/// File, row group and window.
pub(super) type Key = (u32, usize, usize);

/// A window's images once they are read. Who wants them while another thread reads them waits.
type Slot = Arc<Mutex<Option<Arc<Images>>>>;

/// The last windows that were read, shared by the files of a set.
#[derive(Debug, Default)]
pub struct WindowCache {
    slots: Mutex<VecDeque<(Key, usize, Slot)>>,
}

impl WindowCache {
    /// The images of a window of so many bytes, which `load` reads where they are not at hand.
    pub(super) fn get(
        &self,
        key: Key,
        bytes: usize,
        load: impl FnOnce() -> Result<Images, String>,
    ) -> Result<Arc<Images>, String> {
        let slot = self.slot(key, bytes);
        let mut images = lock(&slot);
        if let Some(images) = &*images {
            return Ok(Arc::clone(images));
        }
        let found = Arc::new(load()?);
        *images = Some(Arc::clone(&found));
        Ok(found)
    }

    fn slot(&self, key: Key, bytes: usize) -> Slot {
        let mut slots = lock(&self.slots);
        let known = slots.iter().position(|(other, ..)| *other == key);
        if let Some(known) = known.and_then(|place| slots.remove(place)) {
            let slot = Arc::clone(&known.2);
            slots.push_back(known);
            return slot;
        }
        // old windows go before the new one is read
        let mut total: usize = slots.iter().map(|(_, bytes, _)| *bytes).sum();
        while slots.len() >= WINDOWS_KEPT || slots.len() > 1 && total + bytes > BYTES_KEPT {
            total -= slots.pop_front().map_or(0, |(_, bytes, _)| bytes);
        }
        let slot = Slot::default();
        slots.push_back((key, bytes, Arc::clone(&slot)));
        slot
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
