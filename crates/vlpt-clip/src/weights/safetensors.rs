//! Reading the table of a safetensors file; the tensors stay where they are.

use std::io::SeekFrom;

use safetensors::tensor::{Dtype as StDtype, Metadata};

use super::dtype::Dtype;
use super::store::{Stored, TensorStore};
use crate::error::{ClipError, Result};
use crate::files::ReadSeek;

/// The longest header read: the largest CLIP has some thousand tensors of a hundred bytes each. The
/// format allows 100 MB, a million tensors.
const MAX_HEADER: u64 = 16 << 20;

/// First bytes of the small text file that git leaves in place of a large one.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// Adds the tensors of one file to the store.
///
/// # Errors
/// When the header is damaged, or the file is shorter or longer than its header says.
pub(crate) fn add(
    store: &mut TensorStore,
    place: &str,
    mut reader: Box<dyn ReadSeek>,
) -> Result<()> {
    let damaged = |what: String| ClipError::weight_file(place, what);
    let length = reader
        .seek(SeekFrom::End(0))
        .map_err(|error| damaged(error.to_string()))?;
    reader
        .seek(SeekFrom::Start(0))
        .map_err(|error| damaged(error.to_string()))?;
    if length < 8 {
        return Err(damaged(format!(
            "{length} bytes, too short for a safetensors file"
        )));
    }
    let mut head = vec![0; 8];
    reader
        .read_exact(&mut head)
        .map_err(|error| damaged(error.to_string()))?;
    let header = u64::from_le_bytes(head[..8].try_into().expect("eight bytes"));
    if header > MAX_HEADER || header > length - 8 {
        if LFS_POINTER.starts_with(&head) {
            return Err(lfs_pointer(place));
        }
        if header <= length - 8 {
            return Err(damaged(format!(
                "the header has {header} bytes, far more than the names of a CLIP model's tensors \
                 take: expected at most {MAX_HEADER}"
            )));
        }
        return Err(damaged(format!(
            "the header is said to have {header} bytes, the file has {length}: \
             not a safetensors file, or cut off"
        )));
    }
    head.resize(8 + header as usize, 0);
    reader
        .read_exact(&mut head[8..])
        .map_err(|error| damaged(error.to_string()))?;
    let metadata: Metadata = serde_json::from_slice(&head[8..])
        .map_err(|error| damaged(format!("safetensors header: {error}")))?;
    let expected = 8 + header + metadata.data_len() as u64;
    if length != expected {
        let word = if length < expected {
            "cut off"
        } else {
            "with bytes after its end"
        };
        return Err(damaged(format!(
            "{word}: {length} bytes, the header says {expected}"
        )));
    }
    let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
    tensors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let file = store.add_file(place.to_owned(), reader);
    for (name, info) in tensors {
        let stored = Stored {
            dtype: dtype(info.dtype),
            shape: info.shape.clone(),
            strides: None,
            file,
            start: 8 + header + info.data_offsets.0 as u64,
            span: info.shape.iter().product(),
        };
        store.insert(name, stored)?;
    }
    Ok(())
}

/// The error for a file that git did not download.
pub(crate) fn lfs_pointer(place: &str) -> ClipError {
    ClipError::WeightFile {
        file: place.to_owned(),
        what: "a git LFS pointer, not the weights themselves".to_owned(),
        hint: Some("run `git lfs pull` in the model's folder".to_owned()),
    }
}

fn dtype(stored: StDtype) -> Dtype {
    match stored {
        StDtype::F32 => Dtype::F32,
        StDtype::F16 => Dtype::F16,
        StDtype::BF16 => Dtype::Bf16,
        StDtype::F64 => Dtype::F64,
        StDtype::I64 => Dtype::Other("i64", 8),
        StDtype::I32 => Dtype::Other("i32", 4),
        StDtype::BOOL => Dtype::Other("bool", 1),
        StDtype::U8 => Dtype::Other("u8", 1),
        _ => Dtype::Other("a number format other than f32, f16, bf16 and f64", 0),
    }
}
