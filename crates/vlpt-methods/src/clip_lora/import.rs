//! Updates that published code has saved.
//!
//! The published code saves `{weights: {layer_0: {q_proj: {w_lora_A, w_lora_B}, ...}, ...}, metadata}`
//! with the adapted layers counted through, the text tower's before the image tower's; their tensors
//! get the names of our parameters. Tensors that the PEFT library named have these already.

use std::collections::BTreeMap;

use vlpt_clip::CheckpointTensor;

use super::options::{AdaptedLayer, Blocks, ClipLoraConfig, Tower, Towers};
use crate::MethodConfig;
use crate::import::{Import, LowRankHints, Reader, Source};

/// What the published code's names begin with.
const PUBLISHED: &str = "weights.layer_";

pub(super) const IMPORT: Import = Import {
    matches: |names| {
        names.any(Tower::Text.prefix()) || names.any(Tower::Vision.prefix()) || names.any(PUBLISHED)
    },
    read: |reader| MethodConfig::of(&super::SPEC, read(reader)),
    sources: &[Source::Own],
    position: false,
    place: false,
    tensors: "CLIP-LoRA `weights.layer_*.q_proj.w_lora_A` and the like",
};

/// The options that names and shapes tell.
fn read(reader: &mut Reader) -> ClipLoraConfig {
    let mut config = ClipLoraConfig::default();
    let ours = |tower: Tower| reader.names.any(tower.prefix());
    if !ours(Tower::Text) && !ours(Tower::Vision) {
        reader.problem(
            "its layers are counted through, and their widths do not tell a text tower from an \
             image tower: expected those of both, of different widths",
        );
        return config;
    }
    let towers = [Tower::Text, Tower::Vision].map(|tower| adapted(reader, tower));
    config.encoder = match &towers {
        [Some(_), None] => Towers::Text,
        [None, Some(_)] => Towers::Vision,
        _ => Towers::Both,
    };
    for found in towers.iter().flatten() {
        config.layers.clone_from(&found.layers);
        config.rank = found.rank;
    }
    config.position = position(reader, &towers);
    if let Some(LowRankHints {
        rank,
        alpha,
        dropout,
    }) = reader.hints.low_rank
    {
        if rank != config.rank {
            let found = config.rank;
            reader.problem(format!(
                "its tensors are of rank {found}: expected r = {rank}, as adapter_config.json says"
            ));
        }
        (config.alpha, config.dropout) = (alpha, dropout);
        reader.assume(format!(
            "the classes' texts are \"{}\": beside the tensors is nothing about texts",
            config.template
        ));
        return config;
    }
    reader.assume(
        "alpha is 1, dropout 0.25 and the classes' texts are \"a photo of a {}.\", as the published \
         code has them by default: metadata.alpha is not read",
    );
    config
}

/// Which blocks are updated, of both towers by the same rule. Layers that are counted through do not tell it, so
/// these have to be all.
fn position(reader: &mut Reader, towers: &[Option<Adapted>; 2]) -> Blocks {
    let tensors = reader.names.tensors.values();
    let counted = tensors.clone().any(|t| t.name.contains(PUBLISHED));
    let named = [Tower::Text, Tower::Vision].into_iter().zip(towers);
    let depths: Vec<(usize, &Adapted)> = named
        .filter_map(|(tower, found)| Some((tower.depth(reader.model), found.as_ref()?)))
        .collect();
    let fits = |blocks: &Blocks| {
        depths.iter().all(|(depth, found)| {
            let range = blocks.of(*depth);
            range.is_ok_and(|range| range.eq(found.blocks.iter().copied()))
        })
    };
    let rules = if counted {
        &Blocks::ALL[..1]
    } else {
        &Blocks::ALL
    };
    if let Some(blocks) = rules.iter().find(|blocks| fits(blocks)) {
        return *blocks;
    }
    for (depth, found) in depths {
        let count = found.blocks.len();
        if counted && count != depth {
            reader.problem(format!(
                "{count} blocks of a tower of {depth} are updated: expected all, because the tensors do \
                 not tell which"
            ));
        } else if !counted {
            reader.problem(format!(
                "the blocks {:?} of a tower of {depth} are updated: expected all, a third, a half or the last \
                 three, the same of both towers",
                found.blocks
            ));
        }
    }
    Blocks::All
}

/// What names and shapes tell of a tower.
struct Adapted {
    blocks: Vec<usize>,
    layers: Vec<AdaptedLayer>,
    rank: usize,
}

fn adapted(reader: &Reader, tower: Tower) -> Option<Adapted> {
    let own = reader.names.tensors.iter();
    let own = own.filter_map(|(name, tensor)| Some((name.strip_prefix(tower.prefix())?, tensor)));
    let own: Vec<_> = own.collect();
    let first = own.first()?;
    let mut blocks: Vec<usize> = own
        .iter()
        .filter_map(|(name, _)| name.split_once('.')?.0.parse().ok())
        .collect();
    blocks.sort_unstable();
    blocks.dedup();
    let has = |layer: &AdaptedLayer| own.iter().any(|(name, _)| name.contains(layer.name()));
    Some(Adapted {
        blocks,
        layers: AdaptedLayer::ALL.into_iter().filter(has).collect(),
        // of the first name, which is an `A`
        rank: first.1.shape.first().copied().unwrap_or(0),
    })
}

/// Gives the tensors of the published code the names of our parameters. Where the text tower ends is
/// seen from the widths alone, so tensors of one tower, or of towers of one width, keep their names.
pub(super) fn renamed(tensors: &mut BTreeMap<String, CheckpointTensor>) {
    let ours = |name: &String| {
        [Tower::Text, Tower::Vision]
            .iter()
            .any(|t| name.starts_with(t.prefix()))
    };
    if tensors.keys().any(ours) {
        return;
    }
    let mut layers: BTreeMap<usize, usize> = BTreeMap::new();
    for (name, tensor) in tensors.iter() {
        if let Some((index, rest)) = published(name)
            && rest.ends_with(".w_lora_A")
            && let Some(width) = tensor.shape.last()
        {
            layers.insert(index, *width);
        }
    }
    let widths: Vec<usize> = layers.values().copied().collect();
    let text = widths
        .iter()
        .take_while(|width| **width == widths[0])
        .count();
    let two_towers = text < widths.len() && widths[text..].iter().all(|w| *w == widths[text]);
    if !two_towers || layers.keys().copied().ne(0..widths.len()) {
        return;
    }
    *tensors = std::mem::take(tensors)
        .into_iter()
        .map(|(name, tensor)| (own_name(&name, text).unwrap_or(name), tensor))
        .collect();
}

/// The number of the layer, and the name within it.
fn published(name: &str) -> Option<(usize, &str)> {
    let (index, rest) = name.strip_prefix(PUBLISHED)?.split_once('.')?;
    Some((index.parse().ok()?, rest))
}

/// The name of our parameter, where the first `text` layers are the text tower's.
fn own_name(name: &str, text: usize) -> Option<String> {
    let (index, rest) = published(name)?;
    let (tower, block) = match index.checked_sub(text) {
        None => (Tower::Text, index),
        Some(block) => (Tower::Vision, block),
    };
    let (layer, matrix) = rest.split_once('.')?;
    let layer = match layer {
        "q_proj" => AdaptedLayer::Q,
        "k_proj" => AdaptedLayer::K,
        "v_proj" => AdaptedLayer::V,
        "proj" => AdaptedLayer::Out,
        _ => return None,
    };
    let [a, b] = tower.names(block, layer);
    match matrix {
        "w_lora_A" => Some(a),
        "w_lora_B" => Some(b),
        _ => None,
    }
}
