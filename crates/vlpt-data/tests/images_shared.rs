//! Tensors equal to the reference tensors beside the repository, made with torchvision.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use vlpt_data::image::{Limits, Preprocess, decode};

#[derive(serde::Deserialize)]
struct Batch {
    image_filename: Vec<String>,
}

/// The f32 values of a version 1 `.npy` file in C order.
fn read_npy(path: &Path) -> Vec<f32> {
    let bytes = fs_err::read(path).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..10 + header]);
    assert!(
        text.contains("'<f4'") && text.contains("'fortran_order': False"),
        "{text}"
    );
    let values = bytes[10 + header..].chunks_exact(4);
    values
        .map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]))
        .collect()
}

#[test]
fn every_value_equals_the_reference_batches() {
    let shared = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let folder: PathBuf = shared.join("fixtures/preprocess");
    if !folder.is_dir() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: no reference tensors at {}\n", folder.display()),
        );
        return;
    }
    let preprocess = Preprocess::default();
    let mut images = 0;
    for batch in 0..4 {
        let text = fs_err::read_to_string(folder.join(format!("image_embs_{batch}.json"))).unwrap();
        let names: Batch = serde_json::from_str(&text).unwrap();
        let expected = read_npy(&folder.join(format!("image_tensor_{batch}.npy")));
        let size = 3 * 224 * 224;
        assert_eq!(expected.len(), names.image_filename.len() * size);
        for (name, expected) in names.image_filename.iter().zip(expected.chunks_exact(size)) {
            let path = folder.join(format!("{name}.jpg"));
            let bytes = fs_err::read(&path).unwrap();
            let image = decode(&bytes, &path.display().to_string(), &Limits::default()).unwrap();
            let tensor = preprocess.apply(&image);
            let differing = tensor.iter().zip(expected).filter(|(a, b)| a != b).count();
            assert_eq!(differing, 0, "values of {name} that differ");
            images += 1;
        }
    }
    assert_eq!(images, 7);
}
