//! The two ways of naming CLIP's tensors, and the shape each must have.

use std::collections::BTreeMap;

use crate::config::ClipConfig;

/// Who named the tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// OpenAI's names, which OpenCLIP kept: one matrix for query, key and value, projections
    /// `width x embed`.
    OpenAi,
    /// Hugging Face's names: three matrices, projections `embed x width`.
    HuggingFace,
}

/// Names of the tensors that stand once in a model.
pub(crate) struct TopNames {
    pub(crate) token_embedding: &'static str,
    pub(crate) text_position: &'static str,
    pub(crate) ln_final: &'static str,
    pub(crate) text_projection: &'static str,
    pub(crate) patch: &'static str,
    pub(crate) class_embedding: &'static str,
    pub(crate) vision_position: &'static str,
    pub(crate) ln_pre: &'static str,
    pub(crate) ln_post: &'static str,
    pub(crate) vision_projection: &'static str,
    pub(crate) logit_scale: &'static str,
}

/// Names of a block's layers, without `.weight` and `.bias`.
pub(crate) struct BlockNames {
    pub(crate) ln_1: String,
    pub(crate) ln_2: String,
    /// Weight and bias: one pair packed, or three pairs in the order query, key, value.
    pub(crate) qkv: Vec<(String, String)>,
    pub(crate) out: String,
    pub(crate) fc1: String,
    pub(crate) fc2: String,
}

/// Which of the towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Text,
    Vision,
}

const OPENAI: TopNames = TopNames {
    token_embedding: "token_embedding.weight",
    text_position: "positional_embedding",
    ln_final: "ln_final",
    text_projection: "text_projection",
    patch: "visual.conv1.weight",
    class_embedding: "visual.class_embedding",
    vision_position: "visual.positional_embedding",
    ln_pre: "visual.ln_pre",
    ln_post: "visual.ln_post",
    vision_projection: "visual.proj",
    logit_scale: "logit_scale",
};

const HUGGING_FACE: TopNames = TopNames {
    token_embedding: "text_model.embeddings.token_embedding.weight",
    text_position: "text_model.embeddings.position_embedding.weight",
    ln_final: "text_model.final_layer_norm",
    text_projection: "text_projection.weight",
    patch: "vision_model.embeddings.patch_embedding.weight",
    class_embedding: "vision_model.embeddings.class_embedding",
    vision_position: "vision_model.embeddings.position_embedding.weight",
    ln_pre: "vision_model.pre_layrnorm", // the format's own spelling
    ln_post: "vision_model.post_layernorm",
    vision_projection: "visual_projection.weight",
    logit_scale: "logit_scale",
};

/// Buffers that files carry and no tower needs.
const IGNORED: [&str; 6] = [
    "attn_mask",
    "context_length",
    "input_resolution",
    "text_model.embeddings.position_ids",
    "vision_model.embeddings.position_ids",
    "vocab_size",
];

/// Beginnings of names by which other towers are known, and what they are called.
const OTHER_TOWERS: [(&str, &str); 9] = [
    ("visual.layer1.", "a ResNet image tower"),
    ("visual.attnpool.", "a ResNet image tower"),
    ("visual.trunk.", "a timm image tower"),
    ("vision_model.head.", "a SigLIP image tower"),
    ("logit_bias", "a SigLIP head (logit_bias)"),
    (
        "text.transformer.embeddings.",
        "a Hugging Face text tower inside OpenCLIP",
    ),
    ("text_decoder.", "a CoCa text decoder"),
    ("visual.attn_pool.", "an attention-pooled image tower"),
    ("text.", "an OpenCLIP text tower other than CLIP's own"),
];

impl Layout {
    /// The layout that the names show, if any.
    pub(crate) fn recognise<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<Self> {
        names.find_map(|name| {
            if name.starts_with("text_model.") || name.starts_with("vision_model.") {
                Some(Self::HuggingFace)
            } else if name.starts_with("visual.") || name.starts_with("transformer.resblocks.") {
                Some(Self::OpenAi)
            } else {
                None
            }
        })
    }

    /// Names of the tensors that stand once.
    pub(crate) fn top(self) -> &'static TopNames {
        match self {
            Self::OpenAi => &OPENAI,
            Self::HuggingFace => &HUGGING_FACE,
        }
    }

    /// Names of the layers of block `index`.
    pub(crate) fn block(self, side: Side, index: usize) -> BlockNames {
        match self {
            Self::OpenAi => {
                let tower = if side == Side::Text { "" } else { "visual." };
                let at = |rest: &str| format!("{tower}transformer.resblocks.{index}.{rest}");
                BlockNames {
                    ln_1: at("ln_1"),
                    ln_2: at("ln_2"),
                    qkv: vec![(at("attn.in_proj_weight"), at("attn.in_proj_bias"))],
                    out: at("attn.out_proj"),
                    fc1: at("mlp.c_fc"),
                    fc2: at("mlp.c_proj"),
                }
            }
            Self::HuggingFace => {
                let tower = if side == Side::Text {
                    "text_model"
                } else {
                    "vision_model"
                };
                let at = |rest: &str| format!("{tower}.encoder.layers.{index}.{rest}");
                let pair = |letter: &str| {
                    let layer = at(&format!("self_attn.{letter}_proj"));
                    (format!("{layer}.weight"), format!("{layer}.bias"))
                };
                BlockNames {
                    ln_1: at("layer_norm1"),
                    ln_2: at("layer_norm2"),
                    qkv: vec![pair("q"), pair("k"), pair("v")],
                    out: at("self_attn.out_proj"),
                    fc1: at("mlp.fc1"),
                    fc2: at("mlp.fc2"),
                }
            }
        }
    }

    /// Every tensor of a model with its shape.
    pub(crate) fn expected(self, config: &ClipConfig) -> BTreeMap<String, Vec<usize>> {
        let (text, vision, top) = (&config.text, &config.vision, self.top());
        let mut all = BTreeMap::new();
        let mut add = |name: String, shape: &[usize]| {
            all.insert(name, shape.to_vec());
        };
        let projection = |width| match self {
            Self::OpenAi => [width, config.embed_dim],
            Self::HuggingFace => [config.embed_dim, width],
        };
        let patch = vision.patch_size;
        add(top.logit_scale.to_owned(), &[]);
        add(
            top.token_embedding.to_owned(),
            &[text.vocab_size, text.width],
        );
        add(
            top.text_position.to_owned(),
            &[text.context_length, text.width],
        );
        add(top.text_projection.to_owned(), &projection(text.width));
        add(top.patch.to_owned(), &[vision.width, 3, patch, patch]);
        add(top.class_embedding.to_owned(), &[vision.width]);
        add(
            top.vision_position.to_owned(),
            &[vision.tokens(), vision.width],
        );
        add(top.vision_projection.to_owned(), &projection(vision.width));
        let norms = [(top.ln_final, text.width), (top.ln_pre, vision.width)];
        for (name, width) in norms.into_iter().chain([(top.ln_post, vision.width)]) {
            add(format!("{name}.weight"), &[width]);
            add(format!("{name}.bias"), &[width]);
        }
        let towers = [
            (Side::Text, text.layers, text.width, text.mlp),
            (Side::Vision, vision.layers, vision.width, vision.mlp),
        ];
        for (side, layers, width, mlp) in towers {
            for index in 0..layers {
                let names = self.block(side, index);
                let rows = 3 * width / names.qkv.len();
                for (weight, bias) in names.qkv {
                    add(weight, &[rows, width]);
                    add(bias, &[rows]);
                }
                let linear = [(names.out, width, width), (names.fc1, mlp, width)];
                for (name, out, into) in linear.into_iter().chain([(names.fc2, width, mlp)]) {
                    add(format!("{name}.weight"), &[out, into]);
                    add(format!("{name}.bias"), &[out]);
                }
                for name in [names.ln_1, names.ln_2] {
                    add(format!("{name}.weight"), &[width]);
                    add(format!("{name}.bias"), &[width]);
                }
            }
        }
        all
    }
}

/// Whether a tensor is a known buffer that no tower needs.
pub(crate) fn ignorable(name: &str) -> bool {
    IGNORED.contains(&name)
}

/// What another kind of tower the names show, if any.
pub(crate) fn other_tower<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let names: Vec<&str> = names.collect();
    OTHER_TOWERS.iter().find_map(|(prefix, what)| {
        names
            .iter()
            .any(|name| name.starts_with(prefix))
            .then_some(*what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, TextConfig, VisionConfig};

    fn openai(width: usize, layers: usize, patch: usize, image: usize, embed: usize) -> ClipConfig {
        let activation = Activation::QuickGelu;
        ClipConfig {
            text: TextConfig {
                width: embed,
                layers: 12,
                heads: embed / 64,
                mlp: 4 * embed,
                context_length: 77,
                vocab_size: 49408,
                eot_token: 49407,
                activation,
                layer_norm_eps: 1e-5,
            },
            vision: VisionConfig {
                width,
                layers,
                heads: width / 64,
                mlp: 4 * width,
                image_size: image,
                patch_size: patch,
                activation,
                layer_norm_eps: 1e-5,
            },
            embed_dim: embed,
        }
    }

    #[test]
    fn the_four_known_models_have_their_published_number_of_parameters() {
        let known = [
            (openai(768, 12, 32, 224, 512), 151_277_313),
            (openai(768, 12, 16, 224, 512), 149_620_737),
            (openai(1024, 24, 14, 224, 768), 427_616_513),
            (openai(1024, 24, 14, 336, 768), 427_944_193),
        ];
        for (config, total) in known {
            for layout in [Layout::OpenAi, Layout::HuggingFace] {
                let sum: usize = layout
                    .expected(&config)
                    .values()
                    .map(|s| s.iter().product::<usize>())
                    .sum();
                assert_eq!(sum, total, "{layout:?}");
            }
            assert_eq!(config.parameters(), total);
        }
    }

    #[test]
    fn other_towers_are_known_by_their_tensors() {
        let names = ["visual.conv1.weight", "visual.layer1.0.conv1.weight"];
        assert_eq!(other_tower(names.into_iter()), Some("a ResNet image tower"));
        assert_eq!(other_tower(["visual.conv1.weight"].into_iter()), None);
    }
}
