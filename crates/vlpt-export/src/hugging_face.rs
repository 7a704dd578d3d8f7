//! A model with what was learned in its weights, as a folder that `transformers` loads as a `CLIPModel`.
//!
//! `CLIPForImageClassification` cannot hold a classifier of ours: it averages the patches' rows before its last
//! layer norm and applies a linear layer to them, where CLIP takes the class token's row, normed, projected and divided
//! by its length. The classes are therefore known by texts, as in any CLIP.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use vlpt_adapter::{Named, TensorFile};
use vlpt_base::files::write_atomic;
use vlpt_clip::{BlockWeights, ClipWeights, LayerNormWeights, LinearWeights, ModelFiles};
use vlpt_methods::TowerValues;

use crate::classifier_folder::{Exported, Source};
use crate::error::{ExportError, Result};
use crate::fold::Layers;
use crate::folder::{copy_tokenizer, new_folder, sizes, write_json};
use crate::hub::{clip_config, preprocessor_config};

/// Writes `out` with `model.safetensors`, `config.json`, `preprocessor_config.json` and the tokenizer's files,
/// whatever names the model's own files have. `text` and `visual` are what was learned in the towers; a temperature
/// is put into the logit scale.
///
/// # Errors
/// Learned tokens, for which a model's folder has no place, a folder that exists, or files that cannot be
/// written.
pub fn write_hugging_face(
    source: &Source,
    files: &ModelFiles,
    text: &TowerValues,
    visual: &TowerValues,
    out: &Path,
) -> Result<Exported> {
    for values in [text, visual] {
        check(values)?;
    }
    let clip = source.clip;
    let preprocessor = preprocessor_config(source.view)?;
    let mut weights = source.weights.clone();
    update(&mut weights, clip.config.text.width, text, visual);
    let logit_scale = (f64::from(clip.logit_scale) / source.temperature) as f32;
    if !logit_scale.is_normal() {
        return Err(ExportError::Unsupported {
            what: format!(
                "a logit scale of {logit_scale}, which the temperature {} leads to, cannot be held by this form",
                source.temperature
            ),
            hint: "tune anew".to_owned(),
        });
    }
    let tensors = tensors(weights, logit_scale, source);
    new_folder(out, |folder| {
        let mut notes = Vec::new();
        let file = TensorFile {
            tensors,
            metadata: BTreeMap::from([("format".to_owned(), "pt".to_owned())]),
        };
        file.write(&folder.join("model.safetensors"))?;
        let config = clip_config(&clip.config, logit_scale);
        write_json(&folder.join("config.json"), &Json::Object(config))?;
        write_json(&folder.join("preprocessor_config.json"), &preprocessor)?;
        if copy_tokenizer(files, folder)?.is_empty() {
            notes.push("no tokenizer: the model has none beside its weights".to_owned());
        }
        let readme = format!("# {} with tuned weights\n\n{}\n", clip.name, source.about);
        write_atomic(&folder.join("README.md"), readme.as_bytes())?;
        Ok(Exported {
            files: sizes(folder)?,
            checked: BTreeMap::new(),
            notes,
        })
    })
}

/// Refuses what is not in weights.
fn check(values: &TowerValues) -> Result<()> {
    let what = if values.prompts.is_some() || values.text_rows.is_some() {
        "learned tokens"
    } else if values.row_projection.is_some() {
        "a second feature of an image"
    } else {
        return Ok(());
    };
    Err(ExportError::unsupported(
        format!("the prompt has {what}, for which a model's folder has no place"),
        "export a graph: --format onnx",
    ))
}

fn update(weights: &mut ClipWeights, width: usize, text: &TowerValues, visual: &TowerValues) {
    let ClipWeights {
        text: t, vision: v, ..
    } = weights;
    Layers {
        blocks: &mut t.blocks,
        first_norm: None,
        last_norm: &mut t.ln_final,
        width,
    }
    .update(&text.updates);
    let width = v.class_embedding.len();
    Layers {
        blocks: &mut v.blocks,
        first_norm: Some(&mut v.ln_pre),
        last_norm: &mut v.ln_post,
        width,
    }
    .update(&visual.updates);
    for (own, other) in [
        (&mut t.projection, &text.projection),
        (&mut v.projection, &visual.projection),
    ] {
        if let Some(other) = other {
            own.clone_from(other);
        }
    }
}

/// Tensors by Hugging Face's names.
fn tensors(weights: ClipWeights, logit_scale: f32, source: &Source) -> BTreeMap<String, Named> {
    let config = &source.clip.config;
    let mut all = Tensors::default();
    let ClipWeights { text, vision, .. } = weights;
    all.put("logit_scale", &[], vec![logit_scale.ln()]);
    let width = config.text.width;
    let rows = |values: &[f32]| values.len() / width;
    let (words, positions) = (
        rows(&text.token_embedding),
        rows(&text.positional_embedding),
    );
    let name = "text_model.embeddings.token_embedding.weight";
    all.put(name, &[words, width], text.token_embedding);
    let name = "text_model.embeddings.position_embedding.weight";
    all.put(name, &[positions, width], text.positional_embedding);
    all.norm("text_model.final_layer_norm", text.ln_final);
    all.projection(
        "text_projection.weight",
        width,
        config.embed_dim,
        &text.projection,
    );
    all.blocks("text_model", width, text.blocks);

    let (width, side) = (config.vision.width, config.vision.patch_size);
    let tokens = config.vision.tokens();
    let name = "vision_model.embeddings.patch_embedding.weight";
    all.put(name, &[width, 3, side, side], vision.patch);
    let name = "vision_model.embeddings.class_embedding";
    all.put(name, &[width], vision.class_embedding);
    let name = "vision_model.embeddings.position_embedding.weight";
    all.put(name, &[tokens, width], vision.positional_embedding);
    // the format's own spelling
    all.norm("vision_model.pre_layrnorm", vision.ln_pre);
    all.norm("vision_model.post_layernorm", vision.ln_post);
    all.projection(
        "visual_projection.weight",
        width,
        config.embed_dim,
        &vision.projection,
    );
    all.blocks("vision_model", width, vision.blocks);
    all.0
}

#[derive(Default)]
struct Tensors(BTreeMap<String, Named>);

impl Tensors {
    fn put(&mut self, name: &str, shape: &[usize], data: Vec<f32>) {
        self.0.insert(name.to_owned(), Named::new(shape, data));
    }

    fn norm(&mut self, name: &str, norm: LayerNormWeights) {
        let width = norm.weight.len();
        self.put(&format!("{name}.weight"), &[width], norm.weight);
        self.put(&format!("{name}.bias"), &[width], norm.bias);
    }

    fn linear(&mut self, name: &str, inputs: usize, layer: LinearWeights) {
        let outputs = layer.bias.len();
        self.put(&format!("{name}.weight"), &[outputs, inputs], layer.weight);
        self.put(&format!("{name}.bias"), &[outputs], layer.bias);
    }

    /// A projection (width x embed) as it is stored, with rows and columns changed over.
    fn projection(&mut self, name: &str, width: usize, embed: usize, values: &[f32]) {
        let column = |e: usize| (0..width).map(move |w| values[w * embed + e]);
        let stored = (0..embed).flat_map(column).collect();
        self.put(name, &[embed, width], stored);
    }

    fn blocks(&mut self, tower: &str, width: usize, blocks: Vec<BlockWeights>) {
        for (number, block) in blocks.into_iter().enumerate() {
            let at = |rest: &str| format!("{tower}.encoder.layers.{number}.{rest}");
            self.norm(&at("layer_norm1"), block.ln_1);
            self.norm(&at("layer_norm2"), block.ln_2);
            for (place, letter) in ["q", "k", "v"].into_iter().enumerate() {
                let rows = place * width..(place + 1) * width;
                let weight = block.qkv.weight[rows.start * width..rows.end * width].to_vec();
                let bias = block.qkv.bias[rows].to_vec();
                let layer = LinearWeights { weight, bias };
                self.linear(&at(&format!("self_attn.{letter}_proj")), width, layer);
            }
            let mlp = block.fc1.bias.len();
            self.linear(&at("self_attn.out_proj"), width, block.out);
            self.linear(&at("mlp.fc1"), width, block.fc1);
            self.linear(&at("mlp.fc2"), mlp, block.fc2);
        }
    }
}
