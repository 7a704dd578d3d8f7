//! One hash for a model, whatever file it came from.

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use vlpt_base::hash::hex;

use super::{BlockWeights, ClipWeights, LayerNormWeights, LinearWeights};
use crate::config::ClipConfig;

/// Numbers turned into bytes at a time.
const CHUNK: usize = 1 << 14;

/// SHA-256, as lower-case hex, over the configuration and the SHA-256 of each tensor.
///
/// The tensors are the f32 values the towers use, in a fixed order and layout, as little-endian
/// bytes. So the same model has the same fingerprint as Hugging Face folder, OpenCLIP folder and
/// OpenAI archive, and f16 and f32 files agree where their values do.
pub(crate) fn fingerprint(config: &ClipConfig, weights: &ClipWeights) -> String {
    let digests: Vec<[u8; 32]> = tensors(weights).into_par_iter().map(digest).collect();
    let mut whole = Sha256::new();
    whole.update(b"vlpt-clip 1\n");
    whole.update(serde_json::to_vec(config).expect("a configuration is plain data"));
    for digest in digests {
        whole.update(digest);
    }
    hex(&whole.finalize())
}

/// Hashes the length, then the values.
fn digest(values: &[f32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update((values.len() as u64).to_le_bytes());
    let mut bytes = Vec::with_capacity(4 * CHUNK.min(values.len()));
    for chunk in values.chunks(CHUNK) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| value.to_le_bytes()));
        hasher.update(&bytes);
    }
    hasher.finalize().into()
}

/// All tensors in a fixed order.
fn tensors(weights: &ClipWeights) -> Vec<&[f32]> {
    let (text, vision) = (&weights.text, &weights.vision);
    let mut all: Vec<&[f32]> = vec![&text.token_embedding, &text.positional_embedding];
    blocks(&text.blocks, &mut all);
    norm(&text.ln_final, &mut all);
    all.extend([&text.projection[..], &vision.patch, &vision.class_embedding]);
    all.push(&vision.positional_embedding);
    norm(&vision.ln_pre, &mut all);
    blocks(&vision.blocks, &mut all);
    norm(&vision.ln_post, &mut all);
    all.extend([
        &vision.projection[..],
        std::slice::from_ref(&weights.logit_scale),
    ]);
    all
}

fn blocks<'a>(blocks: &'a [BlockWeights], all: &mut Vec<&'a [f32]>) {
    for block in blocks {
        norm(&block.ln_1, all);
        linear(&block.qkv, all);
        linear(&block.out, all);
        norm(&block.ln_2, all);
        linear(&block.fc1, all);
        linear(&block.fc2, all);
    }
}

fn norm<'a>(layer: &'a LayerNormWeights, all: &mut Vec<&'a [f32]>) {
    all.extend([&layer.weight[..], &layer.bias]);
}

fn linear<'a>(layer: &'a LinearWeights, all: &mut Vec<&'a [f32]>) {
    all.extend([&layer.weight[..], &layer.bias]);
}
