//! Files of a model folder.

use std::collections::BTreeMap;

use vlpt_adapter::{Named, TensorFile};

use crate::parts::join;

pub(crate) fn safetensors() -> Vec<Vec<u8>> {
    let mut file = TensorFile::default();
    let empty = file.to_bytes();
    file.tensors
        .insert("ctx".to_owned(), Named::new(&[2, 3], vec![0.5; 6]));
    file.tensors
        .insert("scale".to_owned(), Named::new(&[], vec![-1.0]));
    let two = file.to_bytes();
    file.metadata = BTreeMap::from([("format".to_owned(), "1".to_owned())]);
    vec![empty, two, file.to_bytes(), half()]
}

/// Half-precision and whole numbers, as others write them.
fn half() -> Vec<u8> {
    let header = br#"{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"n":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0; 12]].concat()
}

const HUGGING_FACE: &str = r#"{"architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": 16,
"text_config": {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2,
"vocab_size": 4096, "max_position_embeddings": 77, "hidden_act": "quick_gelu", "eos_token_id": 4095, "bos_token_id": 4094},
"vision_config": {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2,
"image_size": 32, "patch_size": 8, "hidden_act": "quick_gelu"}}"#;

const PREPROCESSOR: &str = r#"{"crop_size": {"height": 32, "width": 32}, "do_center_crop": true, "do_normalize": true,
"do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 3, "size": {"shortest_edge": 32}}"#;

pub(crate) fn model_folders() -> Vec<Vec<u8>> {
    safetensors()
        .iter()
        .skip(1)
        .map(|weights| join(&[HUGGING_FACE.as_bytes(), PREPROCESSOR.as_bytes(), weights]))
        .collect()
}

/// All bytes, one merge, and the two special texts.
pub(crate) fn vocabularies() -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    let letters = (b'a'..=b'z').map(char::from);
    for letter in letters {
        entries.push(format!("\"{letter}\": {}", entries.len()));
        entries.push(format!("\"{letter}</w>\": {}", entries.len()));
    }
    for text in ["do", "dog</w>", "<|startoftext|>", "<|endoftext|>"] {
        entries.push(format!("\"{text}\": {}", entries.len()));
    }
    let vocabulary = format!("{{{}}}", entries.join(", "));
    let merges = "#version: 0.2\nd o\ndo g</w>\n";
    vec![join(&[vocabulary.as_bytes(), merges.as_bytes(), b"a dog"])]
}
