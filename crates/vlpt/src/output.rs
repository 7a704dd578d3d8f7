//! Arrays as files that others read: NumPy and safetensors. Written beside their place, synced, renamed.

use std::io::Write;
use std::path::Path;

use crate::error::CliError;

/// Writes `bytes` to `path` so that a reader sees the old file or the whole new one.
///
/// # Errors
/// The folder does not exist or cannot be written, or the disk is full; nothing is left behind.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let name = path.display();
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let explain =
        |e: std::io::Error| std::io::Error::new(e.kind(), format!("cannot write {name}: {e}"));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(explain)?;
    file.write_all(bytes).map_err(explain)?;
    file.as_file().sync_all().map_err(explain)?;
    file.persist(path).map_err(|e| explain(e.error))?;
    Ok(())
}

/// The bytes of a NumPy `.npy` file, version 1.0, little-endian f32 in C order.
fn npy(data: &[f32], shape: &[usize]) -> Vec<u8> {
    let dims: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}",
        dims.join(", ")
    );
    // Magic, version, length and header together fill a multiple of 64 bytes; the header ends in a line feed.
    let unpadded = 10 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = Vec::with_capacity(10 + header.len() + data.len() * 4);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for value in data {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Writes an f32 array as `.npy`.
pub(crate) fn write_npy(path: &Path, data: &[f32], shape: &[usize]) -> Result<(), CliError> {
    write_atomically(path, &npy(data, shape))
}

/// Writes one f32 array called `name` with string metadata as safetensors.
pub(crate) fn write_safetensors(
    path: &Path,
    name: &str,
    data: &[f32],
    shape: &[usize],
    metadata: &[(&str, String)],
) -> Result<(), CliError> {
    let raw: Vec<u8> = data.iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), &raw)
        .map_err(|e| CliError::failure(format!("cannot lay out {}: {e}", path.display())))?;
    let metadata = metadata
        .iter()
        .map(|(k, v)| ((*k).to_owned(), v.clone()))
        .collect();
    let bytes = safetensors::serialize([(name, view)], Some(metadata))
        .map_err(|e| CliError::failure(format!("cannot lay out {}: {e}", path.display())))?;
    write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::npy;

    #[test]
    fn an_npy_header_fills_64_bytes_and_names_the_shape() {
        let bytes = npy(&[1.0, 2.0], &[2]);
        assert_eq!(bytes.len() % 64, 8);
        assert!(
            String::from_utf8_lossy(&bytes[10..])
                .starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")
        );
    }
}
