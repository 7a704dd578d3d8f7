//! How several data sets are learned from together.

use serde::{Deserialize, Serialize};

use super::check::need;
use super::{DataConfig, RunConfig};
use crate::{Mask, Mix, Result};

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

impl RunConfig {
    /// What can be said of the data sets without opening them.
    pub(super) fn check_tasks(&self) -> Result<()> {
        for entry in &self.tasks {
            let expected = "a path, or a table with one";
            need(!entry.path().is_empty(), "tasks", "\"\"", expected)?;
        }
        let data = &self.data;
        need(
            self.tasks.is_empty() || data.path.is_empty(),
            "data.path",
            &data.path,
            "nothing beside `tasks`: name all data sets there, or one here",
        )?;
        need(
            self.tasks.is_empty() || *data == DataConfig::default(),
            "data",
            "settings of one data set",
            "none beside `tasks`: give a task its own, as { path = \"FOLDER\", split_seed = 1 }",
        )?;
        let temperature = self.multitask.temperature;
        need(
            temperature.is_finite() && temperature > 0.0,
            "multitask.temperature",
            temperature,
            "a number above 0",
        )?;
        need(
            self.init_from.is_empty() || !self.method.is_baseline(),
            "init_from",
            &self.init_from,
            "nothing: a baseline starts from no prompt",
        )?;
        need(
            self.tasks.len() < 2 || !self.method.is_baseline(),
            "tasks",
            format!("{} data sets", self.tasks.len()),
            "one: a baseline is fitted to a single data set",
        )
    }
}
