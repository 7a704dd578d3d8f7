//! A folder of the PEFT library with low-rank updates: `adapter_config.json`, and the tensors beside it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use vlpt_methods::import::LowRankHints;

use crate::{AdapterError, Result};

const CONFIG: &str = "adapter_config.json";
/// The tensors, best first.
const WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];

/// What a folder says beside its tensors.
#[derive(Debug)]
pub(super) struct PeftFolder {
    /// The file with the tensors.
    pub(super) weights: PathBuf,
    pub(super) low_rank: LowRankHints,
}

/// The keys that change what is computed; all others are of the training.
#[derive(Debug, Deserialize)]
struct Config {
    peft_type: Option<String>,
    #[serde(default)]
    r: usize,
    #[serde(default)]
    lora_alpha: f64,
    #[serde(default)]
    lora_dropout: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    bias: Option<String>,
    rank_pattern: Option<Map<String, Value>>,
    alpha_pattern: Option<Map<String, Value>>,
    modules_to_save: Option<Vec<String>>,
}

impl PeftFolder {
    /// Reads the configuration of a folder, and finds its tensors.
    ///
    /// # Errors
    /// Another folder than one of PEFT's, another kind of update, or a variant of low-rank updates that towers do
    /// not compute.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(CONFIG);
        let refuse = |what: String, hint: &str| {
            Err(AdapterError::Incompatible {
                what: format!("{}: {what}", path.display()),
                hint: Some(hint.to_owned()),
            })
        };
        if !path.is_file() {
            return refuse(
                "is not there: expected a checkpoint file, or a folder that the PEFT library saved"
                    .to_owned(),
                "name the file with the tensors, such as model.pth.tar-50",
            );
        }
        let text = fs_err::read_to_string(&path)?;
        let config: Config =
            serde_json::from_str(&text).map_err(|error| AdapterError::Damaged {
                path: path.clone(),
                what: format!("is no configuration of PEFT's: {error}"),
            })?;
        match config.peft_type.as_deref() {
            Some("LORA") => {}
            Some(other) => {
                return refuse(
                    format!("has peft_type {other}: expected LORA"),
                    "low-rank updates alone have a place in both towers",
                );
            }
            None => {
                return refuse(
                    "has no peft_type".to_owned(),
                    "a prompt folder of ours needs no import: give it to `vlpt eval` or `vlpt predict`",
                );
            }
        }
        if let Some(what) = config.variant() {
            return refuse(
                format!("has {what}: expected plain low-rank updates"),
                "merge the updates with PEFT (merge_and_unload), save the model, and use it as --model",
            );
        }
        let multiplies = config.lora_alpha > 0.0 && (config.lora_alpha as f32).is_normal();
        if config.r == 0 || !multiplies {
            let (r, alpha) = (config.r, config.lora_alpha);
            return refuse(
                format!("has r {r} and lora_alpha {alpha}: expected numbers above 0"),
                "take the file as PEFT saved it",
            );
        }
        let weights = WEIGHTS.iter().map(|file| folder.join(file));
        let Some(weights) = weights.into_iter().find(|path| path.is_file()) else {
            return refuse(
                format!(
                    "has no tensors beside it: expected {}",
                    WEIGHTS.join(" or ")
                ),
                "copy the whole folder",
            );
        };
        Ok(Self {
            weights,
            low_rank: LowRankHints {
                rank: config.r,
                alpha: config.alpha(),
                dropout: config.lora_dropout,
            },
        })
    }
}

impl Config {
    /// What the update over the square root of the rank is multiplied with: PEFT divides by the rank itself, unless
    /// it is asked for its rank-stabilised form.
    fn alpha(&self) -> f64 {
        if self.use_rslora {
            self.lora_alpha
        } else {
            self.lora_alpha / (self.r as f64).sqrt()
        }
    }

    /// What makes it another computation.
    fn variant(&self) -> Option<String> {
        let some =
            |map: &Option<Map<String, Value>>| map.as_ref().is_some_and(|map| !map.is_empty());
        let bias = self.bias.as_deref().unwrap_or("none");
        if self.use_dora {
            return Some("use_dora".to_owned());
        }
        if self.fan_in_fan_out {
            return Some("fan_in_fan_out".to_owned());
        }
        if some(&self.rank_pattern) || some(&self.alpha_pattern) {
            return Some("a rank or alpha for each layer".to_owned());
        }
        if bias != "none" {
            return Some(format!("bias \"{bias}\""));
        }
        let saved = self.modules_to_save.as_ref();
        saved
            .filter(|modules| !modules.is_empty())
            .map(|modules| format!("modules_to_save {modules:?}"))
    }
}
