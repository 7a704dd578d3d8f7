//! Safetensors files with the same bytes for the same content.
//!
//! The format's usual writer stores metadata in hash order, which differs from run to run; here
//! tensors and metadata are in alphabetical order. Reading goes through the `safetensors` crate.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use vlpt_base::atomic_file::AtomicFile;
use vlpt_methods::head::HeadTensor;

use crate::{AdapterError, Result};

/// The longest header read: more than any of our files has, and read in a moment.
const MAX_HEADER: u64 = 16 << 20;

/// An f32 tensor with its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The shape.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub data: Vec<f32>,
}

impl From<Named> for HeadTensor {
    fn from(tensor: Named) -> Self {
        Self {
            shape: tensor.shape,
            values: tensor.data,
        }
    }
}

impl Named {
    /// A tensor of this shape and row-major values.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Self {
        Self {
            shape: shape.to_vec(),
            data,
        }
    }
}

/// Tensors by name, and metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorFile {
    /// The tensors.
    pub tensors: BTreeMap<String, Named>,
    /// Texts by name.
    pub metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.reserve(self.tensors.values().map(|t| t.data.len() * 4).sum());
        for tensor in self.tensors.values() {
            bytes.extend(tensor.data.iter().flat_map(|v| v.to_le_bytes()));
        }
        bytes
    }

    /// Writes the file tensor by tensor, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = AtomicFile::create(path)?;
        file.write_all(&self.head())?;
        for tensor in self.tensors.values() {
            let bytes: Vec<u8> = tensor.data.iter().flat_map(|v| v.to_le_bytes()).collect();
            file.write_all(&bytes)?;
        }
        file.commit()
    }

    /// The bytes before the values.
    fn head(&self) -> Vec<u8> {
        let mut entries = Map::new();
        let mut end = 0;
        for (name, tensor) in &self.tensors {
            let begin = end;
            end += tensor.data.len() * 4;
            let entry =
                json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, end]});
            entries.insert(name.clone(), entry);
        }
        header(&self.metadata, entries)
    }

    /// Reads a file of f32 tensors; `path` names it in errors.
    ///
    /// # Errors
    /// Bytes that are no such file.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |what: String| AdapterError::Damaged {
            path: path.to_owned(),
            what,
        };
        let (file, metadata) = open(bytes, path)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                let found = format!("tensor `{name}` is {:?}: expected F32", view.dtype());
                return Err(damaged(found));
            }
            let data = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            tensors.insert(name.to_owned(), Named::new(view.shape(), data));
        }
        Ok(Self { tensors, metadata })
    }

    /// Reads a file from the disk.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no file of f32 tensors.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_bytes(&fs_err::read(path)?, path)
    }
}

/// The tensors of a file, where they lie, and its metadata; `path` names it in errors.
///
/// # Errors
/// Bytes that are no whole file of tensors.
pub(crate) fn open<'b>(
    bytes: &'b [u8],
    path: &Path,
) -> Result<(SafeTensors<'b>, BTreeMap<String, String>)> {
    let damaged = |what: String| AdapterError::Damaged {
        path: path.to_owned(),
        what,
    };
    let broken = |error: safetensors::SafeTensorError| {
        damaged(format!("not a whole safetensors file: {error}"))
    };
    let length = bytes.first_chunk().map(|head| u64::from_le_bytes(*head));
    if let Some(length) = length.filter(|&length| length > MAX_HEADER) {
        return Err(damaged(format!(
            "not a whole safetensors file: its header has {length} bytes, expected at most \
             {MAX_HEADER}"
        )));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok((file, metadata.into_iter().collect()))
}

/// The bytes before the values of a file: metadata and entries of tensors as JSON, padded.
pub(crate) fn header(metadata: &BTreeMap<String, String>, entries: Map<String, Value>) -> Vec<u8> {
    let mut all = Map::new();
    if !metadata.is_empty() {
        all.insert("__metadata__".to_owned(), json!(metadata));
    }
    all.extend(entries);
    let mut text = Value::Object(all).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> TensorFile {
        let mut file = TensorFile::default();
        file.tensors.insert(
            "b".to_owned(),
            Named::new(&[2, 2], vec![1.0, -0.0, f32::MIN, 4.0]),
        );
        file.tensors
            .insert("a".to_owned(), Named::new(&[0], vec![]));
        for name in ["seed", "method", "model", "version"] {
            file.metadata
                .insert(name.to_owned(), format!("{name} \"\u{e9}\""));
        }
        file
    }

    #[test]
    fn what_is_written_is_read_back_to_the_bit() {
        let file = example();
        let bytes = file.to_bytes();
        assert_eq!(
            TensorFile::from_bytes(&bytes, Path::new("x")).unwrap(),
            file
        );
        assert_eq!(bytes, example().to_bytes());
    }

    #[test]
    fn a_damaged_file_is_refused_wherever_it_is_cut() {
        let bytes = example().to_bytes();
        for length in 0..bytes.len() {
            assert!(
                TensorFile::from_bytes(&bytes[..length], Path::new("x")).is_err(),
                "{length}"
            );
        }
    }
}
