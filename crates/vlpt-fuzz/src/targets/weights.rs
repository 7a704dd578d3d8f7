//! Files of weights.

use std::collections::BTreeMap;
use std::path::Path;

use vlpt_adapter::TensorFile;
use vlpt_clip::{Checkpoint, Clip, FileSource, ModelFiles};

use crate::parts::{split, zipped};
use crate::promise::told;
use crate::scratch::Scratch;

/// Reads a safetensors file; one that is accepted is written and read again.
pub(super) fn safetensors(bytes: &[u8]) -> bool {
    let path = Path::new("input.safetensors");
    match TensorFile::from_bytes(bytes, path) {
        Ok(file) => {
            let again = TensorFile::from_bytes(&file.to_bytes(), path).expect("as it was written");
            let bits = |file: &TensorFile| -> Vec<(String, Vec<usize>, Vec<u32>)> {
                let values = |data: &[f32]| data.iter().map(|value| value.to_bits()).collect();
                file.tensors
                    .iter()
                    .map(|(name, t)| (name.clone(), t.shape.clone(), values(&t.data)))
                    .collect()
            };
            assert_eq!(bits(&file), bits(&again));
            true
        }
        Err(error) => told(&error, error.hint()),
    }
}

/// Loads a model of this configuration, preprocessing and weight file, with the tokenizer of the
/// small model inside the program.
pub(super) fn model_folder(bytes: &[u8]) -> bool {
    let [config, preprocessor, weights] = split::<3>(bytes);
    let scratch = Scratch::new();
    let mini = ModelFiles::mini();
    let mut files: BTreeMap<String, FileSource> = ["vocab.json", "merges.txt"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), mini.source(name)?.clone())))
        .collect();
    for (name, bytes) in [
        ("config.json", config),
        ("preprocessor_config.json", preprocessor),
        ("model.safetensors", weights),
    ] {
        files.insert(name.to_owned(), FileSource::Disk(scratch.file(name, bytes)));
    }
    match Clip::load(&ModelFiles::new("input", files)) {
        Ok(_) => true,
        Err(error) => told(&error, error.hint()),
    }
}

/// Opens a checkpoint and reads every tensor.
pub(super) fn checkpoint(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    let path = scratch.file("model.pth", bytes);
    let mut checkpoint = match Checkpoint::open(&path) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return told(&error, error.hint()),
    };
    let mut accepted = true;
    for tensor in checkpoint.tensors() {
        match checkpoint.read(&tensor.name) {
            Ok(read) => {
                assert_eq!(read.data.len(), tensor.shape.iter().product::<usize>());
                assert!(read.data.iter().all(|value| value.is_finite()));
            }
            Err(error) => accepted = told(&error, error.hint()),
        }
    }
    accepted
}

/// Runs a pickle through the machine, beside two storages of 64 bytes.
pub(super) fn pickle(bytes: &[u8]) -> bool {
    checkpoint(&zipped(bytes))
}
