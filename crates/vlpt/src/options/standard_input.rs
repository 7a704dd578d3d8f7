//! What comes through standard input: an image, a tar of images, or a list of paths. Its beginning tells.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

#[cfg(feature = "webdataset")]
use vlpt_data::archive::TarStream;
use vlpt_data::image::{Limits, format_of};

#[cfg(feature = "webdataset")]
use super::input::Input;
use crate::error::CliError;

/// Bytes after which it is known what comes: a tar says so in its first block.
const HEAD: usize = 512;
/// Longest path in a list.
const MAX_PATH: u64 = 1 << 16;

/// What came.
pub(super) enum Given {
    /// The bytes of one image, or of what is none.
    Image(Vec<u8>),
    #[cfg(feature = "webdataset")]
    Tar(TarStream),
    List(Listed),
}

/// Reads the beginning of standard input and says what it is of.
pub(super) fn look() -> Result<Given, CliError> {
    look_at(io::stdin())
}

fn look_at(mut from: impl Read + Send + 'static) -> Result<Given, CliError> {
    let mut head = Vec::new();
    let mut ended = false;
    while !ended && head.len() < HEAD && !is_known(&head) {
        let mut part = vec![0; 1 << 16];
        let read = match from.read(&mut part) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        head.extend_from_slice(&part[..read]);
        ended = read == 0;
    }
    // A path or a tar may begin with the letters of a bitmap.
    #[cfg(feature = "webdataset")]
    if TarStream::begins(&head) {
        return Ok(Given::Tar(TarStream::new(head, from, "standard input")));
    }
    if names_a_file(&head, ended) {
        return Ok(Given::List(Listed::of(io::Cursor::new(head).chain(from))));
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err(CliError::usage(
            "standard input holds a zip, whose index stands at its end",
            "write it to a file and name that; a tar can be read from a pipe",
        ));
    }
    let most = Limits::default().max_file + 1; // one more: decoding says that it is too large
    from.take(most.saturating_sub(head.len() as u64))
        .read_to_end(&mut head)?;
    Ok(Given::Image(head))
}

/// Whether no more bytes are needed to tell.
fn is_known(head: &[u8]) -> bool {
    #[cfg(feature = "webdataset")]
    if TarStream::begins(head) {
        return true;
    }
    format_of(head).is_some() || names_a_file(head, false)
}

/// Whether text begins with the path of something that is there.
fn names_a_file(head: &[u8], ended: bool) -> bool {
    let end = head.iter().position(|byte| [b'\n', 0].contains(byte));
    let end = end.or(ended.then_some(head.len()));
    let first = end.map(|end| trimmed(&head[..end]));
    first.is_some_and(|first| !first.is_empty() && path_of(first).exists())
}

/// The paths of a list, one a line, or with NUL bytes between them where there are any in what comes
/// first.
pub(super) struct Listed {
    from: Box<dyn BufRead + Send>,
    /// What stands between paths; not known before something came.
    between: Option<u8>,
    number: usize,
}

impl Listed {
    pub(super) fn of(from: impl Read + Send + 'static) -> Self {
        Self {
            from: Box::new(BufReader::with_capacity(1 << 16, from)),
            between: None,
            number: 0,
        }
    }

    pub(super) fn of_standard_input() -> Self {
        Self::of(io::stdin())
    }

    fn path(&mut self) -> Result<Option<PathBuf>, CliError> {
        let between = if let Some(between) = self.between {
            between
        } else {
            let some = self.from.fill_buf()?;
            let between = if some.contains(&0) { 0 } else { b'\n' };
            *self.between.insert(between)
        };
        loop {
            let mut line = Vec::new();
            self.from
                .by_ref()
                .take(MAX_PATH)
                .read_until(between, &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            self.number += 1;
            if line.last() == Some(&between) {
                line.pop();
            } else if line.len() as u64 == MAX_PATH {
                return Err(CliError::usage(
                    format!("the list of images: path {} has no end", self.number),
                    "write one path a line",
                ));
            }
            let path = if between == 0 {
                &line[..]
            } else {
                trimmed(&line)
            };
            let path = match self.number {
                1 => path.strip_prefix("\u{feff}".as_bytes()).unwrap_or(path),
                _ => path,
            };
            if !path.trim_ascii().is_empty() {
                return Ok(Some(path_of(path)));
            }
        }
    }
}

impl Iterator for Listed {
    type Item = Result<PathBuf, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.path().transpose()
    }
}

/// A line without the carriage return that some systems end it with.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The images of a tar, each called by its name behind `-@`.
#[cfg(feature = "webdataset")]
pub(super) fn members(tar: TarStream) -> impl Iterator<Item = Result<Input, CliError>> + Send {
    tar.map(|member| {
        let (name, bytes) = member?;
        let label = format!("-@{name}");
        Ok(match bytes {
            Ok(bytes) => Input::Bytes {
                name: label.clone(),
                label,
                bytes,
            },
            Err(error) => Input::Refused {
                label,
                why: error.to_string(),
            },
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn paths(text: &'static [u8]) -> Vec<String> {
        let list = Listed::of(text);
        list.map(|path| path.unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn a_list_has_lines_or_nul_bytes() {
        assert_eq!(
            paths(b"\xef\xbb\xbfa b.jpg\r\n\n  \nc.jpg"),
            ["a b.jpg", "c.jpg"]
        );
        assert_eq!(paths(b"a\nb.jpg\0c.jpg\0"), ["a\nb.jpg", "c.jpg"]);
        assert!(paths(b"").is_empty());
    }

    #[test]
    fn a_path_without_an_end_is_refused() {
        let list = Listed::of(io::repeat(b'x').take(1 << 20));
        assert!(list.take(3).any(|path| path.is_err()));
    }

    #[test]
    fn the_beginning_tells_what_comes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("photo.jpg");
        std::fs::write(&file, "x").unwrap();
        let text = format!("{}\nabsent.jpg\n", file.display());
        let Given::List(list) = look_at(io::Cursor::new(text.into_bytes())).unwrap() else {
            panic!("no list")
        };
        assert_eq!(list.count(), 2);
        for bytes in [
            &b"P6 1 1 255\nabc"[..],
            b"neither an image\nnor a path",
            b"",
        ] {
            let Given::Image(found) = look_at(bytes).unwrap() else {
                panic!("{bytes:?}")
            };
            assert_eq!(found, bytes);
        }
        assert!(look_at(&b"PK\x03\x04zip"[..]).is_err());
    }
}
