//! Which layers of which blocks of which tower are updated.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use vlpt_clip::{ClipConfig, LayerName};

use crate::dropout::check_rate;
use crate::zeroshot::{DEFAULT_TEMPLATE, fill};
use crate::{MethodError, Needs, Result};

options! {
    /// Options of [`ClipLora`](super::ClipLora).
    pub struct ClipLoraConfig = "clip_lora" {
        /// The towers whose weights are updated.
        encoder: Towers = Towers::Both, "both, text or vision";
        /// Which of a tower's blocks: all, a third of them (`bottom`, `mid`, `up`), a half, or the
        /// last three.
        position: Blocks = Blocks::All, "all, bottom, mid, up, half-bottom, half-up or top3";
        /// Which of a block's linear layers.
        layers: Vec<AdaptedLayer> = vec![AdaptedLayer::Q, AdaptedLayer::K, AdaptedLayer::V],
            "a list of q, k, v, out, fc1 and fc2";
        /// Rank of an update.
        rank: usize = 2, "1 to the narrower side of the layer";
        /// An update is multiplied with `alpha / sqrt(rank)`.
        alpha: f64 = 1.0, "above 0";
        /// Probability that a number of an update's input is dropped in a training step.
        dropout: f64 = 0.25, "0 or more, and less than 1";
        /// The classes' texts; `{}` stands for the name.
        template: String = DEFAULT_TEMPLATE.to_owned(), "a text with {}";
    }
}

/// The towers whose weights are updated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Towers {
    /// Both.
    #[default]
    Both,
    /// The text tower alone: image features stay constant.
    Text,
    /// The image tower alone: the classes' features stay constant.
    Vision,
}

/// Blocks of a tower of depth L, named as the published code names them for L = 12.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// All.
    #[default]
    All,
    /// The first third.
    Bottom,
    /// The second third.
    Mid,
    /// The last third.
    Up,
    /// The first half.
    HalfBottom,
    /// The last half.
    HalfUp,
    /// The last three.
    Top3,
}

/// A linear layer of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdaptedLayer {
    /// Queries.
    Q,
    /// Keys.
    K,
    /// Values.
    V,
    /// Output projection of the attention.
    Out,
    /// First layer of the MLP.
    Fc1,
    /// Second layer of the MLP.
    Fc2,
}

/// One of the towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tower {
    Text,
    Vision,
}

impl ClipLoraConfig {
    /// Checks what can be said without a model.
    ///
    /// # Errors
    /// The first option whose value makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |key, found: String, expected: &str| {
            Err(MethodError::Option {
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        if self.rank == 0 {
            return refuse("clip_lora.rank", "0".to_owned(), "at least 1");
        }
        if !(self.alpha > 0.0 && (self.alpha as f32).is_normal()) {
            return refuse("clip_lora.alpha", self.alpha.to_string(), "above 0");
        }
        let sorted = self.sorted_layers();
        if sorted.is_empty() || sorted.len() < self.layers.len() {
            let found = serde_json::to_string(&self.layers).expect("words are always JSON");
            let expected = "at least one of q, k, v, out, fc1 and fc2, each once";
            return refuse("clip_lora.layers", found, expected);
        }
        check_rate(self.dropout, "clip_lora.dropout")?;
        fill(&self.template, "name").map(|_| ())
    }

    /// Refuses a rank above the narrower side of a layer, of which nothing more is to be had.
    pub(super) fn check_rank(&self, limit: usize) -> Result<()> {
        if self.rank <= limit {
            return Ok(());
        }
        Err(MethodError::Option {
            key: "clip_lora.rank",
            found: self.rank.to_string(),
            expected: format!("at most {limit} with this model"),
        })
    }

    /// The layers in the order of their computation, each once.
    pub(super) fn sorted_layers(&self) -> Vec<AdaptedLayer> {
        let mut layers = self.layers.clone();
        layers.sort_unstable();
        layers.dedup();
        layers
    }

    pub(super) fn scale(&self) -> f32 {
        (self.alpha / (self.rank as f64).sqrt()) as f32
    }

    pub(super) fn needs(&self) -> Needs {
        let image = self.encoder.has(Tower::Vision);
        Needs {
            pixels: image,
            image_weights: image,
            text_weights: self.encoder.has(Tower::Text),
            ..Needs::default()
        }
    }
}

impl Towers {
    pub(super) fn has(self, tower: Tower) -> bool {
        match self {
            Self::Both => true,
            Self::Text => tower == Tower::Text,
            Self::Vision => tower == Tower::Vision,
        }
    }
}

impl Blocks {
    /// All rules, that of all blocks first.
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Bottom,
        Self::Mid,
        Self::Up,
        Self::HalfBottom,
        Self::HalfUp,
        Self::Top3,
    ];

    /// Which blocks of a tower of so many these are, counted from 0.
    ///
    /// # Errors
    /// [`MethodError::Option`] where it has none of them.
    pub(super) fn of(self, depth: usize) -> Result<Range<usize>> {
        let blocks = match self {
            Self::All => 0..depth,
            Self::Bottom => 0..depth / 3,
            Self::Mid => depth / 3..2 * depth / 3,
            Self::Up => 2 * depth / 3..depth,
            Self::HalfBottom => 0..depth / 2,
            Self::HalfUp => depth / 2..depth,
            Self::Top3 => depth.saturating_sub(3)..depth,
        };
        if blocks.is_empty() {
            let found = serde_json::to_string(&self).expect("a word is always JSON");
            return Err(MethodError::Option {
                key: "clip_lora.position",
                found,
                expected: format!("a part with a block in it, of a tower of {depth}"),
            });
        }
        Ok(blocks)
    }
}

impl AdaptedLayer {
    /// All, in the order of their computation.
    pub const ALL: [Self; 6] = [Self::Q, Self::K, Self::V, Self::Out, Self::Fc1, Self::Fc2];

    /// The layer's name within a block.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Q => "self_attn.q_proj",
            Self::K => "self_attn.k_proj",
            Self::V => "self_attn.v_proj",
            Self::Out => "self_attn.out_proj",
            Self::Fc1 => "mlp.fc1",
            Self::Fc2 => "mlp.fc2",
        }
    }

    /// Inputs and outputs.
    pub(super) fn sizes(self, tower: Tower, model: &ClipConfig) -> (usize, usize) {
        let (width, mlp) = match tower {
            Tower::Text => (model.text.width, model.text.mlp),
            Tower::Vision => (model.vision.width, model.vision.mlp),
        };
        match self {
            Self::Q | Self::K | Self::V | Self::Out => (width, width),
            Self::Fc1 => (width, mlp),
            Self::Fc2 => (mlp, width),
        }
    }
}

impl From<AdaptedLayer> for LayerName {
    fn from(layer: AdaptedLayer) -> Self {
        match layer {
            AdaptedLayer::Q => Self::Q,
            AdaptedLayer::K => Self::K,
            AdaptedLayer::V => Self::V,
            AdaptedLayer::Out => Self::Out,
            AdaptedLayer::Fc1 => Self::Fc1,
            AdaptedLayer::Fc2 => Self::Fc2,
        }
    }
}

impl Tower {
    /// Number of blocks.
    pub(super) fn depth(self, model: &ClipConfig) -> usize {
        match self {
            Self::Text => model.text.layers,
            Self::Vision => model.vision.layers,
        }
    }

    /// What names of its parameters begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Text => "base_model.model.text_model.encoder.layers.",
            Self::Vision => "base_model.model.vision_model.encoder.layers.",
        }
    }

    /// The names of `A` and `B` of a layer.
    pub(super) fn names(self, block: usize, layer: AdaptedLayer) -> [String; 2] {
        let name = format!("{}{block}.{}", self.prefix(), layer.name());
        ["A", "B"].map(|matrix| format!("{name}.lora_{matrix}.weight"))
    }
}
