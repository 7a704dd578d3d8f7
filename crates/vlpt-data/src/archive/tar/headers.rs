//! The headers of a tar, walked without reading what lies between them.
//!
//! The `tar` crate reads long names and pax records whole before it knows that the file holds them,
//! so the walk is done here, and the crate reads single headers.

use std::io;

use super::TarMember;
use crate::archive::file_at::FileAt;

pub(super) const BLOCK: u64 = 512;
/// Longest name and longest pax record that is read.
pub(super) const MAX_RECORD_BYTES: u64 = 64 << 10;
/// Characters of a name that a message quotes.
const NAME_SHOWN: usize = 200;

/// What extension headers say of the member that follows.
#[derive(Default)]
pub(super) struct Said {
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: bool,
}

/// Appends the first `most` plain files of a tar that takes up `length` bytes of `file` from `start`.
/// Folders and records about the whole archive are passed over. Offsets count from the start of the
/// file; names are as they stand.
///
/// # Errors
/// A header is damaged, a member ends behind the file, or is a link, sparse or another special file.
pub(super) fn walk(
    file: &FileAt,
    start: u64,
    length: u64,
    most: usize,
    members: &mut Vec<TarMember>,
) -> Result<(), String> {
    let end = start + length;
    let mut at = start;
    let mut said = Said::default();
    while let Some(block) = block(file, at, end)? {
        let header = tar::Header::from_byte_slice(&block);
        check_sum(header, &block).map_err(|what| format!("header at byte {at}: {what}"))?;
        at += BLOCK;
        let stated = header.entry_size().map_err(|error| error.to_string())?;
        let kind = header.entry_type();
        let extension = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        let size = said.size.filter(|_| !extension).unwrap_or(stated);
        let after = size
            .checked_next_multiple_of(BLOCK)
            .and_then(|size| at.checked_add(size));
        let name = || match &said.name {
            Some(name) => name.clone(),
            None => header.path_bytes().into_owned(),
        };
        // the last member's padding may be cut off
        if at.checked_add(size).is_none_or(|last| last > end) {
            return Err(format!(
                "member `{}` should end at byte {}, but the file ends at {}",
                shown(&name()),
                at.saturating_add(size) - start,
                end - start
            ));
        }
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            if size > MAX_RECORD_BYTES {
                return Err(format!(
                    "a name or record of {size} bytes at byte {}, more than the limit of {MAX_RECORD_BYTES}",
                    at - start
                ));
            }
            let record = read(file, at, size)?;
            if kind.is_gnu_longname() {
                let name = record.split(|byte| *byte == 0).next();
                said.name = Some(name.unwrap_or_default().to_vec());
            } else {
                pax(&record, &mut said)?;
            }
        } else if !extension {
            if !kind.is_dir() {
                let sparse = said.sparse || kind.is_gnu_sparse();
                if sparse || !(kind.is_file() || kind.is_contiguous()) {
                    let kind = if sparse {
                        "GNUSparse".to_owned()
                    } else {
                        format!("{kind:?}")
                    };
                    let name = shown(&name());
                    return Err(format!("member `{name}` is a {kind}, not a plain file"));
                }
                members.push(TarMember {
                    name: String::from_utf8_lossy(&name()).into_owned(),
                    offset: at,
                    size,
                });
                if members.len() >= most {
                    return Ok(());
                }
            }
            said = Said::default();
        }
        at = after.unwrap_or(end);
    }
    if said.name.is_some() || said.size.is_some() {
        return Err("it ends behind a record about a member that does not follow".to_owned());
    }
    Ok(())
}

/// The block at a place; none at the end of the file or of the archive, a block of zeros.
fn block(file: &FileAt, at: u64, end: u64) -> Result<Option<[u8; BLOCK as usize]>, String> {
    if at >= end {
        return Ok(None);
    }
    if end - at < BLOCK {
        return Err(format!("it ends within a header of {BLOCK} bytes"));
    }
    let block = read(file, at, BLOCK)?;
    let block: [u8; BLOCK as usize] = block.try_into().map_err(|_| "a short read".to_owned())?;
    Ok(block.iter().any(|byte| *byte != 0).then_some(block))
}

fn read(file: &FileAt, at: u64, size: u64) -> Result<Vec<u8>, String> {
    let bytes: io::Result<Vec<u8>> = file.bytes_at(at, size as usize);
    bytes.map_err(|error| error.to_string())
}

pub(super) fn check_sum(header: &tar::Header, block: &[u8; BLOCK as usize]) -> Result<(), String> {
    let blanks = 8 * u32::from(b' ');
    let around = block[..148].iter().chain(&block[156..]);
    let sum: u32 = blanks + around.map(|byte| u32::from(*byte)).sum::<u32>();
    let stated = header.cksum().map_err(|error| error.to_string())?;
    if sum == stated {
        return Ok(());
    }
    Err(format!("its checksum is {sum}, not {stated}"))
}

/// Reads pax records, lines of `length key=value`.
pub(super) fn pax(record: &[u8], said: &mut Said) -> Result<(), String> {
    for pair in tar::PaxExtensions::new(record) {
        let pair = pair.map_err(|error| error.to_string())?;
        let value = pair.value_bytes();
        match pair.key_bytes() {
            b"path" => said.name = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse().ok());
                let size: u64 = size.ok_or("a pax record with a size that is no number")?;
                said.size = Some(size);
            }
            key if key.starts_with(b"GNU.sparse.") => said.sparse = true,
            _ => {}
        }
    }
    Ok(())
}

/// A name, cut where it is too long to be shown.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut cut: String = text.chars().take(NAME_SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
