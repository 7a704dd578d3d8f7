//! Arrays as files that others read: NumPy and safetensors. Written beside their place, synced, renamed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use vlpt_base::atomic_file::AtomicFile;

use crate::error::CliError;

/// What precedes the values in a NumPy `.npy` file, version 1.0: little-endian f32 in C order.
fn npy_header(shape: &[usize]) -> Vec<u8> {
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
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// What precedes the values in a safetensors file of one f32 array called `name`.
fn safetensors_header(
    name: &str,
    shape: &[usize],
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, CliError> {
    let bytes = shape.iter().product::<usize>() * size_of::<f32>();
    // Sorted by name, as the safetensors library writes it.
    let metadata: BTreeMap<&str, &String> = metadata.iter().map(|(k, v)| (*k, v)).collect();
    let header = serde_json::json!({
        "__metadata__": metadata,
        name: {"dtype": "F32", "shape": shape, "data_offsets": [0, bytes]},
    });
    let mut header = serde_json::to_vec(&header).map_err(|e| CliError::failure(e.to_string()))?;
    // The values begin at a multiple of 8 bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut whole = (header.len() as u64).to_le_bytes().to_vec();
    whole.extend(header);
    Ok(whole)
}

/// Little-endian bytes.
pub(crate) fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Writes an f32 array as `.npy`.
pub(crate) fn write_npy(path: &Path, data: &[f32], shape: &[usize]) -> Result<(), CliError> {
    write_npy_from(path, &mut &*bytes(data), shape)
}

/// As [`write_npy`], the values read as little-endian bytes.
pub(crate) fn write_npy_from(
    path: &Path,
    values: &mut dyn Read,
    shape: &[usize],
) -> Result<(), CliError> {
    write_array(path, &npy_header(shape), values)
}

/// Writes one f32 array called `name` with string metadata as safetensors, its values read as
/// little-endian bytes.
pub(crate) fn write_safetensors_from(
    path: &Path,
    name: &str,
    values: &mut dyn Read,
    shape: &[usize],
    metadata: &[(&str, String)],
) -> Result<(), CliError> {
    write_array(path, &safetensors_header(name, shape, metadata)?, values)
}

fn write_array(path: &Path, header: &[u8], values: &mut dyn Read) -> Result<(), CliError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(header)?;
    std::io::copy(values, &mut file)?;
    Ok(file.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_npy_header_fills_64_bytes_and_names_the_shape() {
        let header = npy_header(&[2]);
        assert_eq!(header.len() % 64, 0);
        assert!(
            String::from_utf8_lossy(&header[10..])
                .starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")
        );
    }

    #[test]
    fn a_safetensors_file_is_the_one_that_the_library_writes() {
        let values = [1.0_f32, -2.5, 3.0, 0.0, 7.0, 1e-9];
        let raw = bytes(&values);
        let metadata = [
            ("names", "[\"a\"]".to_owned()),
            ("model", "mini".to_owned()),
        ];
        let mut ours = safetensors_header("features", &[2, 3], &metadata).unwrap();
        ours.extend(&raw);
        let tensors = safetensors::SafeTensors::deserialize(&ours).unwrap();
        let view = tensors.tensor("features").unwrap();
        assert_eq!((view.shape(), view.data()), (&[2, 3][..], &*raw));
        let (_, read) = safetensors::SafeTensors::read_metadata(&ours).unwrap();
        let read = read.metadata().clone().unwrap();
        assert_eq!(read["names"], "[\"a\"]");
        assert_eq!(read["model"], "mini");
    }
}
