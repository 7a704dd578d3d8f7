//! A tar as it comes through a pipe, one member after the other.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::damaged;
use super::headers::{BLOCK, MAX_RECORD_BYTES, Said, check_sum, pax, shown};
use crate::archive::MAX_MEMBER_BYTES;
use crate::error::Result;
use crate::image::has_image_ending;
use crate::junk::is_junk_path;

/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Where a tar of the last forty years says that it is one.
const MAGIC: std::ops::Range<usize> = 257..262;

/// The images of a tar that is read from its beginning to its end, plain or packed with gzip. No more
/// than one member is held.
pub struct TarStream {
    from: Box<dyn Read + Send>,
    /// What it is called in errors.
    origin: String,
    ended: bool,
    /// Files that were passed over because their names are no image's.
    others: usize,
}

/// A header's block and what is said of its member.
struct Head {
    name: String,
    size: u64,
    /// Why its bytes are no file's, where they are not.
    odd: Option<String>,
}

impl TarStream {
    /// Whether bytes are the beginning of such a tar: known once there are 262 of them, of gzip at once.
    pub fn begins(head: &[u8]) -> bool {
        head.starts_with(&GZIP) || head.get(MAGIC).is_some_and(|magic| magic == b"ustar")
    }

    /// The tar that `from` gives, whose first bytes are `head`; `origin` is its name in errors.
    pub fn new(head: Vec<u8>, from: impl Read + Send + 'static, origin: &str) -> Self {
        let packed = head.starts_with(&GZIP);
        let whole = BufReader::with_capacity(1 << 16, io::Cursor::new(head).chain(from));
        let from: Box<dyn Read + Send> = if packed {
            Box::new(MultiGzDecoder::new(whole))
        } else {
            Box::new(whole)
        };
        Self {
            from,
            origin: origin.to_owned(),
            ended: false,
            others: 0,
        }
    }

    /// How many files were passed over so far because their names are no image's.
    pub fn others(&self) -> usize {
        self.others
    }

    /// The next image: its name and its bytes, or why it has none.
    fn member(&mut self) -> std::result::Result<Option<Member>, String> {
        while let Some(head) = self.head()? {
            let wanted = !is_junk_path(&head.name);
            let image = wanted && has_image_ending(&head.name);
            let odd = head.odd.or_else(|| {
                (head.size > MAX_MEMBER_BYTES).then(|| {
                    format!(
                        "{} bytes, more than the limit of {MAX_MEMBER_BYTES}",
                        head.size
                    )
                })
            });
            match odd {
                None if image => {
                    // the size is only a claim: allocate with what arrives
                    let mut bytes = Vec::with_capacity(head.size.min(1 << 20) as usize);
                    self.take(head.size, &head.name, |part| bytes.extend_from_slice(part))?;
                    self.pad(head.size)?;
                    return Ok(Some((head.name, Ok(bytes))));
                }
                odd => {
                    self.take(head.size, &head.name, |_| {})?;
                    self.pad(head.size)?;
                    if image && let Some(why) = odd {
                        let error = damaged(&format!("{}@{}", self.origin, head.name), &why);
                        return Ok(Some((head.name, Err(error))));
                    }
                    self.others += usize::from(wanted);
                }
            }
        }
        Ok(None)
    }

    /// The next header of a file, after what extension headers say of it; folders are passed over.
    fn head(&mut self) -> std::result::Result<Option<Head>, String> {
        let mut said = Said::default();
        loop {
            let mut block = [0; BLOCK as usize];
            let read = fill(&mut self.from, &mut block)?;
            if read == 0 || block.iter().all(|byte| *byte == 0) {
                if said.name.is_some() || said.size.is_some() {
                    return Err(
                        "it ends behind a record about a member that does not follow".to_owned(),
                    );
                }
                return Ok(None);
            }
            if read < block.len() {
                return Err(format!("it ends within a header of {BLOCK} bytes"));
            }
            let header = tar::Header::from_byte_slice(&block);
            check_sum(header, &block).map_err(|what| format!("a header: {what}"))?;
            let stated = header.entry_size().map_err(|error| error.to_string())?;
            let kind = header.entry_type();
            if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                if stated > MAX_RECORD_BYTES {
                    return Err(format!(
                        "a name or record of {stated} bytes, more than the limit of {MAX_RECORD_BYTES}"
                    ));
                }
                let mut record = Vec::new();
                self.take(stated, "(a name)", |part| record.extend_from_slice(part))?;
                self.pad(stated)?;
                if kind.is_gnu_longname() {
                    let name = record.split(|byte| *byte == 0).next();
                    said.name = Some(name.unwrap_or_default().to_vec());
                } else {
                    pax(&record, &mut said)?;
                }
                continue;
            }
            if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
                self.take(stated, "(a record)", |_| {})?;
                self.pad(stated)?;
                continue;
            }
            let size = said.size.unwrap_or(stated);
            if kind.is_dir() {
                self.take(size, "(a folder)", |_| {})?;
                self.pad(size)?;
                said = Said::default();
                continue;
            }
            let sparse = said.sparse || kind.is_gnu_sparse();
            let plain = !sparse && (kind.is_file() || kind.is_contiguous());
            let name = said.name.take();
            let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
            return Ok(Some(Head {
                name: String::from_utf8_lossy(&name).into_owned(),
                size,
                odd: (!plain).then(|| {
                    if sparse {
                        "a sparse file, which is not read".to_owned()
                    } else {
                        format!("a {kind:?}, not a plain file")
                    }
                }),
            }));
        }
    }

    /// Reads `size` bytes piece by piece.
    fn take(
        &mut self,
        size: u64,
        name: &str,
        mut each: impl FnMut(&[u8]),
    ) -> std::result::Result<(), String> {
        let mut buffer = [0; 1 << 13];
        let mut left = size;
        while left > 0 {
            let want = left.min(buffer.len() as u64) as usize;
            let read = fill(&mut self.from, &mut buffer[..want])?;
            each(&buffer[..read]);
            left -= read as u64;
            if read < want {
                return Err(format!(
                    "member `{}` should have {size} bytes, but {left} of them are missing",
                    shown(name.as_bytes())
                ));
            }
        }
        Ok(())
    }

    /// Passes over what fills the last block of `size` bytes; the last member's may be cut off.
    fn pad(&mut self, size: u64) -> std::result::Result<(), String> {
        let mut rest = [0; BLOCK as usize];
        let over = (size.next_multiple_of(BLOCK) - size) as usize;
        fill(&mut self.from, &mut rest[..over]).map(|_| ())
    }
}

/// An image's name in the tar, and its bytes or why there are none.
type Member = (String, Result<Vec<u8>>);

impl Iterator for TarStream {
    type Item = Result<Member>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.member() {
            Ok(Some(member)) => Some(Ok(member)),
            Ok(None) => {
                self.ended = true;
                // whoever writes into the pipe is not stopped by an archive that is padded
                let _ = io::copy(&mut self.from, &mut io::sink());
                None
            }
            Err(what) => {
                self.ended = true;
                Some(Err(damaged(&self.origin, &what)))
            }
        }
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> std::result::Result<usize, String> {
    let mut read = 0;
    while read < buffer.len() {
        match from.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
