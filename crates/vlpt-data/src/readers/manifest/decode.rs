//! The text of a table: UTF-8, or UTF-16 with a byte order mark; line ends of any system.

use std::io::Read as _;
use std::path::Path;

use crate::error::{LayoutError, Result};

/// Bytes from the beginning that a look at a table reads.
const HEAD: u64 = 256 << 10;

/// The whole text, lines ending in `\n`.
///
/// # Errors
/// The file cannot be read, or is in another encoding.
pub(super) fn text(file: &Path) -> Result<String> {
    decode(file, &fs_err::read(file)?, false)
}

/// The first whole lines.
///
/// # Errors
/// The file cannot be read, or begins in another encoding.
pub(super) fn head(file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let open = fs_err::File::open(file)?;
    let whole = open.metadata()?.len();
    open.take(HEAD).read_to_end(&mut bytes)?;
    let cut = whole > bytes.len() as u64;
    let mut text = decode(file, &bytes, cut)?;
    if let Some(end) = text.rfind('\n').filter(|_| cut) {
        text.truncate(end + 1);
    }
    Ok(text)
}

/// `cut`: the bytes may end within a character.
fn decode(file: &Path, bytes: &[u8], cut: bool) -> Result<String> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(file, rest, u16::from_le_bytes, cut)?,
        [0xfe, 0xff, rest @ ..] => utf16(file, rest, u16::from_be_bytes, cut)?,
        _ => utf8(
            file,
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
            cut,
        )?,
    };
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    })
}

fn utf8(file: &Path, bytes: &[u8], cut: bool) -> Result<String> {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            if cut && error.error_len().is_none() {
                return utf8(file, valid, false);
            }
            let byte = rest.first().copied().unwrap_or_default();
            let found = format!("the byte 0x{byte:02X}, which is no UTF-8");
            return Err(bad(file, valid, found));
        }
    };
    if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
        let found = "a byte 0, as UTF-16 without a byte order mark has".to_owned();
        return Err(bad(file, &bytes[..zero], found));
    }
    Ok(valid.to_owned())
}

fn utf16(file: &Path, bytes: &[u8], unit: fn([u8; 2]) -> u16, cut: bool) -> Result<String> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty() && !cut;
    let mut units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
    if cut
        && units
            .last()
            .is_some_and(|last| (0xd800..0xdc00).contains(last))
    {
        units.pop();
    }
    match String::from_utf16(&units) {
        Ok(text) if !odd => Ok(text),
        _ => Err(bad(file, b"", "damaged UTF-16".to_owned())),
    }
}

/// The error of a byte after those of `before`.
fn bad(file: &Path, before: &[u8], found: String) -> crate::error::DataError {
    let line = 1 + before.split(|byte| *byte == b'\n').skip(1).count();
    let column = 1 + before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: format!("line {line}, byte {column}"),
        found,
        expected: "UTF-8, or UTF-16 with a byte order mark: save the table as UTF-8 (Latin-1 and other older encodings are not guessed)".to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_with_a_mark_and_all_line_ends_are_read() {
        let file = Path::new("m.csv");
        let text = "é,b\r\n1,2\r3\n";
        let wanted = "é,b\n1,2\n3\n";
        let mut utf8 = b"\xef\xbb\xbf".to_vec();
        utf8.extend(text.as_bytes());
        let mut le = vec![0xff, 0xfe];
        le.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let mut be = vec![0xfe, 0xff];
        be.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        for bytes in [utf8, le, be, text.as_bytes().to_vec()] {
            assert_eq!(decode(file, &bytes, false).expect("text"), wanted);
        }
    }

    #[test]
    fn latin_1_and_bare_utf_16_are_told_by_byte_and_place() {
        let told = |bytes: &[u8]| {
            let error = decode(Path::new("m.csv"), bytes, false).expect_err("no UTF-8");
            error.to_string()
        };
        assert!(
            told(b"path,label\ncaf\xe9.jpg,a\n")
                .starts_with("m.csv: line 2, byte 4: found the byte 0xE9, which is no UTF-8"),
        );
        assert!(told(b"a\0b\0").contains("line 1, byte 2: found a byte 0, as UTF-16"));
    }
}
