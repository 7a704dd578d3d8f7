//! OpenAI's own archives carry no configuration: sizes are read off the shapes.

use super::{activation_unknown, agree};
use crate::config::{Activation, ClipConfig, TextConfig, VisionConfig};
use crate::error::{ClipError, Result};
use crate::weights::store::TensorStore;

/// Width of an attention head in every OpenAI model.
const HEAD_WIDTH: usize = 64;

/// Sizes from shapes, by OpenAI's own rules: a head for every 64 of the width, the image as wide
/// as its patches. `scripted`: the file is a TorchScript archive, which only OpenAI made; those
/// models have QuickGELU.
///
/// # Errors
/// When a tensor that shows a size is missing, or nothing says the activation.
pub(super) fn infer(
    store: &TensorStore,
    scripted: bool,
    said: Option<Activation>,
) -> Result<ClipConfig> {
    let file = store.place();
    let shape = |name: &str, dimensions: usize| match store.entries().get(name) {
        Some(stored) if stored.shape.len() == dimensions => Ok(stored.shape.as_slice()),
        Some(stored) => Err(ClipError::Tensors {
            file: file.clone(),
            problems: vec![format!(
                "{name}: shape {:?}, expected {dimensions} dimensions",
                stored.shape
            )],
        }),
        None => Err(ClipError::Tensors {
            file: file.clone(),
            problems: vec![format!("{name}: missing, needed to know the model's sizes")],
        }),
    };
    let layers = |prefix: &str| {
        let ends = |name: &&String| name.ends_with(".attn.in_proj_weight");
        store
            .entries()
            .keys()
            .filter(ends)
            .filter(|name| name.starts_with(prefix))
            .count()
    };
    let by_file = scripted.then_some(Activation::QuickGelu);
    let Some(activation) = agree(&file, by_file, said)? else {
        return Err(activation_unknown(
            &file,
            "a state dict without a configuration beside it",
        ));
    };
    let conv = shape("visual.conv1.weight", 4)?;
    let (vision_width, patch_size) = (conv[0], conv[3]);
    let rows = shape("visual.positional_embedding", 2)?[0];
    let grid = rows.saturating_sub(1).isqrt();
    if grid * grid + 1 != rows {
        let what = format!("visual.positional_embedding has {rows} rows, no square and one");
        return Err(ClipError::config(file, what));
    }
    let text_width = shape("ln_final.weight", 1)?[0];
    let heads = |what: &str, width: usize| {
        if width.is_multiple_of(HEAD_WIDTH) {
            Ok(width / HEAD_WIDTH)
        } else {
            Err(ClipError::Config {
                file: file.clone(),
                what: format!(
                    "{what} width {width}: no multiple of {HEAD_WIDTH}, so the number of heads is unknown"
                ),
                hint: Some("put its open_clip_config.json or config.json beside it".to_owned()),
            })
        }
    };
    let vocab_size = shape("token_embedding.weight", 2)?[0];
    let config = ClipConfig {
        text: TextConfig {
            width: text_width,
            layers: layers("transformer.resblocks."),
            heads: heads("text", text_width)?,
            mlp: shape("transformer.resblocks.0.mlp.c_fc.weight", 2)?[0],
            context_length: shape("positional_embedding", 2)?[0],
            vocab_size,
            eot_token: vocab_size.saturating_sub(1) as u32,
            activation,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: vision_width,
            layers: layers("visual.transformer.resblocks."),
            heads: heads("vision", vision_width)?,
            mlp: shape("visual.transformer.resblocks.0.mlp.c_fc.weight", 2)?[0],
            image_size: grid * patch_size,
            patch_size,
            activation,
            layer_norm_eps: 1e-5,
        },
        embed_dim: shape("text_projection", 2)?[1],
    };
    config.validate(&file)?;
    Ok(config)
}
