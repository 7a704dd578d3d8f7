//! The golden models and cases.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;
use vlpt_clip::{
    Activation, BlockWeights, ImageTower, LayerNormWeights, LinearWeights, Precision, PromptToken,
    TextConfig, TextTower, TextWeights, VisionConfig, VisionWeights,
};

pub(crate) const MODELS: [&str; 3] = ["quick-gelu", "gelu", "one-block"];

/// A model with its cases.
pub(crate) struct Golden {
    pub(crate) text: TextTower,
    pub(crate) vision: ImageTower,
    pub(crate) vocab: u32,
    floats: BTreeMap<String, Vec<f32>>,
    shapes: BTreeMap<String, Vec<usize>>,
    texts: BTreeMap<String, Vec<Vec<PromptToken>>>,
}

struct File(BTreeMap<String, Vec<f32>>);

impl File {
    fn take(&self, name: &str) -> Vec<f32> {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("no tensor {name}"))
            .clone()
    }

    fn linear(&self, name: &str) -> LinearWeights {
        LinearWeights {
            weight: self.take(&format!("{name}.weight")),
            bias: self.take(&format!("{name}.bias")),
        }
    }

    fn norm(&self, name: &str) -> LayerNormWeights {
        let LinearWeights { weight, bias } = self.linear(name);
        LayerNormWeights { weight, bias }
    }

    fn blocks(&self, tower: &str, layers: usize) -> Vec<BlockWeights> {
        let block = |l: usize| {
            let at = |name: &str| format!("{tower}.encoder.layers.{l}.{name}");
            let parts = ["q", "k", "v"].map(|p| self.linear(&at(&format!("self_attn.{p}_proj"))));
            BlockWeights {
                ln_1: self.norm(&at("layer_norm1")),
                qkv: LinearWeights {
                    weight: parts.iter().flat_map(|p| p.weight.clone()).collect(),
                    bias: parts.iter().flat_map(|p| p.bias.clone()).collect(),
                },
                out: self.linear(&at("self_attn.out_proj")),
                ln_2: self.norm(&at("layer_norm2")),
                fc1: self.linear(&at("mlp.fc1")),
                fc2: self.linear(&at("mlp.fc2")),
            }
        };
        (0..layers).map(block).collect()
    }

    /// embed x width to width x embed.
    fn projection(&self, name: &str, embed: usize) -> Vec<f32> {
        let rows = self.take(name);
        let width = rows.len() / embed;
        (0..width * embed)
            .map(|i| rows[i % embed * width + i / embed])
            .collect()
    }
}

pub(crate) fn floats(view: &TensorView) -> Vec<f32> {
    view.data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn number(config: &Value, name: &str) -> usize {
    config[name].as_u64().unwrap() as usize
}

fn activation(config: &Value) -> Activation {
    match config["hidden_act"].as_str().unwrap() {
        "gelu" => Activation::Gelu,
        "quick_gelu" => Activation::QuickGelu,
        other => panic!("activation {other}"),
    }
}

fn text_tower(config: &Value, embed: usize, file: &File, precision: Precision) -> TextTower {
    let sizes = TextConfig {
        width: number(config, "hidden_size"),
        layers: number(config, "num_hidden_layers"),
        heads: number(config, "num_attention_heads"),
        mlp: number(config, "intermediate_size"),
        context_length: number(config, "max_position_embeddings"),
        vocab_size: number(config, "vocab_size"),
        eot_token: number(config, "eos_token_id") as u32,
        activation: activation(config),
        layer_norm_eps: config["layer_norm_eps"].as_f64().unwrap() as f32,
    };
    let weights = TextWeights {
        token_embedding: file.take("text_model.embeddings.token_embedding.weight"),
        positional_embedding: file.take("text_model.embeddings.position_embedding.weight"),
        blocks: file.blocks("text_model", sizes.layers),
        ln_final: file.norm("text_model.final_layer_norm"),
        projection: file.projection("text_projection.weight", embed),
    };
    TextTower::new(&sizes, embed, weights, precision)
}

fn image_tower(config: &Value, embed: usize, file: &File, precision: Precision) -> ImageTower {
    let sizes = VisionConfig {
        width: number(config, "hidden_size"),
        layers: number(config, "num_hidden_layers"),
        heads: number(config, "num_attention_heads"),
        mlp: number(config, "intermediate_size"),
        image_size: number(config, "image_size"),
        patch_size: number(config, "patch_size"),
        activation: activation(config),
        layer_norm_eps: config["layer_norm_eps"].as_f64().unwrap() as f32,
    };
    let weights = VisionWeights {
        patch: file.take("vision_model.embeddings.patch_embedding.weight"),
        class_embedding: file.take("vision_model.embeddings.class_embedding"),
        positional_embedding: file.take("vision_model.embeddings.position_embedding.weight"),
        ln_pre: file.norm("vision_model.pre_layrnorm"),
        blocks: file.blocks("vision_model", sizes.layers),
        ln_post: file.norm("vision_model.post_layernorm"),
        projection: file.projection("visual_projection.weight", embed),
    };
    ImageTower::new(&sizes, embed, weights, precision)
}

impl Golden {
    pub(crate) fn load(name: &str) -> Self {
        Self::load_as(name, Precision::F32)
    }

    pub(crate) fn load_as(name: &str, precision: Precision) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/towers")
            .join(name);
        let config = fs_err::read_to_string(folder.join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        let model = fs_err::read(folder.join("model.safetensors")).unwrap();
        let model = SafeTensors::deserialize(&model).unwrap();
        let file = File(
            model
                .iter()
                .map(|(name, view)| (name.to_owned(), floats(&view)))
                .collect(),
        );
        let embed = number(&config, "projection_dim");
        let vocab = number(&config["text_config"], "vocab_size") as u32;
        let eot = number(&config["text_config"], "eos_token_id") as u32;
        let mut golden = Self {
            text: text_tower(&config["text_config"], embed, &file, precision),
            vision: image_tower(&config["vision_config"], embed, &file, precision),
            vocab,
            floats: BTreeMap::new(),
            shapes: BTreeMap::new(),
            texts: BTreeMap::new(),
        };
        let cases = fs_err::read(folder.join("cases.safetensors")).unwrap();
        for (name, view) in SafeTensors::deserialize(&cases).unwrap().iter() {
            if let Some(case) = name.strip_suffix(".ids") {
                let padded = view.data().chunks_exact(view.shape()[1]);
                let texts = padded.map(|ids| text(ids, vocab, eot)).collect();
                golden.texts.insert(case.to_owned(), texts);
            } else {
                golden.floats.insert(name.to_owned(), floats(&view));
                golden.shapes.insert(name.to_owned(), view.shape().to_vec());
            }
        }
        golden
    }

    /// Names of the text cases.
    pub(crate) fn text_cases(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Names of the image cases with prompts.
    pub(crate) fn image_cases(&self) -> Vec<String> {
        let names = self.floats.keys().filter(|name| name.starts_with("image."));
        names
            .filter_map(|name| name.strip_suffix(".prompts"))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn texts(&self, case: &str) -> &[Vec<PromptToken>] {
        &self.texts[case]
    }

    pub(crate) fn get(&self, name: &str) -> &[f32] {
        &self.floats[name]
    }

    pub(crate) fn shape(&self, name: &str) -> &[usize] {
        &self.shapes[name]
    }
}

/// A padded row of ids, up to the end token; ids from the vocabulary's size on are learned rows.
fn text(ids: &[u8], vocab: u32, eot: u32) -> Vec<PromptToken> {
    let slot = |&id: &u8| match u32::from(id) {
        id if id < vocab => PromptToken::Token(id),
        id => PromptToken::Learned(id - vocab),
    };
    let end = ids.iter().position(|&id| u32::from(id) == eot).unwrap();
    ids[..=end].iter().map(slot).collect()
}
