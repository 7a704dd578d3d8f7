//! The size of a zip's index, checked before the `zip` crate makes room for it.

use super::file_at::FileAt;

/// The longest index that is read: some ten million members.
const MAX_INDEX_BYTES: u64 = 1 << 30;
/// Bytes that an entry of the index takes at least.
const ENTRY_BYTES: u64 = 46;
/// The record at the end without its comment, and with the longest one.
const END_BYTES: usize = 22;
const END_WITH_COMMENT: u64 = END_BYTES as u64 + 0xffff;
/// The record that says where the large one of zip64 lies, right before the end.
const LOCATOR_BYTES: usize = 20;

/// Refuses an index that claims more members than its bytes can hold, or more bytes than is sensible.
///
/// # Errors
/// It does, said in words. A file without any end record is left to the reader to refuse.
pub(super) fn check(file: &FileAt) -> Result<(), String> {
    let length = file.len().min(END_WITH_COMMENT + LOCATOR_BYTES as u64);
    let start = file.len() - length;
    let tail = file.bytes_at(start, length as usize);
    let tail = tail.map_err(|error| error.to_string())?;
    for at in (0..tail.len().saturating_sub(END_BYTES - 1)).rev() {
        if !tail[at..].starts_with(b"PK\x05\x06") {
            continue;
        }
        let number = |at: usize, bytes: usize| {
            let field = tail[at..at + bytes].iter().rev();
            field.fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let (members, bytes) = (number(at + 10, 2), number(at + 12, 4));
        let locator = at.checked_sub(LOCATOR_BYTES);
        let locator = locator.filter(|at| tail[*at..].starts_with(b"PK\x06\x07"));
        if let Some(locator) = locator
            && let Some((members, bytes)) = large(file, number(locator + 8, 8))
        {
            plausible(file, members, bytes)?;
        } else if members != 0xffff {
            plausible(file, members, bytes)?;
        }
    }
    Ok(())
}

/// Members and bytes as the record of zip64 at this place says them.
fn large(file: &FileAt, at: u64) -> Option<(u64, u64)> {
    let record = file.bytes_at(at, 56).ok()?;
    let number = |at: usize| {
        let eight = record[at..at + 8]
            .try_into()
            .expect("a slice of eight bytes");
        u64::from_le_bytes(eight)
    };
    record
        .starts_with(b"PK\x06\x06")
        .then(|| (number(32), number(40)))
}

fn plausible(file: &FileAt, members: u64, bytes: u64) -> Result<(), String> {
    if bytes > MAX_INDEX_BYTES.min(file.len()) || members.saturating_mul(ENTRY_BYTES) > bytes {
        return Err(format!(
            "its index claims {members} members in {bytes} bytes; the file has {} bytes, and an index may have {MAX_INDEX_BYTES}",
            file.len()
        ));
    }
    Ok(())
}
