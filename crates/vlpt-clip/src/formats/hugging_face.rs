//! `config.json` of a Hugging Face folder.

use serde_json::Value;

use super::fields::Fields;
use super::{activation_unknown, agree};
use crate::config::{Activation, ClipConfig, TextConfig, VisionConfig};
use crate::error::{ClipError, Result};

/// Reads `config.json`. `said` is the activation the user states.
///
/// # Errors
/// When it is not a CLIP configuration, or leaves something needed unsaid.
pub(super) fn config(
    file: &str,
    json: &Value,
    said: Option<Activation>,
    notes: &mut Vec<String>,
) -> Result<ClipConfig> {
    let mut root = Fields::root(file, json)?;
    match root.text("model_type")? {
        Some("clip") => {}
        Some(other) => return Err(other_model(file, other)),
        None => return Err(root.absent("model_type")),
    }
    // transformers leaves out what equals its defaults, so for its own files absence is a value
    let by_transformers = root.text("transformers_version")?.is_some();
    let merged_text = merged(&mut root, file, ["text_config", "text_config_dict"])?;
    let merged_vision = merged(&mut root, file, ["vision_config", "vision_config_dict"])?;
    let mut text = Side::new(file, "text_config", &merged_text, by_transformers)?;
    let mut vision = Side::new(file, "vision_config", &merged_vision, by_transformers)?;
    let embed_dim = match root.size("projection_dim")? {
        Some(size) => size,
        None if by_transformers => {
            notes.push(format!(
                "{file}: projection_dim absent, the format's default 512 taken"
            ));
            512
        }
        None => return Err(root.absent("projection_dim")),
    };

    let vocab_size = text.size("vocab_size", 49408, notes)?;
    let eot_token = match text.fields.size("eos_token_id")? {
        Some(2) => {
            let corrected = vocab_size.saturating_sub(1);
            notes.push(format!(
                "{file}: text_config.eos_token_id is 2, a known mistake; {corrected}, the last id, taken"
            ));
            corrected
        }
        Some(id) => id,
        None => vocab_size.saturating_sub(1),
    };
    let config = ClipConfig {
        text: TextConfig {
            width: text.size("hidden_size", 512, notes)?,
            layers: text.size("num_hidden_layers", 12, notes)?,
            heads: text.size("num_attention_heads", 8, notes)?,
            mlp: text.size("intermediate_size", 2048, notes)?,
            context_length: text.size("max_position_embeddings", 77, notes)?,
            vocab_size,
            eot_token: eot_token as u32,
            activation: text.activation(said, notes)?,
            layer_norm_eps: text.eps()?,
        },
        vision: VisionConfig {
            width: vision.size("hidden_size", 768, notes)?,
            layers: vision.size("num_hidden_layers", 12, notes)?,
            heads: vision.size("num_attention_heads", 12, notes)?,
            mlp: vision.size("intermediate_size", 3072, notes)?,
            image_size: vision.size("image_size", 224, notes)?,
            patch_size: vision.size("patch_size", 32, notes)?,
            activation: vision.activation(said, notes)?,
            layer_norm_eps: vision.eps()?,
        },
        embed_dim,
    };
    vision.fields.only("num_channels", &[3.into()])?;
    config.validate(file)?;
    Ok(config)
}

fn other_model(file: &str, kind: &str) -> ClipError {
    ClipError::Unsupported {
        file: file.to_owned(),
        what: format!("model_type {kind:?}"),
        hint: Some("CLIP models, model_type \"clip\", are read".to_owned()),
    }
}

/// Some files hold a tower twice; the second, where present, is what its writer reads.
fn merged(root: &mut Fields, file: &str, keys: [&'static str; 2]) -> Result<Value> {
    let mut all = serde_json::Map::new();
    let mut found = false;
    for key in keys {
        match root.value(key) {
            None => {}
            Some(Value::Object(map)) => {
                found = true;
                all.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            Some(_) => return Err(ClipError::config(file, format!("{key} is no object"))),
        }
    }
    if found {
        Ok(Value::Object(all))
    } else {
        Err(root.absent(keys[0]))
    }
}

/// One tower's part of the file.
struct Side<'a> {
    file: &'a str,
    name: &'static str,
    fields: Fields<'a>,
    defaults: bool,
}

impl<'a> Side<'a> {
    fn new(file: &'a str, name: &'static str, value: &'a Value, defaults: bool) -> Result<Self> {
        Ok(Self {
            file,
            name,
            fields: Fields::root(file, value)?,
            defaults,
        })
    }

    fn size(
        &mut self,
        key: &'static str,
        default: usize,
        notes: &mut Vec<String>,
    ) -> Result<usize> {
        let (file, name) = (self.file, self.name);
        match self.fields.size(key)? {
            Some(size) => Ok(size),
            None if self.defaults => {
                notes.push(format!(
                    "{file}: {name}.{key} absent, the format's default {default} taken"
                ));
                Ok(default)
            }
            None => Err(ClipError::config(file, format!("no {name}.{key}"))),
        }
    }

    fn eps(&mut self) -> Result<f32> {
        Ok(self.fields.number("layer_norm_eps")?.unwrap_or(1e-5) as f32)
    }

    fn activation(
        &mut self,
        said: Option<Activation>,
        notes: &mut Vec<String>,
    ) -> Result<Activation> {
        let (file, name) = (self.file, self.name);
        let found = match self.fields.text("hidden_act")? {
            Some("quick_gelu") => Some(Activation::QuickGelu),
            Some("gelu") => Some(Activation::Gelu),
            Some(other) => {
                return Err(ClipError::Unsupported {
                    file: file.to_owned(),
                    what: format!("{name}.hidden_act {other:?}"),
                    hint: Some("quick_gelu and gelu are known".to_owned()),
                });
            }
            None if self.defaults => {
                notes.push(format!(
                    "{file}: {name}.hidden_act absent, the format's default quick_gelu taken"
                ));
                Some(Activation::QuickGelu)
            }
            None => None,
        };
        match agree(file, found, said)? {
            Some(activation) => Ok(activation),
            None => Err(activation_unknown(
                file,
                &format!("{name}.hidden_act is absent"),
            )),
        }
    }
}
