//! How several data sets are learned from together.

use serde::{Deserialize, Serialize};

use crate::{Mask, Mix};

/// Options of a run over several data sets; one alone takes no notice of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultitaskConfig {
    /// Which classes an image is told apart from.
    pub label_space: LabelSpace,
    /// How the tasks' images are mixed.
    pub mix: Mix,
    /// Of `mix = "temperature"`; above 0.
    pub temperature: f64,
}

impl Default for MultitaskConfig {
    fn default() -> Self {
        Self {
            label_space: LabelSpace::Union,
            mix: Mix::Proportional,
            temperature: 2.0,
        }
    }
}

/// Which classes an image is told apart from in training. Validation and tests always look at the
/// classes of an image's own task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelSpace {
    /// Those of all tasks.
    #[default]
    Union,
    /// Those of its task: the others are at minus infinity.
    PerTask,
    /// Those of its task, and as many logits of 0 as there are others: what published code does
    /// under the name of a mask. For comparison only.
    ZeroMask,
}

impl From<LabelSpace> for Mask {
    fn from(space: LabelSpace) -> Self {
        match space {
            LabelSpace::Union => Self::Union,
            LabelSpace::PerTask => Self::PerTask,
            LabelSpace::ZeroMask => Self::Zero,
        }
    }
}
