//! Files that hold images as pixels.

use vlpt_data::OpenOptions;

use super::archives::opened;
use crate::parts::split;
use crate::scratch::Scratch;

/// A pickled batch that is the images and the names of CIFAR-10 at once.
pub(super) fn cifar_batch(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    for number in 1..=5 {
        scratch.file(&format!("data_batch_{number}"), bytes);
    }
    scratch.file("test_batch", bytes);
    scratch.file("batches.meta", bytes);
    opened(&scratch, &OpenOptions::default())
}

/// Images and labels as idx files; packed ones where they begin like gzip.
pub(super) fn idx(bytes: &[u8]) -> bool {
    let [images, labels] = split::<2>(bytes);
    let scratch = Scratch::new();
    for part in ["train", "t10k"] {
        for (kind, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let ending = if bytes.starts_with(&[0x1f, 0x8b]) {
                ".gz"
            } else {
                ""
            };
            scratch.file(&format!("{part}-{kind}-ubyte{ending}"), bytes);
        }
    }
    opened(&scratch, &OpenOptions::default())
}
