//! The file format of `torch.save` before PyTorch 1.6.
//!
//! Five pickles one after the other, then the storages:
//!
//! | part | content |
//! |---|---|
//! | pickle | a magic number |
//! | pickle | the version of the format, 1001 |
//! | pickle | a dict about the machine: its byte order, sizes of C types |
//! | pickle | what was saved; each tensor names its storage |
//! | pickle | a list of the storages' names |
//! | for each name | the number of values, 8 bytes, and the values |

use std::collections::BTreeMap;
use std::io::{Read, SeekFrom};

use super::opened::{Entry, Opened, wrong_byte_order};
use super::pickle::{self, MAX_PICKLE, Node, Pickle, Refused, Value};
use crate::error::{ClipError, Result};
use crate::files::ReadSeek;

/// The beginning of a file: the pickled magic number.
pub(super) const MAGIC: [u8; 15] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];
/// The only version there ever was.
const VERSION: i64 = 1001;
/// Bytes looked at first; eight times as many each time they are too few for the pickles.
const FIRST: u64 = 1 << 20;

/// The pickles before the storages.
struct Header {
    system: Pickle,
    version: Pickle,
    content: Pickle,
    names: Pickle,
    /// Where the first storage begins.
    length: u64,
}

/// Reads the pickles and finds the storages. `length` is that of the file.
///
/// # Errors
/// A pickle that is refused, or storages that are not those of the pickle or do not fill the file.
pub(super) fn open(place: &str, mut reader: Box<dyn ReadSeek>, length: u64) -> Result<Opened> {
    let damaged = |what: String| ClipError::weight_file(place, what);
    let head = read_head(place, &mut reader, length)?;
    if head.version.root != Value::Int(VERSION) {
        let what = "its version is not 1001, the only one of the format before PyTorch 1.6";
        return Err(damaged(what.to_owned()));
    }
    match entry(&head.system, "little_endian") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(wrong_byte_order(place, "\"big\"")),
        _ => return Err(damaged("it does not say its byte order".to_owned())),
    }
    let names = match head.names.root {
        Value::Node(index) => match &head.names.nodes[index] {
            Node::List(names) => names.as_slice(),
            _ => return Err(damaged("its list of storages is no list".to_owned())),
        },
        _ => return Err(damaged("its list of storages is no list".to_owned())),
    };
    let mut storages = BTreeMap::new();
    let mut at = head.length;
    for name in names {
        let Value::Text(name) = name else {
            return Err(damaged("a storage's name is no text".to_owned()));
        };
        let Some((dtype, expected)) = head.content.storages.get(&**name) else {
            return Err(damaged(format!("no tensor has the storage {name:?}")));
        };
        let count = count(&mut reader, at)
            .map_err(|error| damaged(format!("size of storage {name:?}: {error}")))?;
        if count != *expected {
            return Err(damaged(format!(
                "storage {name:?} has {count} numbers, its tensors say {expected}"
            )));
        }
        let start = at + 8;
        let bytes = count.checked_mul(dtype.size() as u64);
        at = match bytes.and_then(|bytes| start.checked_add(bytes)) {
            Some(end) if end <= length => end,
            _ => {
                return Err(damaged(format!(
                    "cut off: storage {name:?} of {count} {} numbers begins at byte {start} \
                     of {length}",
                    dtype.name()
                )));
            }
        };
        let entry = Entry {
            start,
            length: at - start,
        };
        if storages.insert(name.to_string(), entry).is_some() {
            return Err(damaged(format!("two storages are called {name:?}")));
        }
    }
    if at != length {
        return Err(damaged(format!(
            "{} bytes after the last storage",
            length - at
        )));
    }
    Ok(Opened {
        pickle: head.content,
        storages,
        reader,
    })
}

fn read_head(place: &str, reader: &mut Box<dyn ReadSeek>, length: u64) -> Result<Header> {
    let failed = |error: std::io::Error| ClipError::weight_file(place, error.to_string());
    let longest = length.min(MAX_PICKLE);
    let mut limit = FIRST;
    loop {
        let mut bytes = Vec::new();
        reader.seek(SeekFrom::Start(0)).map_err(failed)?;
        reader
            .take(limit.min(longest))
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        match parse(&bytes) {
            Ok(head) => return Ok(head),
            // perhaps only for want of the bytes behind
            Err(_) if limit < longest => limit *= 8,
            Err(refused) => {
                return Err(ClipError::Pickle {
                    file: place.to_owned(),
                    position: refused.position,
                    what: refused.what,
                });
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Header, Refused> {
    let mut at = MAGIC.len();
    let mut next = || {
        let pickle = pickle::read(bytes, at)?;
        at = pickle.end;
        Ok(pickle)
    };
    let (version, system, content, names) = (next()?, next()?, next()?, next()?);
    Ok(Header {
        system,
        version,
        content,
        names,
        length: at as u64,
    })
}

/// The value of a key of the dict that the pickle is.
fn entry<'a>(pickle: &'a Pickle, wanted: &str) -> Option<&'a Value> {
    match pickle.root {
        Value::Node(index) => match &pickle.nodes[index] {
            Node::Dict(pairs) => pairs
                .iter()
                .find(|(key, _)| matches!(key, Value::Text(text) if &**text == wanted))
                .map(|(_, value)| value),
            _ => None,
        },
        _ => None,
    }
}

/// The number of values of the storage at a byte of the file.
fn count(reader: &mut Box<dyn ReadSeek>, at: u64) -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    reader.seek(SeekFrom::Start(at))?;
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
