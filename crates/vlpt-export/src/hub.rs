//! The small files that Hugging Face's programs find a model by.

use serde_json::{Map, Value as Json, json};
use vlpt_clip::{Activation, ClipConfig, VisionConfig};
use vlpt_data::image::{Interpolation, Preprocess, ResizeMode};

use crate::error::{ExportError, Result};

/// Pillow's numbers of the filters.
const BILINEAR: u32 = 2;
const BICUBIC: u32 = 3;

/// `config.json` of a classifier of images. Programs choose by `model_type` how a model is called, and know no
/// classifier among CLIPs; as a `vit` it is one graph from pixels to logits, which it is.
pub(crate) fn classifier_config(
    vision: &VisionConfig,
    classes: &[String],
    separate: bool,
) -> Map<String, Json> {
    let by_number = classes.iter().enumerate();
    let id2label: Map<String, Json> = by_number
        .map(|(number, name)| (number.to_string(), json!(name)))
        .collect();
    let mut label2id = Map::new();
    for (number, name) in classes.iter().enumerate() {
        // of equal names the first
        label2id.entry(name.clone()).or_insert(json!(number));
    }
    let mut config = Map::new();
    config.insert("model_type".to_owned(), json!("vit"));
    config.insert(
        "architectures".to_owned(),
        json!(["ViTForImageClassification"]),
    );
    config.extend(tower(
        (vision.width, vision.layers, vision.heads, vision.mlp),
        vision.activation,
        vision.layer_norm_eps,
    ));
    config.insert("image_size".to_owned(), json!(vision.image_size));
    config.insert("patch_size".to_owned(), json!(vision.patch_size));
    config.insert("num_channels".to_owned(), json!(3));
    let problem = if separate {
        "multi_label_classification"
    } else {
        "single_label_classification"
    };
    config.insert("problem_type".to_owned(), json!(problem));
    config.insert("id2label".to_owned(), Json::Object(id2label));
    config.insert("label2id".to_owned(), Json::Object(label2id));
    config
}

/// `config.json` of a CLIP.
pub(crate) fn clip_config(config: &ClipConfig, logit_scale: f32) -> Map<String, Json> {
    let (text, vision) = (&config.text, &config.vision);
    let mut text_config = tower(
        (text.width, text.layers, text.heads, text.mlp),
        text.activation,
        text.layer_norm_eps,
    );
    for (key, value) in [
        ("model_type", json!("clip_text_model")),
        ("vocab_size", json!(text.vocab_size)),
        ("max_position_embeddings", json!(text.context_length)),
        ("eos_token_id", json!(text.eot_token)),
        ("bos_token_id", json!(text.eot_token.saturating_sub(1))),
        ("pad_token_id", json!(text.eot_token)),
        ("projection_dim", json!(config.embed_dim)),
    ] {
        text_config.insert(key.to_owned(), value);
    }
    let mut vision_config = tower(
        (vision.width, vision.layers, vision.heads, vision.mlp),
        vision.activation,
        vision.layer_norm_eps,
    );
    for (key, value) in [
        ("model_type", json!("clip_vision_model")),
        ("image_size", json!(vision.image_size)),
        ("patch_size", json!(vision.patch_size)),
        ("num_channels", json!(3)),
        ("projection_dim", json!(config.embed_dim)),
    ] {
        vision_config.insert(key.to_owned(), value);
    }
    let mut whole = Map::new();
    for (key, value) in [
        ("architectures", json!(["CLIPModel"])),
        ("model_type", json!("clip")),
        ("projection_dim", json!(config.embed_dim)),
        ("logit_scale_init_value", json!(logit_scale.ln())),
        ("text_config", Json::Object(text_config)),
        ("vision_config", Json::Object(vision_config)),
        ("torch_dtype", json!("float32")),
    ] {
        whole.insert(key.to_owned(), value);
    }
    whole
}

/// What configurations of all towers say.
fn tower(
    (width, layers, heads, mlp): (usize, usize, usize, usize),
    activation: Activation,
    eps: f32,
) -> Map<String, Json> {
    // as people write it, and not 0.000009999999747378752
    let eps: f64 = eps.to_string().parse().unwrap_or(f64::from(eps));
    let keys = [
        ("hidden_size", json!(width)),
        ("num_hidden_layers", json!(layers)),
        ("num_attention_heads", json!(heads)),
        ("intermediate_size", json!(mlp)),
        ("hidden_act", json!(activation.name())),
        ("layer_norm_eps", json!(eps)),
    ];
    keys.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// `preprocessor_config.json`.
///
/// # Errors
/// A way of resizing that CLIP's image processor does not have.
pub(crate) fn preprocessor_config(view: &Preprocess) -> Result<Json> {
    let n = view.image_size;
    let square = json!({"height": n, "width": n});
    let (size, crop) = match view.resize {
        ResizeMode::Shortest => (json!({"shortest_edge": n}), true),
        ResizeMode::Squash => (square.clone(), false),
        ResizeMode::Longest => {
            return Err(ExportError::unsupported(
                "the prompt's images are padded to a square (resize = \"longest\"), which the image processor \
                 of CLIP cannot do",
                "export with `--with-preprocessing`, whose graph pads by itself, or tune with \
                 `image.resize = \"shortest\"`",
            ));
        }
    };
    let resample = match view.interpolation {
        Interpolation::Bicubic => BICUBIC,
        Interpolation::Bilinear => BILINEAR,
    };
    let exact = |channels: [f32; 3]| -> Vec<f64> {
        let channels = channels.iter();
        channels
            .map(|v| v.to_string().parse().unwrap_or(f64::from(*v)))
            .collect()
    };
    Ok(json!({
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": true,
        "do_resize": true,
        "size": size,
        "resample": resample,
        "do_center_crop": crop,
        "crop_size": square,
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": exact(view.mean),
        "image_std": exact(view.std),
    }))
}

/// Says in `config.json` which graphs have their weights in a second file, as transformers.js asks for.
pub(crate) fn announce_external(config: &mut Map<String, Json>, files: &[&str]) {
    if files.is_empty() {
        return;
    }
    let files: Map<String, Json> = files
        .iter()
        .map(|file| ((*file).to_owned(), json!(1)))
        .collect();
    config.insert(
        "transformers.js_config".to_owned(),
        json!({"use_external_data_format": files}),
    );
}
