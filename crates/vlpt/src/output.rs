//! Arrays as files that others read: NumPy and safetensors. Written beside their place, synced, renamed.

use std::path::Path;

use vlpt_base::files::write_atomic;

use crate::error::CliError;

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
    Ok(write_atomic(path, &npy(data, shape))?)
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
    Ok(write_atomic(path, &bytes)?)
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
