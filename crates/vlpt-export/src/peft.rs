//! Low-rank updates as the PEFT library stores them, for a `CLIPModel`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;
use vlpt_adapter::{Named, TensorFile};
use vlpt_base::files::write_atomic;
use vlpt_clip::{ClipConfig, LayerName};
use vlpt_methods::{ChangeValues, TowerValues};

use crate::classifier_folder::{Exported, Source};
use crate::error::{ExportError, Result};
use crate::folder::{new_folder, sizes, write_json};

/// Towers as Hugging Face names them.
const TOWERS: [&str; 2] = ["text_model", "vision_model"];

/// Writes `out` with `adapter_config.json` and `adapter_model.safetensors`: what `peft.PeftModel.from_pretrained`
/// loads beside a `CLIPModel` of the same weights. An update is multiplied by alpha / sqrt(rank), PEFT's
/// rank-stabilised form. `revision` is the model's, where it came from the hub.
///
/// # Errors
/// A prompt that has anything but low-rank updates of one rank and factor, a folder that exists, or files that
/// cannot be written.
pub fn write_peft(
    source: &Source,
    revision: Option<&str>,
    text: &TowerValues,
    visual: &TowerValues,
    out: &Path,
) -> Result<Exported> {
    let config = &source.clip.config;
    let updates = Updates::of([text, visual], config)?;
    let alpha = f64::from(updates.scale) * (updates.rank as f64).sqrt();
    // a factor of f32 says no more digits
    let alpha = (alpha * 1e6).round() / 1e6;
    let adapter = json!({
        "peft_type": "LORA",
        "task_type": null,
        "auto_mapping": {
            "base_model_class": "CLIPModel",
            "parent_library": "transformers.models.clip.modeling_clip",
        },
        "base_model_name_or_path": source.clip.name,
        "revision": revision,
        "inference_mode": true,
        "r": updates.rank,
        "lora_alpha": alpha,
        "use_rslora": true,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "init_lora_weights": true,
        "target_modules": updates.target_modules(),
        "modules_to_save": null,
    });
    new_folder(out, |folder| {
        write_json(&folder.join("adapter_config.json"), &adapter)?;
        let file = TensorFile {
            tensors: updates.tensors,
            metadata: BTreeMap::from([("format".to_owned(), "pt".to_owned())]),
        };
        file.write(&folder.join("adapter_model.safetensors"))?;
        let readme = format!(
            "---\nlibrary_name: peft\nbase_model: {}\n---\n\n# Low-rank updates of {}\n\n{}\n",
            source.clip.name, source.clip.name, source.about
        );
        write_atomic(&folder.join("README.md"), readme.as_bytes())?;
        Ok(Exported {
            files: sizes(folder)?,
            checked: BTreeMap::new(),
            notes: Vec::new(),
        })
    })
}

/// Low-rank updates of both towers.
struct Updates {
    rank: usize,
    scale: f32,
    /// `A` and `B` of each layer, by PEFT's names.
    tensors: BTreeMap<String, Named>,
    /// The adapted layers: towers, blocks and layers' names.
    modules: BTreeSet<(usize, usize, &'static str)>,
}

impl Updates {
    fn of(towers: [&TowerValues; 2], config: &ClipConfig) -> Result<Self> {
        let refuse = |what: &str| {
            Err(ExportError::unsupported(
                format!("PEFT's folder holds low-rank updates, and the prompt has {what}"),
                "`--format hf` writes what changes weights as a whole model, `--format onnx` a graph of \
                 anything",
            ))
        };
        let sizes = [
            (config.text.width, config.text.mlp),
            (config.vision.width, config.vision.mlp),
        ];
        let mut found: Option<(usize, f32)> = None;
        let (mut tensors, mut modules) = (BTreeMap::new(), BTreeSet::new());
        for (tower, values) in towers.into_iter().enumerate() {
            if values.prompts.is_some() || values.text_rows.is_some() {
                return refuse("learned tokens");
            }
            if values.projection.is_some() || values.row_projection.is_some() {
                return refuse("another projection");
            }
            let (width, mlp) = sizes[tower];
            for update in &values.updates {
                let ChangeValues::LowRank { a, b, scale, .. } = &update.change else {
                    return refuse("scales and shifts of layers");
                };
                let (layer, inputs, outputs) = match update.layer {
                    LayerName::Q => ("self_attn.q_proj", width, width),
                    LayerName::K => ("self_attn.k_proj", width, width),
                    LayerName::V => ("self_attn.v_proj", width, width),
                    LayerName::Out => ("self_attn.out_proj", width, width),
                    LayerName::Fc1 => ("mlp.fc1", width, mlp),
                    LayerName::Fc2 => ("mlp.fc2", mlp, width),
                    _ => return refuse("updates of layer norms"),
                };
                let rank = a.len() / inputs;
                if *found.get_or_insert((rank, *scale)) != (rank, *scale) {
                    return refuse("updates of several ranks or factors");
                }
                let name = TOWERS[tower];
                let module = format!("{name}.encoder.layers.{}.{layer}", update.block);
                let at = |part: &str| format!("base_model.model.{module}.{part}.weight");
                tensors.insert(at("lora_A"), Named::new(&[rank, inputs], a.clone()));
                tensors.insert(at("lora_B"), Named::new(&[outputs, rank], b.clone()));
                modules.insert((tower, update.block, layer));
            }
        }
        match found {
            None => refuse("none"),
            Some((rank, scale)) => Ok(Self {
                rank,
                scale,
                tensors,
                modules,
            }),
        }
    }

    /// The adapted modules as a pattern of their whole names, which leaves no doubt about towers and blocks.
    fn target_modules(&self) -> String {
        let towers = TOWERS.iter().enumerate().filter_map(|(tower, name)| {
            let own = self.modules.iter().filter(|(of, ..)| *of == tower);
            let blocks: BTreeSet<usize> = own.clone().map(|(_, block, _)| *block).collect();
            let layers: BTreeSet<&str> = own.map(|(.., layer)| *layer).collect();
            let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
            let layers: Vec<String> = layers.iter().map(|l| l.replace('.', "\\.")).collect();
            let any = |parts: &[String]| format!("({})", parts.join("|"));
            (!blocks.is_empty()).then(|| {
                format!(
                    "{name}\\.encoder\\.layers\\.{}\\.{}",
                    any(&blocks),
                    any(&layers)
                )
            })
        });
        towers.collect::<Vec<_>>().join("|")
    }
}
