//! Tensors of one or many files by name, read one by one where they lie.

use std::collections::BTreeMap;
use std::io::SeekFrom;

use super::Tensor;
use super::dtype::Dtype;
use crate::error::{ClipError, Result};
use crate::files::ReadSeek;

/// Bytes read from a file at a time.
const CHUNK: usize = 1 << 20;

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Steps between neighbours of each dimension, in numbers; `None` for row-major.
    pub(crate) strides: Option<Vec<usize>>,
    /// Which file of the store.
    pub(crate) file: usize,
    /// Byte position of the first number in the file.
    pub(crate) start: u64,
    /// Numbers from the first to the last, both included: checked to lie in the file.
    pub(crate) span: usize,
}

/// The tensors of a model before they are read.
#[derive(Default)]
pub(crate) struct TensorStore {
    files: Vec<(String, Box<dyn ReadSeek>)>,
    entries: BTreeMap<String, Stored>,
}

impl TensorStore {
    /// Adds an open file; the number names it in [`Stored::file`].
    pub(crate) fn add_file(&mut self, place: String, reader: Box<dyn ReadSeek>) -> usize {
        self.files.push((place, reader));
        self.files.len() - 1
    }

    /// Adds a tensor of a file.
    ///
    /// # Errors
    /// When a tensor of that name is there already.
    pub(crate) fn insert(&mut self, name: String, stored: Stored) -> Result<()> {
        let file = stored.file;
        if let Some(first) = self.entries.get(&name) {
            let what = format!("tensor {name:?} is also in {}", self.files[first.file].0);
            return Err(ClipError::weight_file(self.files[file].0.clone(), what));
        }
        self.entries.insert(name, stored);
        Ok(())
    }

    /// Names and places, sorted by name.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Stored> {
        &self.entries
    }

    /// Takes a prefix off every name, when every name has it (`module.` of parallel training).
    pub(crate) fn strip_common_prefix(&mut self, prefix: &str) {
        if !self.entries.is_empty() && self.entries.keys().all(|name| name.starts_with(prefix)) {
            self.entries = std::mem::take(&mut self.entries)
                .into_iter()
                .map(|(name, stored)| (name[prefix.len()..].to_owned(), stored))
                .collect();
        }
    }

    /// How messages name the files.
    pub(crate) fn place(&self) -> String {
        match self.files.as_slice() {
            [] => "no file".to_owned(),
            [(place, _)] => place.clone(),
            [(place, _), rest @ ..] => format!("{place} and {} more", rest.len()),
        }
    }

    /// Names of the files.
    pub(crate) fn file_names(&self) -> Vec<String> {
        self.files.iter().map(|(place, _)| place.clone()).collect()
    }

    /// Reads one tensor.
    ///
    /// # Errors
    /// When there is none of that name, when it is not made of floats, or when reading fails.
    pub(crate) fn read(&mut self, name: &str) -> Result<Tensor> {
        let Some(stored) = self.entries.get(name) else {
            return Err(ClipError::Tensors {
                file: self.place(),
                problems: vec![format!("{name}: missing")],
            });
        };
        let (place, reader) = &mut self.files[stored.file];
        if !stored.dtype.is_float() {
            let what = format!("{name}: {} numbers, expected floats", stored.dtype.name());
            return Err(ClipError::weight_file(place.clone(), what));
        }
        let failed = |error: std::io::Error| {
            ClipError::weight_file(place.clone(), format!("reading tensor {name:?}: {error}"))
        };
        reader.seek(SeekFrom::Start(stored.start)).map_err(failed)?;
        let mut values = Vec::with_capacity(stored.span);
        let mut left = stored.span * stored.dtype.size();
        let mut buffer = vec![0; left.min(CHUNK)];
        while left > 0 {
            let now = left.min(CHUNK);
            reader.read_exact(&mut buffer[..now]).map_err(failed)?;
            stored.dtype.decode(&buffer[..now], &mut values);
            left -= now;
        }
        let data = match &stored.strides {
            None => values,
            Some(strides) => gather(&values, &stored.shape, strides),
        };
        Ok(Tensor {
            shape: stored.shape.clone(),
            data,
        })
    }
}

/// Row-major copy of a strided tensor.
fn gather(values: &[f32], shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    let mut data = Vec::with_capacity(count);
    for _ in 0..count {
        data.push(
            values[index
                .iter()
                .zip(strides)
                .map(|(i, step)| i * step)
                .sum::<usize>()],
        );
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_view_is_read_in_its_own_order() {
        let mut store = TensorStore::default();
        let bytes: Vec<u8> = (0..6u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
        let file = store.add_file("memory".to_owned(), Box::new(std::io::Cursor::new(bytes)));
        let stored = Stored {
            dtype: Dtype::F32,
            shape: vec![3, 2],
            strides: Some(vec![1, 3]),
            file,
            start: 0,
            span: 6,
        };
        store.insert("t".to_owned(), stored).unwrap();
        assert_eq!(
            store.read("t").unwrap().data,
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
        );
    }

    #[test]
    fn every_float_format_is_converted_exactly() {
        let mut out = Vec::new();
        Dtype::F16.decode(&half::f16::from_f32(-1.5).to_le_bytes(), &mut out);
        Dtype::Bf16.decode(&half::bf16::from_f32(3.0).to_le_bytes(), &mut out);
        Dtype::F64.decode(&0.25f64.to_le_bytes(), &mut out);
        assert_eq!(out, [-1.5, 3.0, 0.25]);
    }
}
