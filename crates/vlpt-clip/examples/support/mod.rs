//! What the measuring programs share.

#![allow(dead_code, reason = "each program uses a part")]

use vlpt_clip::{Activation, ClipConfig, Precision, PromptToken, TextConfig, VisionConfig};

const START: u32 = 49_406;
const END: u32 = 49_407;

/// The sizes of ViT-B/16.
pub(crate) fn b16() -> ClipConfig {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    ClipConfig {
        embed_dim: 512,
        text: TextConfig {
            width: 512,
            layers: 12,
            heads: 8,
            mlp: 2048,
            context_length: 77,
            vocab_size: 49_408,
            eot_token: END,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 768,
            layers: 12,
            heads: 12,
            mlp: 3072,
            image_size: 224,
            patch_size: 16,
            activation,
            layer_norm_eps,
        },
    }
}

/// A number that looks random, of a position.
pub(crate) fn mixed(i: usize) -> u32 {
    (i as u32).wrapping_mul(2_654_435_761) >> 12
}

/// Numbers between -0.5 and 0.5.
pub(crate) fn numbers(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| mixed(i) as f32 / (1 << 20) as f32 - 0.5)
        .collect()
}

/// Start, contexts, a name of 1 to 3 tokens, a full stop, end. `how` is `end` (a shared context
/// before the name), `front` (behind it) or `specific` (a context of its own for every class).
pub(crate) fn texts(classes: usize, contexts: usize, how: &str) -> Vec<Vec<PromptToken>> {
    let text = |class: usize| {
        let first = if how == "specific" {
            class * contexts
        } else {
            0
        };
        let context = (first..first + contexts).map(|row| PromptToken::Learned(row as u32));
        let name = (0..=class % 3).map(|i| PromptToken::Token(mixed(3 * class + i) % 40_000));
        let mut text = vec![PromptToken::Token(START)];
        if how == "front" {
            text.extend(name.chain(context));
        } else {
            text.extend(context.chain(name));
        }
        text.extend([PromptToken::Token(269), PromptToken::Token(END)]);
        text
    };
    (0..classes).map(text).collect()
}

/// A line of the process's status, in MiB; on Linux alone.
pub(crate) fn status(name: &str) -> Option<f64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// The number format of a program's argument; the machine's default where there is none.
pub(crate) fn precision(argument: Option<&str>) -> Result<Precision, String> {
    match argument {
        None => Ok(Precision::fastest()),
        Some("f32") => Ok(Precision::F32),
        Some("bf16") => Ok(Precision::Bf16),
        Some(other) => Err(format!("precision {other}: f32 or bf16")),
    }
}
