//! The pages of one column of one row group: where they lie, found by their headers alone.

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

use super::header::{self, Encoding, Header, Levels, PageKind};
use super::unpack::{MAX_PAGE_BYTES, unpack};
use super::values::{Page, Shape};
use crate::archive::file_at::{FileAt, MOST_ROWS};
use crate::memory::make_room;

/// Bytes that are read at first to find a page's header in them.
const HEADER_BYTES: u64 = 256;
/// Longest header; it may quote the smallest and the largest value of its page.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// A page, where it lies.
#[derive(Debug, Clone, Copy)]
struct PageAt {
    offset: u64,
    header: Header,
}

/// The pages of a column chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) shape: Shape,
    compression: Compression,
    dictionary: Option<PageAt>,
    pages: Vec<PageAt>,
}

impl Chunk {
    /// Walks the headers of a chunk that should hold `rows` rows.
    ///
    /// # Errors
    /// A place is negative or lies outside the file, a header makes no sense, a page takes more than
    /// [`MAX_PAGE_BYTES`] as it is stored or unpacked, or there are more or fewer values than rows.
    pub(super) fn index(
        file: &FileAt,
        meta: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<Self, String> {
        let descriptor = meta.column_descr();
        let column = descriptor.path().string();
        let wrong = |what: String| format!("column `{column}`: {what}");
        let level = |level: i16| u32::try_from(level).unwrap_or(0);
        let shape = Shape {
            kind: meta.column_type(),
            definition: level(descriptor.max_def_level()),
            repetition: level(descriptor.max_rep_level()),
        };
        let mut chunk = Self {
            shape,
            compression: meta.compression(),
            dictionary: None,
            pages: Vec::new(),
        };
        let (start, end) = place(file, meta).map_err(wrong)?;
        // values of lists may outnumber the rows, but not without end
        let most = match shape.repetition {
            0 => rows as u64,
            _ => file.len().saturating_mul(8).min(MOST_ROWS as u64),
        };
        let (mut at, mut values) = (start, 0_u64);
        let wanted = meta.num_values().max(0) as u64;
        while at < end && values < wanted {
            let (header, length) = read_header(file, at, end).map_err(wrong)?;
            let offset = at + length as u64;
            at = offset.saturating_add(header.stored as u64);
            let sizes = [
                ("unpacks to", header.unpacked),
                ("is stored in", header.stored),
            ];
            if let Some((how, size)) = sizes.into_iter().find(|(_, size)| *size > MAX_PAGE_BYTES) {
                let what = format!(
                    "the page at byte {offset} {how} {size} bytes, more than the limit of {MAX_PAGE_BYTES}"
                );
                return Err(wrong(what));
            }
            if at > end {
                let what = format!("the page at byte {offset} ends behind its column");
                return Err(wrong(what));
            }
            let page = PageAt { offset, header };
            match header.kind {
                PageKind::Dictionary if chunk.dictionary.is_none() && chunk.pages.is_empty() => {
                    if header.values as u64 > most {
                        let values = header.values;
                        let what = format!("{values} values in the dictionary of {rows} rows");
                        return Err(wrong(what));
                    }
                    chunk.dictionary = Some(page);
                }
                PageKind::Dictionary => {
                    return Err(wrong("a second dictionary page".to_owned()));
                }
                PageKind::Data(_) if header.values > 0 => {
                    values += header.values as u64;
                    chunk.pages.push(page);
                }
                PageKind::Data(_) | PageKind::Other => {}
            }
            if values > most {
                return Err(wrong(format!("more values than its {rows} rows can have")));
            }
        }
        if shape.repetition == 0 && values != rows as u64 {
            return Err(wrong(format!("{values} values for {rows} rows")));
        }
        Ok(chunk)
    }

    /// Number of data pages.
    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Number of values of a data page, nulls included: its rows, where there are no lists.
    pub(super) fn values(&self, page: usize) -> usize {
        self.pages[page].header.values
    }

    /// Bytes that a data page takes once it is read.
    pub(super) fn bytes(&self, page: usize) -> usize {
        let Header {
            stored, unpacked, ..
        } = self.pages[page].header;
        unpacked.max(stored) // what is not compressed stays as it is stored
    }

    /// Bytes of the dictionary once unpacked.
    pub(super) fn dictionary_bytes(&self) -> usize {
        self.dictionary.map_or(0, |page| page.header.unpacked)
    }

    /// Whether a data page refers to the dictionary.
    pub(super) fn needs_dictionary(&self, page: usize) -> bool {
        self.pages[page].header.encoding == Encoding::Dictionary
    }

    /// Reads and unpacks a data page.
    pub(super) fn page(&self, file: &FileAt, page: usize) -> Result<Page, String> {
        self.load(file, self.pages[page])
    }

    /// Reads and unpacks the dictionary, where there is one.
    pub(super) fn dictionary(&self, file: &FileAt) -> Result<Option<Page>, String> {
        let dictionary = self.dictionary.map(|page| self.load(file, page));
        dictionary.transpose()
    }

    fn load(&self, file: &FileAt, PageAt { offset, header }: PageAt) -> Result<Page, String> {
        #[cfg(test)]
        super::tests::PAGES.set(super::tests::PAGES.get() + 1);
        let stored = file.bytes_at(offset, header.stored);
        let stored = stored.map_err(|error| error.to_string())?;
        if self.compression == Compression::UNCOMPRESSED || !header.compressed {
            let body = Bytes::from(stored);
            return Ok(Page { header, body });
        }
        // levels of the second version come first and are never compressed
        let plain = match header.kind {
            PageKind::Data(Levels::Before {
                repetition,
                definition,
            }) => repetition.saturating_add(definition),
            _ => 0,
        };
        let (levels, values) = stored
            .split_at_checked(plain)
            .filter(|_| plain <= header.unpacked)
            .ok_or("a page ends within its levels")?;
        let mut body = Vec::new();
        make_room(&mut body, plain)?;
        body.extend_from_slice(levels);
        // a page without any value may have no bytes at all
        if header.unpacked > plain {
            unpack(values, self.compression, header.unpacked - plain, &mut body)?;
        }
        let body = Bytes::from(body);
        Ok(Page { header, body })
    }
}

/// Where the chunk begins and ends.
fn place(file: &FileAt, meta: &ColumnChunkMetaData) -> Result<(u64, u64), String> {
    if let Some(other) = meta.file_path() {
        return Err(format!("its values lie in another file, `{other}`"));
    }
    let data = meta.data_page_offset();
    // some writers say 0 where there is no dictionary
    let dictionary = meta.dictionary_page_offset();
    let start = dictionary
        .filter(|at| *at > 0 && *at < data)
        .unwrap_or(data);
    let length = meta.compressed_size();
    let span = u64::try_from(start).ok().zip(u64::try_from(length).ok());
    let span = span.and_then(|(start, length)| Some((start, start.checked_add(length)?)));
    span.filter(|(_, end)| *end <= file.len())
        .filter(|_| dictionary.is_none_or(|at| at >= 0))
        .ok_or_else(|| {
            let dictionary = dictionary.map_or(String::new(), |at| format!(", dictionary at {at}"));
            format!(
                "the footer places {length} bytes at byte {data}{dictionary}, in a file of {} bytes",
                file.len()
            )
        })
}

fn read_header(file: &FileAt, at: u64, end: u64) -> Result<(Header, usize), String> {
    let mut length = HEADER_BYTES;
    loop {
        let take = length.min(end - at);
        let bytes = file.bytes_at(at, take as usize);
        let bytes = bytes.map_err(|error| error.to_string())?;
        if let Some(found) = header::read(&bytes) {
            return Ok(found);
        }
        if take < length || length >= MAX_HEADER_BYTES {
            return Err(format!("there is no page at byte {at}"));
        }
        length *= 16;
    }
}
