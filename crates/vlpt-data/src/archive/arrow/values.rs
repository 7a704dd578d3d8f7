//! Single values in the buffers of a batch, and how many are read together.

use crate::archive::file_at::MOST_ROWS;

/// So many values of a column, which are read together.
///
/// # Errors
/// There are more than [`MOST_ROWS`].
pub(super) fn few_enough(values: usize) -> Result<usize, String> {
    if values > MOST_ROWS {
        return Err(format!(
            "a batch with {values} values in one column, more than the limit of {MOST_ROWS}"
        ));
    }
    Ok(values)
}

/// Whether a bit is set; one behind the end is not.
pub(super) fn is_set(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8)
        .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}

/// A number of 1 to 8 bytes, the lowest first.
pub(super) fn int(bytes: &[u8], signed: bool) -> i64 {
    let negative = signed && bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut all = [if negative { 0xff } else { 0 }; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(all)
}
