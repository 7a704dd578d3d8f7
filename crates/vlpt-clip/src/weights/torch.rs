//! PyTorch's files: `torch.save` files and TorchScript archives.
//!
//! A zip of stored, uncompressed entries: one pickle that describes the tensors and one entry of
//! raw numbers for each storage; or, before PyTorch 1.6, pickles and storages one after the other
//! ([`legacy`]). The numbers are read where they lie in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::legacy;
use super::opened::{Entry, Opened, wrong_byte_order};
use super::pickle::{self, Extra, Global, MAX_PICKLE, Node, Pickle, RawTensor, Value};
use super::safetensors::lfs_pointer;
use super::store::{Stored, TensorStore};
use crate::error::{ClipError, Result};
use crate::files::ReadSeek;

/// The deepest nesting of modules or dicts.
const MAX_DEPTH: usize = 64;
/// The most values looked at for names: shared ones are looked at again each time.
const MAX_VISITS: usize = 1_000_000;
/// The most entries of an archive.
const MAX_ENTRIES: usize = 100_000;
/// Keys under which training programs put the weights among other things.
pub(super) const STATE_KEYS: [&str; 2] = ["state_dict", "model_state_dict"];

/// Adds the tensors of one file to the store. Returns whether it is a TorchScript archive.
///
/// # Errors
/// When the file is damaged, is of another kind, or its pickle is refused.
pub(crate) fn add(store: &mut TensorStore, place: &str, reader: Box<dyn ReadSeek>) -> Result<bool> {
    let opened = open(place, reader)?;
    let scripted = matches!(opened.pickle.root,
        Value::Node(i) if matches!(opened.pickle.nodes[i], Node::Object(Global::Module, _)));
    insert(store, place, opened)?;
    Ok(scripted)
}

/// Reads the pickle and the table of storages of a file of either format.
///
/// # Errors
/// As [`add`].
pub(super) fn open(place: &str, mut reader: Box<dyn ReadSeek>) -> Result<Opened> {
    let (length, container) = recognise(place, &mut reader)?;
    match container {
        Container::Zip => open_zip(place, reader, length),
        Container::Legacy => legacy::open(place, reader, length),
    }
}

/// Adds the tensors of an open file to the store, by their dotted names.
///
/// # Errors
/// No tensors, names nested without end, or a tensor that does not fit its storage.
pub(super) fn insert(store: &mut TensorStore, place: &str, opened: Opened) -> Result<()> {
    let tensors = named_tensors(place, &opened.pickle)?;
    let file = store.add_file(place.to_owned(), opened.reader);
    for (name, tensor) in tensors {
        let storage = opened.storages.get(&*tensor.key).copied();
        let stored = locate(tensor, storage, file)
            .map_err(|what| ClipError::weight_file(place, format!("tensor {name:?}: {what}")))?;
        store.insert(name, stored)?;
    }
    Ok(())
}

fn open_zip(place: &str, reader: Box<dyn ReadSeek>, length: u64) -> Result<Opened> {
    let mut archive = ZipArchive::new(reader)
        .map_err(|error| ClipError::weight_file(place, format!("zip archive: {error}")))?;
    let entries = entries(place, &mut archive, length)?;
    let mut reader = archive.into_inner();
    let Some(pickle_name) = entries
        .keys()
        .find(|name| name.ends_with("/data.pkl"))
        .cloned()
    else {
        return Err(ClipError::weight_file(
            place,
            "a zip archive without data.pkl",
        ));
    };
    let folder = &pickle_name[..pickle_name.len() - "data.pkl".len()];
    if let Some(order) = entries.get(&format!("{folder}byteorder")) {
        let order = bytes(place, &mut reader, *order, 16)?;
        if order != b"little" {
            let order = String::from_utf8_lossy(&order);
            return Err(wrong_byte_order(place, &format!("{order:?}")));
        }
    }
    let content = bytes(place, &mut reader, entries[&pickle_name], MAX_PICKLE)?;
    let pickle = pickle::read(&content, 0).map_err(|refused| ClipError::Pickle {
        file: format!("{place}, entry {pickle_name}"),
        position: refused.position,
        what: refused.what,
    })?;
    let data = format!("{folder}data/");
    let storages = entries
        .iter()
        .filter_map(|(name, entry)| Some((name.strip_prefix(&data)?.to_owned(), *entry)))
        .collect();
    Ok(Opened {
        pickle,
        storages,
        reader,
    })
}

/// The two formats of PyTorch's files.
enum Container {
    Zip,
    Legacy,
}

/// Refuses, by name, what is no file of PyTorch's. Returns the length of the file.
fn recognise(place: &str, reader: &mut Box<dyn ReadSeek>) -> Result<(u64, Container)> {
    let failed = |error: std::io::Error| ClipError::weight_file(place, error.to_string());
    let length = reader.seek(SeekFrom::End(0)).map_err(failed)?;
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut head = Vec::new();
    reader.take(512).read_to_end(&mut head).map_err(failed)?;
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    if head.starts_with(b"PK\x03\x04") {
        return Ok((length, Container::Zip));
    }
    if head.starts_with(&legacy::MAGIC) {
        return Ok((length, Container::Legacy));
    }
    if head.starts_with(b"version https://git-lfs") {
        return Err(lfs_pointer(place));
    }
    let what = if head.get(257..262) == Some(b"ustar") {
        "the tar file format of PyTorch before 0.2"
    } else {
        let what = "no zip archive, which PyTorch files are; not a weight file, or cut off";
        return Err(ClipError::weight_file(place, what));
    };
    Err(ClipError::Unsupported {
        file: place.to_owned(),
        what: what.to_owned(),
        hint: Some("load it in PyTorch and save it again, best as safetensors".to_owned()),
    })
}

/// All entries by name, each stored and inside the file.
fn entries(
    place: &str,
    archive: &mut ZipArchive<Box<dyn ReadSeek>>,
    length: u64,
) -> Result<BTreeMap<String, Entry>> {
    let damaged = |what: String| ClipError::weight_file(place, what);
    if archive.len() > MAX_ENTRIES {
        return Err(damaged(format!(
            "{} zip entries, at most {MAX_ENTRIES}",
            archive.len()
        )));
    }
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|error| damaged(format!("zip entry {index}: {error}")))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let wanted = name.ends_with("/data.pkl") || name.contains("/data/");
        if wanted && (entry.compression() != CompressionMethod::Stored || entry.encrypted()) {
            return Err(damaged(format!(
                "zip entry {name:?} is compressed or encrypted; PyTorch stores its entries"
            )));
        }
        let (size, held) = (entry.size(), entry.compressed_size());
        let start = entry.data_start();
        let inside = start
            .and_then(|s| s.checked_add(size))
            .is_some_and(|end| end <= length);
        if wanted && (size != held || !inside) {
            return Err(damaged(format!(
                "zip entry {name:?} is said to have {size} bytes, {held} stored, \
                 in a file of {length}"
            )));
        }
        let entry = Entry {
            start: start.unwrap_or(0),
            length: if inside { size } else { 0 },
        };
        if entries.insert(name.clone(), entry).is_some() {
            return Err(damaged(format!("two zip entries are called {name:?}")));
        }
    }
    Ok(entries)
}

/// The bytes of a small entry.
fn bytes(place: &str, reader: &mut Box<dyn ReadSeek>, entry: Entry, limit: u64) -> Result<Vec<u8>> {
    if entry.length > limit {
        let what = format!(
            "data.pkl has {} bytes, at most {limit} are read",
            entry.length
        );
        return Err(ClipError::weight_file(place, what));
    }
    let mut content = vec![0; entry.length as usize];
    reader
        .seek(SeekFrom::Start(entry.start))
        .and_then(|_| reader.read_exact(&mut content))
        .map_err(|error| ClipError::weight_file(place, error.to_string()))?;
    Ok(content)
}

/// Tensors by dotted name: of the module tree, or of the dict (or the one dict inside it that
/// training programs call `state_dict`).
fn named_tensors<'a>(place: &str, pickle: &'a Pickle) -> Result<BTreeMap<String, &'a RawTensor>> {
    let mut root = &pickle.root;
    if let Value::Node(index) = root
        && let Node::Dict(pairs) = &pickle.nodes[*index]
        && let Some((_, inner)) = pairs
            .iter()
            .find(|(key, _)| matches!(key, Value::Text(text) if STATE_KEYS.contains(&&**text)))
    {
        root = inner;
    }
    let mut found = BTreeMap::new();
    let mut walk = Walk {
        pickle,
        found: &mut found,
        open: BTreeSet::new(),
        visits: 0,
    };
    match walk.visit(root, "", 0) {
        Ok(()) if !found.is_empty() => Ok(found),
        Ok(()) => Err(ClipError::weight_file(place, "no tensors in its pickle")),
        Err(what) => Err(ClipError::weight_file(place, what)),
    }
}

struct Walk<'a, 'b> {
    pickle: &'a Pickle,
    found: &'b mut BTreeMap<String, &'a RawTensor>,
    /// Nodes on the way from the root, so that a cycle is seen.
    open: BTreeSet<usize>,
    visits: usize,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, value: &'a Value, name: &str, depth: usize) -> Result<(), String> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return Err(format!("more than {MAX_VISITS} values in its pickle"));
        }
        match value {
            Value::Extra(Extra::Tensor(index)) => {
                let tensor = &self.pickle.tensors[*index];
                if self.found.insert(name.to_owned(), tensor).is_some() {
                    return Err(format!("two tensors are called {name:?}"));
                }
            }
            Value::Node(index) => {
                if depth == MAX_DEPTH || !self.open.insert(*index) {
                    return Err(format!("{name:?} is nested in itself, or too deeply"));
                }
                let node = match &self.pickle.nodes[*index] {
                    Node::Object(Global::Module, Some(attributes)) => {
                        &self.pickle.nodes[*attributes]
                    }
                    other => other,
                };
                // lists and tuples hold no weights of a CLIP model
                if let Node::Dict(pairs) = node {
                    for (key, value) in pairs {
                        if let Value::Text(key) = key {
                            let dot = if name.is_empty() { "" } else { "." };
                            self.visit(value, &format!("{name}{dot}{key}"), depth + 1)?;
                        }
                    }
                }
                self.open.remove(index);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Where a tensor lies in the file, checked against the entry that holds its storage.
fn locate(tensor: &RawTensor, entry: Option<Entry>, file: usize) -> Result<Stored, String> {
    let Some(entry) = entry else {
        return Err(format!(
            "its storage {:?} is not in the archive",
            tensor.key
        ));
    };
    let size = tensor.dtype.size() as u64;
    if tensor.count.checked_mul(size) != Some(entry.length) {
        return Err(format!(
            "storage {:?} is said to hold {} {} numbers, the archive has {} bytes",
            tensor.key,
            tensor.count,
            tensor.dtype.name(),
            entry.length
        ));
    }
    let sizes = |numbers: &[i64]| -> Option<Vec<usize>> {
        numbers.iter().map(|n| usize::try_from(*n).ok()).collect()
    };
    let (Some(shape), Some(strides)) = (sizes(&tensor.shape), sizes(&tensor.strides)) else {
        return Err("a negative size or stride".to_owned());
    };
    if shape.len() != strides.len() {
        return Err(format!(
            "{} sizes and {} strides",
            shape.len(),
            strides.len()
        ));
    }
    // the farthest number reached; an empty tensor reaches none
    let empty = shape.contains(&0);
    let last = shape
        .iter()
        .zip(&strides)
        .try_fold(0usize, |sum, (n, step)| {
            n.saturating_sub(1)
                .checked_mul(*step)
                .and_then(|far| sum.checked_add(far))
        });
    let span = if empty {
        Some(0)
    } else {
        last.and_then(|last| last.checked_add(1))
    };
    let count = shape
        .iter()
        .try_fold(1usize, |product, n| product.checked_mul(*n));
    let end = u64::try_from(tensor.offset)
        .ok()
        .and_then(|offset| span.and_then(|span| offset.checked_add(span as u64)));
    let (Some(span), Some(count), Some(end)) = (span, count, end) else {
        return Err(format!(
            "offset {} and shape {shape:?} overflow",
            tensor.offset
        ));
    };
    if end > tensor.count || count > span {
        return Err(format!(
            "shape {shape:?}, strides {strides:?} and offset {} do not fit its storage of {} numbers",
            tensor.offset, tensor.count
        ));
    }
    let row_major = strides_of(&shape);
    let plain = shape
        .iter()
        .zip(&strides)
        .zip(&row_major)
        .all(|((n, a), b)| *n == 1 || a == b);
    Ok(Stored {
        dtype: tensor.dtype,
        strides: if plain { None } else { Some(strides) },
        shape,
        file,
        start: entry.start + tensor.offset as u64 * size,
        span,
    })
}

/// Strides of a row-major tensor.
fn strides_of(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}
