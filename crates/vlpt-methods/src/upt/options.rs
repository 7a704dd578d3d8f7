//! The options of UPT, and what they come to for one model.

use serde::{Deserialize, Serialize};
use vlpt_clip::ClipConfig;

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::dropout::check_rate;
use crate::visual::MAX_COUNT;
use crate::{Depth, MethodError, Place, Position, Result};

/// Width of MVLPT's block.
const MVLPT_WIDTH: usize = 128;
/// The release's dropout.
const RELEASE_DROPOUT: f64 = 0.1;
/// Text tokens, and visual tokens a block, of both published shapes.
const DEFAULT_COUNT: usize = 4;
/// The widest block: a limit against slips.
const MAX_WIDTH: usize = 8192;
/// The most tokens of joint attention, whose weights are a square of them (256 MiB a head).
const MAX_JOINT: usize = 8192;
const KEYS: Keys = Keys {
    count: "upt.text_count",
    class_specific: "upt.class_specific",
};

/// Which published network the tokens go through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UptShape {
    /// MVLPT's (Shen et al., 2024): linear layers into and out of a narrow pre-norm block of
    /// CLIP's kind.
    #[default]
    Mvlpt,
    /// That of UPT's published code: a block of the text tower's width that normalises after
    /// attention and before its MLP, with dropout.
    Release,
}

/// Which tokens look at each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// Every token at all tokens of both kinds, as in the paper.
    #[default]
    Joint,
    /// Every token at itself alone, as both published codes compute it.
    Tokenwise,
}

options! {
    /// Options of [`Upt`](crate::Upt). Those that are left out follow the shape.
    pub struct UptConfig = "upt" {
        /// The network.
        shape: UptShape = UptShape::Mvlpt, "mvlpt or release";
        /// Which tokens look at each other.
        attention: Attention = Attention::Joint, "joint or tokenwise";
        /// Learned text tokens.
        text_count: usize = DEFAULT_COUNT, "1 to 74 with CLIP";
        /// Learned visual tokens a block of the image tower.
        visual_count: usize = DEFAULT_COUNT, "1 to 1024";
        /// Width of the small transformer; left out, 128 (mvlpt), or the text tower's, which is the
        /// only width that the release shape can have.
        #[serde(skip_serializing_if = "Option::is_none")]
        width: Option<usize> = None, "1 to 8192";
        /// Attention heads of the small transformer.
        heads: usize = 1, "a divisor of the width";
        /// Which blocks of the image tower have prompts of their own; left out, deep (mvlpt) or
        /// shallow (release).
        #[serde(skip_serializing_if = "Option::is_none")]
        depth: Option<Depth> = None, "shallow, deep, or a number of blocks";
        /// Probability that a number is dropped in a training step: of the visual prompts (mvlpt, 0
        /// when left out), or at the four places of the release's block (0.1 when left out).
        #[serde(skip_serializing_if = "Option::is_none")]
        dropout: Option<f64> = None, "0 or more, and less than 1";
        /// Where the class name stands.
        position: Position = Position::End, "end, middle or front";
        /// One set of text tokens for each class instead of one for all.
        class_specific: bool = false, "true or false";
        /// Words whose embeddings start the text tokens (mvlpt only); empty: random.
        init: String = String::new(), "words";
        /// Where the visual prompts of the first block enter; left out, before the layer norm in a
        /// shallow release shape, and after it otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<Place> = None, "after-ln-pre or before-ln-pre";
    }
}

/// Options that make sense together, for a model of known sizes.
pub(super) struct Plan {
    pub(super) context: Context,
    pub(super) attention: Attention,
    /// Visual tokens a block.
    pub(super) count: usize,
    /// Blocks with visual tokens of their own.
    pub(super) layers: usize,
    pub(super) place: Place,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) dropout: f64,
    pub(super) text_width: usize,
    pub(super) vision_width: usize,
    /// Side of a patch in pixels.
    pub(super) patch: usize,
}

impl Plan {
    /// # Errors
    /// [`MethodError::Option`] with the name of the option.
    pub(super) fn new(
        config: &UptConfig,
        model: &ClipConfig,
        words: &Words,
        classes: usize,
    ) -> Result<Self> {
        let release = config.shape == UptShape::Release;
        if release && !config.init.is_empty() {
            return Err(MethodError::Option {
                key: "upt.init",
                found: format!("{:?}", config.init),
                expected: "no words with upt.shape = release, whose tokens start at random"
                    .to_owned(),
            });
        }
        let context = Context::new(&ContextOptions {
            keys: KEYS,
            count: Some(config.text_count),
            default: DEFAULT_COUNT,
            words,
            classes: config.class_specific.then_some(classes),
            position: config.position,
            limit: model.text.context_length,
        })?;
        within(config.visual_count, MAX_COUNT, "upt.visual_count")?;
        let width = width(config, model.text.width)?;
        if config.heads == 0 || width % config.heads != 0 {
            return Err(MethodError::Option {
                key: "upt.heads",
                found: config.heads.to_string(),
                expected: format!("a divisor of {width}, the width of the small transformer"),
            });
        }
        let dropout = config
            .dropout
            .unwrap_or(if release { RELEASE_DROPOUT } else { 0.0 });
        check_rate(dropout, "upt.dropout")?;
        let depth = config.depth.unwrap_or(match config.shape {
            UptShape::Mvlpt => Depth::Deep,
            UptShape::Release => Depth::Shallow,
        });
        let layers = depth.layers(model.vision.layers, "upt.depth")?;
        let place = config.place.unwrap_or(if release && layers == 1 {
            Place::BeforeLnPre
        } else {
            Place::AfterLnPre
        });
        let tokens = context.rows() + layers * config.visual_count;
        if config.attention == Attention::Joint && tokens > MAX_JOINT {
            return Err(MethodError::Option {
                key: "upt.attention",
                found: format!("joint over {tokens} tokens"),
                expected: format!("at most {MAX_JOINT} tokens, or tokenwise attention"),
            });
        }
        Ok(Self {
            context,
            attention: config.attention,
            count: config.visual_count,
            layers,
            place,
            width,
            heads: config.heads,
            dropout,
            text_width: model.text.width,
            vision_width: model.vision.width,
            patch: model.vision.patch_size,
        })
    }
}

/// The width of the small transformer.
fn width(config: &UptConfig, text_width: usize) -> Result<usize> {
    match (config.shape, config.width) {
        (UptShape::Mvlpt, width) => {
            let width = width.unwrap_or(MVLPT_WIDTH);
            within(width, MAX_WIDTH, "upt.width")?;
            Ok(width)
        }
        (UptShape::Release, None) => Ok(text_width),
        (UptShape::Release, Some(width)) if width == text_width => Ok(width),
        (UptShape::Release, Some(width)) => Err(MethodError::Option {
            key: "upt.width",
            found: width.to_string(),
            expected: format!(
                "{text_width}, the width of the text tower: upt.shape = release has no layer \
                 between its tokens and the text"
            ),
        }),
    }
}

fn within(found: usize, limit: usize, key: &'static str) -> Result<()> {
    if (1..=limit).contains(&found) {
        return Ok(());
    }
    Err(MethodError::Option {
        key,
        found: found.to_string(),
        expected: format!("1 to {limit}"),
    })
}
