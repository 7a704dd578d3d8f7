//! The tensors of a model's weight files, with the bytes that they have there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use vlpt_clip::{Checkpoint, Clip, ClipError, FileSource, ModelFiles};

use crate::Result;

/// What training on several devices puts before every name; loading takes it off.
const PARALLEL: &str = "module.";

/// A tensor as it is written.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    /// A part of a file.
    Part(Arc<Cow<'static, [u8]>>, Range<usize>),
    Own(Vec<u8>),
}

impl Stored {
    /// Its values, little-endian and row-major.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Part(file, range) => &file[range.clone()],
            Bytes::Own(bytes) => bytes,
        }
    }

    /// Gives it other values of the same shape.
    pub(super) fn replace(&mut self, dtype: Dtype, bytes: Vec<u8>) {
        self.dtype = dtype;
        self.bytes = Bytes::Own(bytes);
    }
}

/// Reads the weight files that `clip` was loaded from.
///
/// # Errors
/// A file that cannot be read or is damaged.
pub(super) fn read(files: &ModelFiles, clip: &Clip) -> Result<BTreeMap<String, Stored>> {
    let mut tensors = BTreeMap::new();
    for place in &clip.report.files {
        let name = Path::new(place).file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let source = files.source(&name).ok_or_else(|| ClipError::MissingFile {
            place: files.name.clone(),
            wanted: name.to_string(),
            hint: None,
        })?;
        match source {
            FileSource::Disk(path) if !name.ends_with(".safetensors") => {
                tensors.extend(pytorch(path)?);
            }
            FileSource::Disk(path) => {
                tensors.extend(safe(place, Cow::Owned(fs_err::read(path)?))?);
            }
            FileSource::Embedded(bytes) => tensors.extend(safe(place, Cow::Borrowed(bytes))?),
        }
    }
    if tensors
        .keys()
        .all(|name: &String| name.starts_with(PARALLEL))
    {
        let bare = |name: String| name[PARALLEL.len()..].to_owned();
        tensors = tensors
            .into_iter()
            .map(|(name, t)| (bare(name), t))
            .collect();
    }
    Ok(tensors)
}

/// The tensors of a safetensors file.
fn safe(place: &str, bytes: Cow<'static, [u8]>) -> Result<Vec<(String, Stored)>> {
    let damaged = |error: safetensors::SafeTensorError| ClipError::WeightFile {
        file: place.to_owned(),
        what: error.to_string(),
        hint: None,
    };
    let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let bytes = Arc::new(bytes);
    let start = bytes.len() - metadata.data_len();
    debug_assert_eq!(start, header + size_of::<u64>());
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else {
            continue;
        };
        let (from, to) = info.data_offsets;
        let stored = Stored {
            dtype: info.dtype,
            shape: info.shape.clone(),
            bytes: Bytes::Part(Arc::clone(&bytes), start + from..start + to),
        };
        tensors.push((name, stored));
    }
    Ok(tensors)
}

/// The tensors of floats of a file of PyTorch's; a model has no others but buffers that no tower
/// needs.
fn pytorch(path: &Path) -> Result<Vec<(String, Stored)>> {
    let mut checkpoint = Checkpoint::open(path)?;
    let mut tensors = Vec::new();
    for tensor in checkpoint.tensors() {
        let numbers = match tensor.dtype {
            "f16" => Numbers::F16,
            "bf16" => Numbers::Bf16,
            _ if tensor.float => Numbers::F32,
            _ => continue,
        };
        let values = checkpoint.read(&tensor.name)?.data;
        let stored = Stored {
            dtype: numbers.dtype(),
            shape: tensor.shape,
            bytes: Bytes::Own(numbers.encode(&values)),
        };
        tensors.push((tensor.name, stored));
    }
    Ok(tensors)
}

/// Copies a file and waits until it is on the disk.
///
/// # Errors
/// It cannot be read or written.
pub(super) fn copy(files: &ModelFiles, file: &str, to: &Path) -> Result<()> {
    match files.source(file) {
        None => return Ok(()),
        Some(FileSource::Disk(path)) => fs_err::write(to, fs_err::read(path)?)?,
        Some(FileSource::Embedded(bytes)) => fs_err::write(to, bytes)?,
    }
    sync(to)
}

/// Waits until a file is on the disk.
///
/// # Errors
/// It cannot be written.
pub(super) fn sync(path: &Path) -> Result<()> {
    let file = fs_err::OpenOptions::new().write(true).open(path)?;
    Ok(file.sync_all()?)
}

/// The number formats of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    F32,
    F16,
    Bf16,
    /// Read as f32, as loading does.
    F64,
}

impl Numbers {
    pub(super) fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            Dtype::F64 => Some(Self::F64),
            _ => None,
        }
    }

    pub(super) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
            Self::F64 => Dtype::F64,
        }
    }

    /// Little-endian numbers as f32.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn all<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|b| value(*b)).collect()
        }
        match self {
            Self::F32 => all(bytes, f32::from_le_bytes),
            Self::F16 => all(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => all(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F64 => all(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }

    /// Numbers as little-endian bytes, each rounded to the nearest.
    pub(super) fn encode(self, values: &[f32]) -> Vec<u8> {
        let values = values.iter();
        match self {
            Self::F32 => values.flat_map(|v| v.to_le_bytes()).collect(),
            Self::F16 => values
                .flat_map(|v| f16::from_f32(*v).to_le_bytes())
                .collect(),
            Self::Bf16 => values
                .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
                .collect(),
            Self::F64 => values.flat_map(|v| f64::from(*v).to_le_bytes()).collect(),
        }
    }
}
