//! Which data sets a run learns from, and which of their images.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use vlpt_data::fewshot::{FewShotRule, Shots};
use vlpt_data::{BrokenImages, ClassSubset, Format, LabelFromName, LabelSeparator};

/// A data set and how to read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// A folder or file, or `synthetic:NAME` for a task that the program draws itself.
    pub path: String,
    /// The layout; left out: recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Name of the set: chooses one of several below a root, and its catalogue entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seed of the split of a set that brings none, and of a synthetic task.
    pub split_seed: u64,
    /// Column with the images of a Parquet file or manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_column: Option<String>,
    /// Column with the labels of a Parquet file or manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// File with the class names, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_file: Option<String>,
    /// Leave out class folders without images instead of refusing them.
    pub drop_empty_classes: bool,
    /// Leave out listed images that are absent instead of refusing them.
    pub skip_missing_images: bool,
    /// Which classes are used: `all`, or the `base` or `new` half as CoOp's code divides them.
    #[serde(skip_serializing_if = "ClassSubset::is_all")]
    pub class_subset: ClassSubset,
    /// Folder with the images that a table lists; left out: found beside the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_root: Option<String>,
    /// What stands between several labels in a cell of a table, such as `;`, `pipe` or `space`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_separator: Option<LabelSeparator>,
    /// Where in file names the class stands: `prefix`, before a number at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_from_name: Option<LabelFromName>,
    /// Templates for zero-shot texts; empty: the task's own.
    pub templates: Vec<String>,
    /// Images that cannot be decoded: `stop` at the first, or `skip` them. To skip them, every image is decoded once
    /// before any is drawn.
    #[serde(skip_serializing_if = "BrokenImages::is_default")]
    pub broken: BrokenImages,
    /// Learn from all images: also from those for validation, and, of a set that brings no splits, from
    /// those that would be made its test images. Test images that a set itself names stay apart.
    #[serde(skip_serializing_if = "is_off")]
    pub all_to_train: bool,
    /// Further data sets with the same classes, read as the first; their images are added to its own, and
    /// classes that they bring are counted on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
fn is_off(value: &bool) -> bool {
    !*value
}

/// How the training images are sampled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FewShotConfig {
    /// The sampling rule; left out: `coop`, or `elevater` where images have several labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<FewShotRule>,
    /// Images of each class, or `all`.
    pub shots: Shots,
    /// Seed of the sampling; left out: the run's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// A file that names the images instead of a draw: `.jsonl` (with `_val.jsonl` beside
    /// `_train.jsonl`), `.pkl` as CoOp's code caches it, or `.json` as `vlpt data sample` writes it.
    /// `{task}`, `{shots}` and `{seed}` stand for the task's name, `shots`, and the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Learn from the validation images of the subset too, so that none are left to choose by: what
    /// ELEVATER's toolkit does in its last training.
    #[serde(skip_serializing_if = "is_off")]
    pub merge_val: bool,
}

impl FewShotConfig {
    /// The file of a task's list, where lists say which images are used.
    pub fn list_of(&self, task: &str, seed: u64) -> Option<PathBuf> {
        let list = self.list.as_ref()?;
        let file = list
            .replace("{task}", task)
            .replace("{shots}", &self.shots.to_string())
            .replace("{seed}", &seed.to_string());
        Some(PathBuf::from(file))
    }
}

impl Default for FewShotConfig {
    fn default() -> Self {
        Self {
            rule: None,
            shots: Shots::Count(16),
            seed: None,
            list: None,
            merge_val: false,
        }
    }
}

/// One of several data sets: a path alone, or a table with the keys of [`DataConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TaskEntry {
    /// A folder or file, or `synthetic:NAME`.
    Path(String),
    /// A data set and how to read it.
    Table(DataConfig),
}

impl TaskEntry {
    /// The data set and how to read it.
    pub fn data(&self) -> DataConfig {
        match self {
            Self::Path(path) => DataConfig {
                path: path.clone(),
                ..DataConfig::default()
            },
            Self::Table(data) => data.clone(),
        }
    }

    /// Its path.
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Table(data) => &data.path,
        }
    }
}

// By hand, so that a wrong key in a table is named as it is anywhere else.
impl<'de> Deserialize<'de> for TaskEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl<'de> Visitor<'de> for Entry {
            type Value = TaskEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with the keys of [data]")
            }

            fn visit_str<E>(self, path: &str) -> Result<TaskEntry, E> {
                Ok(TaskEntry::Path(path.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TaskEntry, A::Error> {
                DataConfig::deserialize(MapAccessDeserializer::new(map)).map(TaskEntry::Table)
            }
        }

        deserializer.deserialize_any(Entry)
    }
}
