//! A classifier as plain matrices: `classifier.safetensors` and NumPy's `.npy`.

use std::collections::BTreeMap;
use std::path::Path;

use vlpt_adapter::{Named, TensorFile};
use vlpt_base::files::write_atomic;

use crate::classifier_folder::{Exported, Source};
use crate::error::{ExportError, Result};
use crate::folder::{new_folder, sizes};
use crate::nets::{HeadMatrices, LinearMap};

/// Writes `out` with `classifier.safetensors` (`weight`, classes x embed, `bias`, classes), the same as
/// `weight.npy` and `bias.npy`, and `class_names.txt`. A logit is `weight u + bias`, with `u` an image's feature
/// divided by its length, or as it is where the metadata says `normalised` false; logit scale and temperature are
/// in the numbers. A second feature of an image has `row_weight`.
///
/// # Errors
/// A classifier that is no matrix, a folder that exists, or files that cannot be written.
pub fn write_matrix(source: &Source, out: &Path) -> Result<Exported> {
    let head = HeadMatrices::new(source.classifier.parts(), source.temperature)?;
    if head.cache.is_some() {
        return Err(ExportError::unsupported(
            "a cache of training images is no matrix of classes",
            "export it as a graph: --format onnx",
        ));
    }
    let classes = &source.classifier.classes;
    let embed = source.classifier.embed;
    let mut tensors = BTreeMap::new();
    let shape = [classes.len(), embed];
    let LinearMap {
        weight,
        bias,
        normalised,
    } = head.class;
    tensors.insert("weight", Named::new(&shape, weight));
    let bias = bias.unwrap_or_else(|| vec![0.0; classes.len()]);
    tensors.insert("bias", Named::new(&shape[..1], bias));
    if let Some(rows) = head.rows {
        tensors.insert("row_weight", Named::new(&shape, rows.weight));
    }
    let mut notes = Vec::new();
    if source.classifier.visual.is_some() {
        notes.push(
            "the image tower was changed too: these matrices are for features of `--format onnx-towers`, not of \
             the model as it is"
                .to_owned(),
        );
    }
    new_folder(out, |folder| {
        for (name, tensor) in &tensors {
            write_atomic(&folder.join(format!("{name}.npy")), &npy(tensor))?;
        }
        let named = tensors.iter();
        let file = TensorFile {
            tensors: named
                .map(|(name, tensor)| ((*name).to_owned(), tensor.clone()))
                .collect(),
            metadata: BTreeMap::from([
                ("base_model".to_owned(), source.clip.name.clone()),
                ("normalised".to_owned(), normalised.to_string()),
                ("temperature".to_owned(), source.temperature.to_string()),
                ("classes".to_owned(), serde_json::json!(classes).to_string()),
            ]),
        };
        write_atomic(&folder.join("classifier.safetensors"), &file.to_bytes())?;
        let names = classes.join("\n") + "\n";
        write_atomic(&folder.join("class_names.txt"), names.as_bytes())?;
        let readme = readme(source, normalised, tensors.contains_key("row_weight"));
        write_atomic(&folder.join("README.md"), readme.as_bytes())?;
        Ok(Exported {
            files: sizes(folder)?,
            checked: BTreeMap::new(),
            notes,
        })
    })
}

fn readme(source: &Source, normalised: bool, rows: bool) -> String {
    let feature = if normalised {
        "an image's feature divided by its length"
    } else {
        "an image's feature as the tower gives it"
    };
    let mut text = format!(
        "# {} classes as a matrix\n\n{}\n\n`logits = weight @ u + bias`, with `u` {feature}. Logit scale and \
         temperature are in the numbers.\n",
        source.classifier.classes.len(),
        source.about,
    );
    if rows {
        text += "`row_weight @ r` is added, with `r` the second feature (`row_embeds`) divided by its length.\n";
    }
    text
}

/// A matrix as NumPy saves it, format version 1.0.
fn npy(tensor: &Named) -> Vec<u8> {
    let lengths: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
    let mut shape = lengths.join(", ");
    if lengths.len() == 1 {
        // a tuple of one
        shape.push(',');
    }
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}").into_bytes();
    // the numbers begin at a multiple of 64
    let start = (10 + header.len() + 1).next_multiple_of(64);
    header.resize(start - 11, b' ');
    header.push(b'\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header);
    bytes.extend(tensor.data.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.save` of `numpy.array([1.0, -2.0, 0.5], "<f4")`, NumPy 2.3.
    #[test]
    fn a_row_is_written_as_numpy_writes_it() {
        let bytes = npy(&Named::new(&[3], vec![1.0, -2.0, 0.5]));
        let head =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(&bytes[..head.len()], head);
        assert_eq!(bytes.len(), 128 + 12);
        assert_eq!(bytes[127], b'\n');
        assert_eq!(bytes[128..132], 1.0_f32.to_le_bytes());
        let matrix = npy(&Named::new(&[1, 2], vec![1.0, 2.0]));
        assert!(String::from_utf8_lossy(&matrix[10..90]).contains("'shape': (1, 2), }"));
    }
}
