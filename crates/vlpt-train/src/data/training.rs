//! The images that a run learns from, of one task or of several.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use vlpt_adapter::AdapterError;
use vlpt_data::fewshot::{FewShotError, few_shot_joint_order, few_shot_stream};
use vlpt_data::{DataError, FewShotRule, Metric, Sample, Split, Subset, Task, few_shot_of};
use vlpt_methods::class_text;

use super::open_tasks;
use crate::{Result, RunConfig, Select, TrainError};

/// The images that a run learns from.
#[derive(Debug, Clone)]
pub struct TrainingData {
    /// The whole task. Several are put together in their order: classes and images one after the
    /// other, labels counted through.
    pub task: Task,
    /// The tasks it is made of, at least one.
    pub members: Vec<Member>,
    /// The images trained on, one task after the other.
    pub train: Split,
    /// The images that may choose an epoch, in the same order; can be empty.
    pub val: Split,
    /// The images trained on in the order of their draw: that of one list where several tasks were
    /// drawn from one, else as they stand in `train`.
    pub order: Vec<usize>,
}

/// A task among those that are learned together.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The number it is judged by.
    pub metric: Metric,
    /// Whether an image may show several of its classes.
    pub multi_label: bool,
    /// Its classes among all.
    pub classes: Range<usize>,
    /// Its images among those trained on.
    pub train: Range<usize>,
    /// Its images among those that may choose an epoch.
    pub val: Range<usize>,
    /// Which of its images were chosen, and how.
    pub subset: Subset,
}

/// A class name that several tasks have, as texts say it and without regard to capitals. Prompts
/// that are the same for every class make one text of it, so no union of the tasks can tell the
/// classes apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedName {
    /// The name.
    pub name: String,
    /// The tasks that have it.
    pub tasks: Vec<String>,
}

impl TrainingData {
    /// Opens the tasks of a configuration and draws their few shots.
    ///
    /// # Errors
    /// As [`open_tasks`] and [`TrainingData::of_tasks`].
    pub fn open(config: &RunConfig) -> Result<Self> {
        Self::of_tasks(&open_tasks(config)?, config)
    }

    /// Draws the few shots of an open task.
    ///
    /// # Errors
    /// Whatever the sampling rule refuses.
    pub fn of(task: Task, config: &RunConfig) -> Result<Self> {
        Self::of_tasks(&[task], config)
    }

    /// Draws the few shots of open tasks: of one as it is drawn alone; of several as published
    /// multitask code does, with one random stream through the list (rule `coop`), or from one
    /// list of all images, tasks sorted by name (rule `elevater`). Where `few_shot.list` names files,
    /// nothing is drawn.
    ///
    /// # Errors
    /// Whatever the sampling rule or the list refuses, or a task that is left without training images.
    pub fn of_tasks(tasks: &[Task], config: &RunConfig) -> Result<Self> {
        let few = &config.few_shot;
        let several_labels = tasks.iter().any(|task| task.multi_label);
        let usual = if several_labels {
            FewShotRule::Elevater
        } else {
            FewShotRule::Coop
        };
        let rule = few.rule.unwrap_or(usual);
        let (shots, seed) = (few.shots, config.few_shot_seed());
        let all: Vec<&Task> = tasks.iter().collect();
        let mut joint = None;
        let subsets = match (&all[..], rule) {
            (all, _) if few.list.is_some() => listed(all, config)?,
            ([task], rule) => vec![few_shot_of(task, rule, shots, seed)?],
            (all, FewShotRule::Coop) => few_shot_stream(all, shots, seed)?,
            (all, FewShotRule::Elevater) => {
                let (subsets, order) = few_shot_joint_order(all, shots, seed)?;
                joint = Some(order);
                subsets
            }
            (_, FewShotRule::List) => {
                return Err(DataError::from(FewShotError::ListWithoutFile).into());
            }
        };
        let (mut train, mut val) = (Split::default(), Split::default());
        let mut members = Vec::with_capacity(tasks.len());
        let mut classes = 0;
        for (task, subset) in tasks.iter().zip(subsets) {
            let (mut own_train, mut own_val) = subset.splits(task)?;
            if few.merge_val {
                merge(&mut own_train, &mut own_val);
            }
            if config.train.select == Select::BestTest {
                own_val = task.test.clone();
            }
            if own_train.is_empty() {
                return Err(AdapterError::NoImages {
                    task: task.name.clone(),
                    split: "training",
                }
                .into());
            }
            members.push(Member {
                name: task.name.clone(),
                metric: task.metric,
                multi_label: task.multi_label,
                classes: classes..classes + task.classes.len(),
                train: append(&mut train, &own_train, classes),
                val: append(&mut val, &own_val, classes),
                subset,
            });
            classes += task.classes.len();
        }
        let order = match joint {
            Some(order) => {
                let place = |(task, at): (usize, usize)| members[task].train.start + at;
                let mut order: Vec<usize> = order.into_iter().map(place).collect();
                // validation images that are learned from too come after those that were drawn to be
                let drawn: BTreeSet<usize> = order.iter().copied().collect();
                order.extend((0..train.len()).filter(|at| !drawn.contains(at)));
                order
            }
            None => (0..train.len()).collect(),
        };
        Ok(Self {
            task: together(tasks)?,
            members,
            train,
            val,
            order,
        })
    }

    /// The validation images of a member that it does not learn from, with labels of its own: those by
    /// which probabilities can be judged. None where test images stand in for them.
    pub fn held_out(&self, member: &Member, config: &RunConfig) -> Vec<Sample> {
        if config.train.select == Select::BestTest {
            return Vec::new();
        }
        let own = &self.train.samples[member.train.clone()];
        let learned: BTreeSet<String> = own.iter().map(|image| image.image.id()).collect();
        let first = member.classes.start as u32;
        let val = self.val.samples[member.val.clone()].iter();
        val.filter(|image| !learned.contains(&image.image.id()))
            .map(|image| Sample {
                image: image.image.clone(),
                labels: image.labels.iter().map(|label| label - first).collect(),
            })
            .collect()
    }

    /// Class names that several of the tasks have, sorted.
    pub fn shared_names(&self) -> Vec<SharedName> {
        let mut tasks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for member in &self.members {
            for class in &self.task.classes[member.classes.clone()] {
                let own = tasks.entry(class_text(class).to_lowercase()).or_default();
                if own.last() != Some(&member.name) {
                    own.push(member.name.clone());
                }
            }
        }
        tasks
            .into_iter()
            .filter(|(_, tasks)| tasks.len() > 1)
            .map(|(name, tasks)| SharedName { name, tasks })
            .collect()
    }
}

/// Takes validation images to those for training; one that is both already, as with one shot, stays one.
fn merge(train: &mut Split, val: &mut Split) {
    let known: BTreeSet<String> = train.samples.iter().map(|image| image.image.id()).collect();
    let others = std::mem::take(&mut val.samples).into_iter();
    train
        .samples
        .extend(others.filter(|image| !known.contains(&image.image.id())));
}

/// The subsets that the files of `few_shot.list` name.
fn listed(tasks: &[&Task], config: &RunConfig) -> Result<Vec<Subset>> {
    let (few, seed) = (&config.few_shot, config.few_shot_seed());
    if tasks.len() > 1 && !few.list.iter().any(|list| list.contains("{task}")) {
        return Err(TrainError::Setting {
            key: "few_shot.list",
            found: few.list.clone().unwrap_or_default(),
            expected: format!(
                "a name with {{task}} in it, for {} tasks have a list each",
                tasks.len()
            ),
        });
    }
    let files = tasks
        .iter()
        .map(|task| (task, few.list_of(&task.name, seed)));
    files
        .map(|(task, file)| {
            let file = file.ok_or_else(|| DataError::from(FewShotError::ListWithoutFile))?;
            Ok(Subset::of_file(&file, task, few.shots)?)
        })
        .collect()
}

/// Adds images whose labels are counted from `first` on; gives their places.
fn append(all: &mut Split, own: &Split, first: usize) -> Range<usize> {
    let start = all.len();
    all.samples.extend(own.samples.iter().map(|item| {
        Sample {
            image: item.image.clone(),
            labels: item
                .labels
                .iter()
                .map(|label| label + first as u32)
                .collect(),
        }
    }));
    start..all.len()
}

/// Several tasks as one.
fn together(tasks: &[Task]) -> Result<Task> {
    let Some((first, others)) = tasks.split_first() else {
        return Err(TrainError::Incompatible {
            what: "no task given: expected one or more".to_owned(),
            hint: None,
        });
    };
    let mut all = first.clone();
    for task in others {
        let classes = all.classes.len();
        all.name = format!("{}+{}", all.name, task.name);
        all.classes.extend(task.classes.iter().cloned());
        append(&mut all.train, &task.train, classes);
        append(&mut all.test, &task.test, classes);
        if let Some(val) = &task.val {
            append(all.val.get_or_insert_default(), val, classes);
        }
        all.multi_label |= task.multi_label;
        all.provenance
            .notes
            .extend(task.provenance.notes.iter().cloned());
        all.provenance
            .left_out
            .extend(task.provenance.left_out.iter().cloned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(rule: FewShotRule, shots: usize) -> RunConfig {
        let mut config = RunConfig::default();
        config.few_shot.rule = Some(rule);
        config.few_shot.shots = vlpt_data::Shots::Count(shots);
        config
    }

    fn tasks() -> Vec<Task> {
        let one = |name: &str| vlpt_data::synthetic::task(name, 0).unwrap();
        vec![one("shapes"), one("digits")]
    }

    fn ids(samples: &[Sample]) -> BTreeSet<String> {
        samples.iter().map(|image| image.image.id()).collect()
    }

    #[test]
    fn merged_validation_images_are_learned_from_and_none_are_left() {
        let tasks = tasks();
        for rule in [FewShotRule::Coop, FewShotRule::Elevater] {
            let mut config = config(rule, 5);
            let parted = TrainingData::of_tasks(&tasks, &config).unwrap();
            assert!(!parted.val.is_empty());
            config.few_shot.merge_val = true;
            let merged = TrainingData::of_tasks(&tasks, &config).unwrap();
            assert!(merged.val.is_empty());
            let mut both = ids(&parted.train.samples);
            both.extend(ids(&parted.val.samples));
            assert_eq!(ids(&merged.train.samples), both);
            assert_eq!(merged.train.len(), parted.train.len() + parted.val.len());
            let mut order = merged.order.clone();
            order.sort_unstable();
            assert!(order.into_iter().eq(0..merged.train.len()), "{rule}");
        }
        // with one shot ELEVATER's validation images are the training images
        let mut config = config(FewShotRule::Elevater, 1);
        config.few_shot.merge_val = true;
        let one = TrainingData::of_tasks(&tasks[..1], &config).unwrap();
        assert_eq!(one.train.len(), tasks[0].classes.len());
    }

    #[test]
    fn held_out_images_are_those_that_nothing_was_learned_from() {
        let tasks = tasks();
        let mut config = config(FewShotRule::Elevater, 5);
        let data = TrainingData::of_tasks(&tasks, &config).unwrap();
        for (task, member) in tasks.iter().zip(&data.members) {
            let held = data.held_out(member, &config);
            assert_eq!(held.len(), member.val.len());
            assert!(ids(&held).is_disjoint(&ids(&data.train.samples)));
            let classes = task.classes.len() as u32;
            assert!(held.iter().all(|image| image.labels[0] < classes));
        }
        // test images that choose the epoch are not held out
        config.train.select = Select::BestTest;
        let data = TrainingData::of_tasks(&tasks, &config).unwrap();
        assert_eq!(
            ids(&data.val.samples).len(),
            tasks[0].test.len() + tasks[1].test.len()
        );
        assert!(data.held_out(&data.members[0], &config).is_empty());
        // nor are training images, which one shot validates on
        config.train.select = Select::BestVal;
        config.few_shot.shots = vlpt_data::Shots::Count(1);
        let data = TrainingData::of_tasks(&tasks[..1], &config).unwrap();
        assert!(!data.val.is_empty());
        assert!(data.held_out(&data.members[0], &config).is_empty());
    }
}
