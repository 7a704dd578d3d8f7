//! `open_clip_config.json` of an OpenCLIP folder.

use serde_json::{Value, json};

use super::agree;
use super::fields::Fields;
use crate::config::{
    Activation, ClipConfig, Interpolation, PreprocessConfig, ResizeMode, TextConfig, VisionConfig,
};
use crate::error::{ClipError, Result};

/// What is known beside the file itself.
pub(super) struct Context<'a> {
    /// The activation the user states.
    pub(super) said: Option<Activation>,
    /// The model's name, for `-quickgelu` at its end and the `openai` tag.
    pub(super) name: &'a str,
}

/// Reads `open_clip_config.json`: the sizes, and the preprocessing where it is given.
///
/// # Errors
/// When it describes other towers, or leaves something needed unsaid.
pub(super) fn config(
    file: &str,
    json: &Value,
    context: &Context,
    notes: &mut Vec<String>,
) -> Result<(ClipConfig, PreprocessConfig)> {
    let mut root = Fields::root(file, json)?;
    let Some(mut model) = root.object("model_cfg")? else {
        return Err(root.absent("model_cfg"));
    };
    for (key, what) in [
        (
            "custom_text",
            "a text tower other than CLIP's own (model_cfg.custom_text)",
        ),
        ("multimodal_cfg", "a CoCa model (model_cfg.multimodal_cfg)"),
        (
            "init_logit_bias",
            "a SigLIP head (model_cfg.init_logit_bias)",
        ),
    ] {
        if model
            .value(key)
            .is_some_and(|value| *value != Value::Bool(false))
        {
            return Err(refuse(file, what.to_owned()));
        }
    }
    let embed_dim = model.needed_size("embed_dim")?;
    let quick = model.flag("quick_gelu")?;
    let Some(mut text) = model.object("text_cfg")? else {
        return Err(model.absent("text_cfg"));
    };
    let Some(mut vision) = model.object("vision_cfg")? else {
        return Err(model.absent("vision_cfg"));
    };
    let activation = activation(file, quick, context, notes)?;
    let vision = vision_tower(file, &mut vision, activation).and_then(|tower| {
        vision.finish()?;
        Ok(tower)
    })?;
    let text = text_tower(file, &mut text, activation).and_then(|tower| {
        text.finish()?;
        Ok(tower)
    })?;
    model.ignore(&[
        "cast_dtype",
        "init_logit_scale",
        "nonscalar_logit_scale",
        "output_dict",
    ]);
    model.finish()?;
    let config = ClipConfig {
        text,
        vision,
        embed_dim,
    };
    config.validate(file)?;
    let preprocess = match root.object("preprocess_cfg")? {
        None => PreprocessConfig::openai(config.vision.image_size),
        Some(mut fields) => {
            let read = preprocess(file, &mut fields, config.vision.image_size)?;
            fields.finish()?;
            read
        }
    };
    Ok((config, preprocess))
}

/// `model_cfg.quick_gelu` says it. Where it is absent, the name may (`-quickgelu`, the `openai`
/// tag), or the user; else absence itself says the exact GELU, for that is how the format's own
/// program reads it.
fn activation(
    file: &str,
    quick: Option<bool>,
    context: &Context,
    notes: &mut Vec<String>,
) -> Result<Activation> {
    let by_file = quick.map(|quick| {
        if quick {
            Activation::QuickGelu
        } else {
            Activation::Gelu
        }
    });
    let found = agree(file, by_file, super::activation_of_name(context.name))?;
    Ok(agree(file, found, context.said)?.unwrap_or_else(|| {
        notes.push(format!(
            "{file}: model_cfg.quick_gelu absent, which means gelu"
        ));
        Activation::Gelu
    }))
}

fn vision_tower(file: &str, f: &mut Fields, activation: Activation) -> Result<VisionConfig> {
    if let Some(name) = f.text("timm_model_name")? {
        return Err(refuse(file, format!("the timm image tower {name:?}")));
    }
    if matches!(f.value("layers"), Some(Value::Array(_))) {
        return Err(refuse(
            file,
            "a ResNet image tower (vision_cfg.layers is a list)".to_owned(),
        ));
    }
    let width = f.size("width")?.unwrap_or(768);
    let head_width = f.size("head_width")?.unwrap_or(64);
    let ratio = f.number("mlp_ratio")?.unwrap_or(4.0);
    let image_size = f.needed_size("image_size")?;
    let tower = VisionConfig {
        width,
        layers: f.size("layers")?.unwrap_or(12),
        heads: heads(file, &f.name("head_width"), width, head_width)?,
        mlp: (width as f64 * ratio) as usize,
        image_size,
        patch_size: f.size("patch_size")?.unwrap_or(16),
        activation,
        layer_norm_eps: eps(f)?,
    };
    f.ignore(&["patch_dropout", "output_tokens"]); // of training, or of what is returned
    f.only("pool_type", &[json!("tok")])?;
    f.only("pos_embed_type", &[json!("learnable")])?;
    f.only("act_kwargs", &[json!({})])?;
    Ok(tower)
}

fn text_tower(file: &str, f: &mut Fields, activation: Activation) -> Result<TextConfig> {
    if let Some(name) = f.text("hf_model_name")? {
        return Err(refuse(
            file,
            format!("the Hugging Face text tower {name:?}"),
        ));
    }
    let width = f.size("width")?.unwrap_or(512);
    let vocab_size = f.size("vocab_size")?.unwrap_or(49408);
    let heads = f.size("heads")?.unwrap_or(8);
    let ratio = f.number("mlp_ratio")?.unwrap_or(4.0);
    let tower = TextConfig {
        width,
        layers: f.size("layers")?.unwrap_or(12),
        heads,
        mlp: (width as f64 * ratio) as usize,
        context_length: f.size("context_length")?.unwrap_or(77),
        vocab_size,
        eot_token: vocab_size.saturating_sub(1) as u32,
        activation,
        layer_norm_eps: eps(f)?,
    };
    f.ignore(&["pad_id", "output_tokens", "hf_tokenizer_name"]);
    f.only("pool_type", &[json!("argmax"), json!("eos")])?;
    f.only("proj_type", &[json!("linear")])?;
    f.only("act_kwargs", &[json!({})])?;
    // how text is cleaned; the tokenizer here lower-cases and collapses white space
    if let Some(mut kwargs) = f.object("tokenizer_kwargs")? {
        kwargs.only("clean", &[json!("lower")])?;
        kwargs.ignore(&["reduction_mask", "context_length"]);
        kwargs.finish()?;
    }
    Ok(tower)
}

fn eps(f: &mut Fields) -> Result<f32> {
    let Some(mut kwargs) = f.object("norm_kwargs")? else {
        return Ok(1e-5);
    };
    let eps = kwargs.number("eps")?.unwrap_or(1e-5) as f32;
    kwargs.finish()?;
    Ok(eps)
}

fn heads(file: &str, key: &str, width: usize, head_width: usize) -> Result<usize> {
    if head_width == 0 || !width.is_multiple_of(head_width) {
        let what = format!("width {width} is no multiple of {key} {head_width}");
        return Err(ClipError::config(file, what));
    }
    Ok(width / head_width)
}

fn preprocess(file: &str, f: &mut Fields, image_size: usize) -> Result<PreprocessConfig> {
    let size = match f.value("size") {
        None => image_size,
        Some(value) => match (value.as_u64(), value.as_array().map(Vec::as_slice)) {
            (Some(n), _) => n as usize,
            (None, Some([a, b])) if a == b && a.is_u64() => {
                a.as_u64().expect("checked the line before") as usize
            }
            _ => return Err(f.wrong("size", value, "one number or two equal ones")),
        },
    };
    if size != image_size {
        let what = format!("preprocess_cfg.size is {size}, the image tower takes {image_size}");
        return Err(ClipError::config(file, what));
    }
    let resize = match f.text("resize_mode")? {
        None | Some("shortest") => ResizeMode::Shortest,
        Some("squash") => ResizeMode::Squash,
        Some("longest") => ResizeMode::Longest,
        Some(other) => return Err(refuse(file, format!("resize_mode {other:?}"))),
    };
    let interpolation = match f.text("interpolation")? {
        None | Some("bicubic") => Interpolation::Bicubic,
        Some("bilinear") => Interpolation::Bilinear,
        Some(other) => return Err(refuse(file, format!("interpolation {other:?}"))),
    };
    f.only("mode", &[json!("RGB")])?;
    let fill = match f.value("fill_color") {
        None => 0,
        Some(value) => value
            .as_u64()
            .and_then(|n| u8::try_from(n).ok())
            .ok_or_else(|| f.wrong("fill_color", value, "0 to 255"))?,
    };
    let openai = PreprocessConfig::openai(image_size);
    Ok(PreprocessConfig {
        image_size,
        resize,
        interpolation,
        mean: f.means("mean")?.unwrap_or(openai.mean),
        std: f.deviations("std")?.unwrap_or(openai.std),
        fill,
    })
}

fn refuse(file: &str, what: String) -> ClipError {
    ClipError::Unsupported {
        file: file.to_owned(),
        what,
        hint: Some("CLIP models with a vision transformer are read".to_owned()),
    }
}
