//! Names that stand for repositories: OpenAI's own, and OpenCLIP's name and tag.

use crate::config::Activation::{self, Gelu, QuickGelu};

/// Name, repository, activation. The `openai` tag means OpenAI's weights in the folders that
/// OpenAI itself put on the hub.
const KNOWN: [(&str, &str, Activation); 28] = [
    ("ViT-B/32", "openai/clip-vit-base-patch32", QuickGelu),
    ("ViT-B/16", "openai/clip-vit-base-patch16", QuickGelu),
    ("ViT-L/14", "openai/clip-vit-large-patch14", QuickGelu),
    (
        "ViT-L/14@336px",
        "openai/clip-vit-large-patch14-336",
        QuickGelu,
    ),
    ("ViT-B-32/openai", "openai/clip-vit-base-patch32", QuickGelu),
    ("ViT-B-16/openai", "openai/clip-vit-base-patch16", QuickGelu),
    (
        "ViT-L-14/openai",
        "openai/clip-vit-large-patch14",
        QuickGelu,
    ),
    (
        "ViT-L-14-336/openai",
        "openai/clip-vit-large-patch14-336",
        QuickGelu,
    ),
    (
        "ViT-B-32-quickgelu/openai",
        "openai/clip-vit-base-patch32",
        QuickGelu,
    ),
    (
        "ViT-B-16-quickgelu/openai",
        "openai/clip-vit-base-patch16",
        QuickGelu,
    ),
    (
        "ViT-L-14-quickgelu/openai",
        "openai/clip-vit-large-patch14",
        QuickGelu,
    ),
    (
        "ViT-L-14-336-quickgelu/openai",
        "openai/clip-vit-large-patch14-336",
        QuickGelu,
    ),
    (
        "ViT-B-32/laion2b_s34b_b79k",
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        Gelu,
    ),
    (
        "ViT-B-32/datacomp_xl_s13b_b90k",
        "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        Gelu,
    ),
    (
        "ViT-B-32/datacomp_m_s128m_b4k",
        "laion/CLIP-ViT-B-32-DataComp.M-s128M-b4K",
        Gelu,
    ),
    (
        "ViT-B-32/datacomp_s_s13m_b4k",
        "laion/CLIP-ViT-B-32-DataComp.S-s13M-b4K",
        Gelu,
    ),
    (
        "ViT-B-32-256/datacomp_s34b_b86k",
        "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
        Gelu,
    ),
    (
        "ViT-B-16/laion2b_s34b_b88k",
        "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
        Gelu,
    ),
    (
        "ViT-B-16/datacomp_xl_s13b_b90k",
        "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        Gelu,
    ),
    (
        "ViT-B-16/datacomp_l_s1b_b8k",
        "laion/CLIP-ViT-B-16-DataComp.L-s1B-b8K",
        Gelu,
    ),
    (
        "ViT-L-14/laion2b_s32b_b82k",
        "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
        Gelu,
    ),
    (
        "ViT-L-14/datacomp_xl_s13b_b90k",
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        Gelu,
    ),
    (
        "ViT-L-14/commonpool_xl_s13b_b90k",
        "laion/CLIP-ViT-L-14-CommonPool.XL-s13B-b90K",
        Gelu,
    ),
    (
        "ViT-L-14/commonpool_xl_clip_s13b_b90k",
        "laion/CLIP-ViT-L-14-CommonPool.XL.clip-s13B-b90K",
        Gelu,
    ),
    (
        "ViT-H-14/laion2b_s32b_b79k",
        "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        Gelu,
    ),
    (
        "ViT-g-14/laion2b_s12b_b42k",
        "laion/CLIP-ViT-g-14-laion2B-s12B-b42K",
        Gelu,
    ),
    (
        "ViT-g-14/laion2b_s34b_b88k",
        "laion/CLIP-ViT-g-14-laion2B-s34B-b88K",
        Gelu,
    ),
    (
        "ViT-bigG-14/laion2b_s39b_b160k",
        "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
        Gelu,
    ),
];

/// Parts of OpenCLIP's names, lower case, that show a tower of another kind.
const OTHERS: [(&str, &str); 9] = [
    ("siglip", "a SigLIP model"),
    ("coca_", "a CoCa model"),
    ("convnext", "a ConvNeXt image tower"),
    ("eva0", "an EVA image tower"),
    ("roberta", "a Hugging Face text tower"),
    ("mt5", "a Hugging Face text tower"),
    ("mobileclip", "a MobileCLIP image tower"),
    ("vitamin", "a ViTamin image tower"),
    ("nllb", "a Hugging Face text tower"),
];

/// The repository and activation of a known name, however its letters are cased.
pub(super) fn repository(name: &str) -> Option<(&'static str, Activation)> {
    KNOWN
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name))
        .map(|(_, id, activation)| (*id, *activation))
}

/// All known names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, ..)| *name)
}

/// Whether a name begins as OpenCLIP's models do; the hub has no such organisations.
pub(super) fn of_open_clip(name: &str) -> bool {
    name.to_lowercase().starts_with("vit-")
}

/// What another kind of tower OpenCLIP's name of a model shows, if any.
pub(super) fn other_tower(name: &str) -> Option<&'static str> {
    let model = name.split('/').next().unwrap_or(name).to_lowercase();
    let resnet = model
        .strip_prefix("rn")
        .and_then(|rest| rest.bytes().next());
    if resnet.is_some_and(|byte| byte.is_ascii_digit()) {
        return Some("a ResNet image tower");
    }
    let open_clip = |part: &str| model.starts_with(part) || of_open_clip(&model);
    OTHERS
        .iter()
        .find(|(part, _)| model.contains(part) && (open_clip(part) || model.contains("-vit-")))
        .map(|(_, what)| *what)
}
