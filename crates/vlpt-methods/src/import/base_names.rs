//! Names of the base model's own tensors, as whole-model checkpoints of published trainers have them.

/// What whole models put their towers under.
const WRAPPERS: [&str; 7] = [
    "module",
    "model",
    "clip",
    "clip_model",
    "image_encoder",
    "text_encoder",
    "visual",
];
/// Tensors by themselves.
const ALONE: [&str; 8] = [
    "logit_scale",
    "logit_bias",
    "attn_mask",
    "proj",
    "text_projection",
    "class_embedding",
    "positional_embedding",
    "token_embedding",
];
/// Layers with a weight, and often a bias.
const LAYERS: [&str; 5] = ["conv1", "ln_pre", "ln_post", "ln_final", "token_embedding"];
/// What a block is made of.
const BLOCK: [&str; 8] = [
    "attn.in_proj_weight",
    "attn.in_proj_bias",
    "attn.out_proj",
    "ln_1",
    "ln_2",
    "mlp.c_fc",
    "mlp.c_proj",
    "ln_attn",
];
/// Parts of the ResNet image towers.
const RESNET: [&str; 19] = [
    "conv1",
    "conv2",
    "conv3",
    "bn1",
    "bn2",
    "bn3",
    "layer1",
    "layer2",
    "layer3",
    "layer4",
    "attnpool",
    "downsample",
    "q_proj",
    "k_proj",
    "v_proj",
    "c_proj",
    "running_mean",
    "running_var",
    "num_batches_tracked",
];

/// Whether a tensor of this name is one of the frozen CLIP model's, in OpenAI's naming. Anything else
/// beside the prompt learner was learned.
pub(super) fn is_base(name: &str) -> bool {
    let mut rest = name;
    while let Some((first, below)) = rest.split_once('.') {
        if !WRAPPERS.contains(&first) {
            break;
        }
        rest = below;
    }
    let layer = |name: &str, known: &[&str]| {
        let bare = name.strip_suffix(".weight").or(name.strip_suffix(".bias"));
        known.contains(&name) || bare.is_some_and(|bare| known.contains(&bare))
    };
    if ALONE.contains(&rest) || layer(rest, &LAYERS) {
        return true;
    }
    if let Some(block) = rest.strip_prefix("transformer.resblocks.") {
        let Some((number, part)) = block.split_once('.') else {
            return false;
        };
        return number.parse::<u32>().is_ok() && layer(part, &BLOCK);
    }
    // Not only numbers and ends: a part of the tower begins it.
    let mut parts = rest.split('.');
    parts.next().is_some_and(|first| RESNET.contains(&first))
        && parts.all(|part| {
            RESNET.contains(&part)
                || ["weight", "bias", "positional_embedding", "-1"].contains(&part)
                || part.parse::<u32>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_base_model_are_known_and_learned_ones_are_not() {
        for base in [
            "image_encoder.conv1.weight",
            "image_encoder.class_embedding",
            "image_encoder.transformer.resblocks.11.attn.in_proj_weight",
            "image_encoder.transformer.resblocks.0.mlp.c_fc.bias",
            "text_encoder.transformer.resblocks.3.ln_2.weight",
            "text_encoder.positional_embedding",
            "text_encoder.text_projection",
            "text_encoder.ln_final.bias",
            "clip_model.visual.ln_post.weight",
            "token_embedding.weight",
            "logit_scale",
            "image_encoder.layer1.0.downsample.0.weight",
            "image_encoder.layer4.2.bn3.running_mean",
            "image_encoder.attnpool.positional_embedding",
        ] {
            assert!(is_base(base), "{base}");
        }
        for learned in [
            "image_encoder.transformer.resblocks.0.VPT_shallow",
            "image_encoder.prompt_embeddings",
            "image_encoder.transformer.resblocks.3.adapter.down.weight",
            "image_encoder.transformer.resblocks.3.attn.q_proj.lora_A",
            "text_encoder.transformer.resblocks.1.compound_prompt",
            "adapter.fc.0.weight",
            "image_adapter_m.weight",
            "text_encoder.ctx",
            "visual_prompt",
        ] {
            assert!(!is_base(learned), "{learned}");
        }
    }
}
