//! What methods with visual prompts have in common: how many blocks get prompts of their own,
//! where the first ones enter, and the published initial values.

use serde::{Deserialize, Serialize};
use vlpt_clip::VisualPlace;

use crate::{MethodError, Result};

/// The most prompts that one block may get: a limit against slips, far above what is published.
pub(crate) const MAX_COUNT: usize = 1024;

/// Number of blocks of the image tower with prompts of their own, from the first one on.
///
/// A block's prompts replace what the block before made of its own. After the last block with
/// prompts of its own they go on as ordinary tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Depth {
    /// The first block alone.
    Shallow,
    /// All blocks.
    #[default]
    Deep,
    /// So many.
    Layers(usize),
}

impl Depth {
    /// The number of blocks in a tower of `blocks`.
    ///
    /// # Errors
    /// [`MethodError::Option`] of the name `key` for no block, or more than the tower has.
    pub fn layers(self, blocks: usize, key: &'static str) -> Result<usize> {
        match self {
            Self::Shallow => Ok(1),
            Self::Deep => Ok(blocks),
            Self::Layers(layers) if (1..=blocks).contains(&layers) => Ok(layers),
            Self::Layers(layers) => Err(MethodError::Option {
                key,
                found: layers.to_string(),
                expected: format!("\"shallow\", \"deep\", or 1 to {blocks} with this image tower"),
            }),
        }
    }
}

/// A depth in a configuration file.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"shallow\", \"deep\", or a number of blocks"
)]
enum Written {
    Layers(usize),
    Word(Word),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Shallow,
    Deep,
}

impl From<Written> for Depth {
    fn from(written: Written) -> Self {
        match written {
            Written::Layers(layers) => Self::Layers(layers),
            Written::Word(Word::Shallow) => Self::Shallow,
            Written::Word(Word::Deep) => Self::Deep,
        }
    }
}

impl From<Depth> for Written {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Layers(layers) => Self::Layers(layers),
            Depth::Shallow => Self::Word(Word::Shallow),
            Depth::Deep => Self::Word(Word::Deep),
        }
    }
}

/// Where the prompts of the first block enter, beside the class token and the patches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// After the layer norm in front of the blocks.
    #[default]
    AfterLnPre,
    /// Before it, so that it normalises them too.
    BeforeLnPre,
}

impl From<Place> for VisualPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::AfterLnPre => Self::AfterLnPre,
            Place::BeforeLnPre => Self::BeforeLnPre,
        }
    }
}

/// The bound v of initial visual prompts, which are uniform in (-v, v): the root of
/// `6 / (3 p p + d)` for patches of side `p` and prompts of `d` numbers, as if the prompts came
/// from a patch embedding with Glorot initialisation (Jia et al., "Visual Prompt Tuning", 2022).
pub fn initial_bound(patch: usize, width: usize) -> f64 {
    (6.0 / (3 * patch * patch + width) as f64).sqrt()
}
