//! The chosen images by name, and their file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_base::files::write_atomic_shared;
use vlpt_base::hash::sha256;

use super::choose::Chosen;
use super::rule::FewShotRule;
use super::shots::Shots;
use crate::error::{FewShotError, Result};
use crate::sample::Sample;
use crate::task::{Split, Task};

/// A few-shot subset: the ids of its images, how they were drawn, and a hash over both.
///
/// It is stored as JSON. Ids are relative to the root of the set, so the file holds wherever the set
/// lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// Name of the task.
    pub task: String,
    /// The rule.
    pub rule: FewShotRule,
    /// Images a class.
    pub shots: Shots,
    /// Seed of the generator; 0 for a list, whose file does not say it.
    pub seed: u64,
    /// The tasks of a joint draw, in the order of the draw; empty where the task was drawn alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drawn_with: Vec<String>,
    /// The list that names the images, where nothing was drawn here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListOrigin>,
    /// Ids of the training images, all of the task's train split, in the order of the draw.
    pub train: Vec<String>,
    /// Ids of the validation images: of the task's val split under the CoOp rule, of its train split
    /// under the ELEVATER rule, all of one of the two for a list.
    pub val: Vec<String>,
    /// SHA-256 (hex) of the subset as compact JSON with this field empty.
    pub sha256: String,
}

/// The file that a subset is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListOrigin {
    /// Its name, without folders.
    pub file: String,
    /// SHA-256 (hex) of the file, of two that of both one after the other.
    pub sha256: String,
}

impl Subset {
    /// Names the chosen images of a task.
    pub(super) fn new(
        task: &Task,
        rule: FewShotRule,
        shots: Shots,
        seed: u64,
        chosen: &Chosen,
        drawn_with: Vec<String>,
    ) -> Self {
        let ids = |split: &Split, indices: &[usize]| -> Vec<String> {
            indices
                .iter()
                .map(|&index| split.samples[index].image.id())
                .collect()
        };
        let mut subset = Self {
            task: task.name.clone(),
            rule,
            shots,
            seed,
            drawn_with,
            list: None,
            train: ids(&task.train, &chosen.train),
            val: match val_split(task, rule) {
                Some((_, split)) => ids(split, &chosen.val),
                None => Vec::new(),
            },
            sha256: String::new(),
        };
        subset.sha256 = subset.content_hash();
        subset
    }

    /// Names the images of a list; those to validate on are of the split `val_from`.
    pub(super) fn of_list(
        task: &Task,
        shots: usize,
        chosen: &Chosen,
        val_from: &str,
        list: ListOrigin,
    ) -> Self {
        let ids = |split: &Split, indices: &[usize]| -> Vec<String> {
            let samples = indices.iter().map(|&index| &split.samples[index]);
            samples.map(|sample| sample.image.id()).collect()
        };
        let val = match &task.val {
            Some(val) if val_from == "val" => ids(val, &chosen.val),
            _ => ids(&task.train, &chosen.val),
        };
        let mut subset = Self {
            task: task.name.clone(),
            rule: FewShotRule::List,
            shots: Shots::Count(shots),
            seed: 0,
            drawn_with: Vec::new(),
            list: Some(list),
            train: ids(&task.train, &chosen.train),
            val,
            sha256: String::new(),
        };
        subset.sha256 = subset.content_hash();
        subset
    }

    /// The hash that the content has, whatever the field says.
    pub fn content_hash(&self) -> String {
        let bare = Self {
            sha256: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_string(&bare).expect("plain strings and numbers");
        sha256(text.as_bytes())
    }

    /// Checks that the content has the hash that the subset names.
    ///
    /// # Errors
    /// It has not.
    pub fn verify(&self) -> Result<()> {
        let found = self.content_hash();
        if found == self.sha256 {
            return Ok(());
        }
        let (task, stated) = (self.task.clone(), self.sha256.clone());
        Err(FewShotError::HashMismatch {
            task,
            found,
            stated,
        }
        .into())
    }

    /// The indices of the subset: into the task's train split, and into the split that its
    /// validation images are of.
    ///
    /// # Errors
    /// The subset is of another task, or names images that the task does not have.
    pub fn indices(&self, task: &Task) -> Result<(Vec<usize>, Vec<usize>)> {
        if self.task != task.name {
            let (subset, task) = (self.task.clone(), task.name.clone());
            return Err(FewShotError::OtherTask { subset, task }.into());
        }
        let train = self.find(&self.train, &task.train, "train")?;
        let val = match self.val_split(task) {
            Some((name, split)) => self.find(&self.val, split, name)?,
            None => self.find(&self.val, &Split::default(), "val")?,
        };
        Ok((train, val))
    }

    /// The images of the subset: for training, and for validation.
    ///
    /// # Errors
    /// As [`Subset::indices`].
    pub fn splits(&self, task: &Task) -> Result<(Split, Split)> {
        let (train, val) = self.indices(task)?;
        let take = |split: &Split, indices: &[usize]| -> Vec<Sample> {
            indices
                .iter()
                .map(|&index| split.samples[index].clone())
                .collect()
        };
        let val = self.val_split(task).map(|(_, split)| take(split, &val));
        Ok((
            Split::new(take(&task.train, &train)),
            Split::new(val.unwrap_or_default()),
        ))
    }

    /// The split that the validation images are of.
    fn val_split<'t>(&self, task: &'t Task) -> Option<(&'static str, &'t Split)> {
        let own = val_split(task, self.rule);
        let holds = |split: &Split, id: &String| {
            let mut ids = split.samples.iter().map(|sample| sample.image.id());
            ids.any(|own| own == *id)
        };
        match (self.rule, own, self.val.first()) {
            (FewShotRule::List, Some((_, val)), Some(id)) if holds(val, id) => own,
            (FewShotRule::List, _, Some(_)) => Some(("train", &task.train)),
            _ => own,
        }
    }

    /// Where ids stand in a split. An image that the split lists twice is found twice, and one that a
    /// list names more often than the split has it is found again.
    fn find(&self, ids: &[String], split: &Split, name: &'static str) -> Result<Vec<usize>> {
        let mut places: BTreeMap<String, std::collections::VecDeque<usize>> = BTreeMap::new();
        for (index, sample) in split.samples.iter().enumerate() {
            places
                .entry(sample.image.id())
                .or_default()
                .push_back(index);
        }
        let mut found = Vec::with_capacity(ids.len());
        let mut absent = Vec::new();
        for id in ids {
            let again = self.rule == FewShotRule::List;
            let found_at = places.get_mut(id).and_then(|all| match all.len() {
                1 if again => all.front().copied(),
                _ => all.pop_front(),
            });
            match found_at {
                Some(index) => found.push(index),
                None => absent.push(id),
            }
        }
        let Some(first) = absent.first() else {
            return Ok(found);
        };
        Err(FewShotError::MissingImages {
            task: self.task.clone(),
            split: name,
            missing: absent.len(),
            total: ids.len(),
            first: (*first).clone(),
        }
        .into())
    }

    /// The subset as the text of its file.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain strings and numbers");
        text.push('\n');
        text
    }

    /// Writes the subset as JSON. The file is whole or absent: it is written beside its place,
    /// synced and renamed.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(write_atomic_shared(path, self.to_json().as_bytes())?)
    }

    /// Reads a subset and checks its hash, and that the task has all of its images.
    ///
    /// # Errors
    /// The file cannot be read or is no subset; the hash is wrong; the task differs or lacks images.
    pub fn load(path: &Path, task: &Task) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let subset: Self =
            serde_json::from_str(&text).map_err(|error| FewShotError::NotASubset {
                path: path.to_path_buf(),
                detail: error.to_string(),
            })?;
        subset.verify()?;
        subset.indices(task)?;
        Ok(subset)
    }
}

/// The split that a rule's validation images are of.
fn val_split(task: &Task, rule: FewShotRule) -> Option<(&'static str, &Split)> {
    match rule {
        FewShotRule::Coop | FewShotRule::List => task.val.as_ref().map(|val| ("val", val)),
        FewShotRule::Elevater => Some(("train", &task.train)),
    }
}
