//! From a configuration to images: the task, the few shots, the preprocessing.

use std::path::{Path, PathBuf};

use vlpt_clip::{Clip, Interpolation as ClipInterpolation, ResizeMode as ClipResizeMode};
use vlpt_data::image::{Interpolation, Preprocess, ResizeMode};
use vlpt_data::{FewShotRule, OpenOptions, Split, Subset, Task, few_shot_of};

use crate::{DataConfig, ImageConfig, Result, RunConfig, TrainError};

/// What marks a task that the program draws itself.
const DRAWN: &str = "drawn:";

/// Opens the task that a configuration names.
///
/// # Errors
/// No path was given, or the data set cannot be read; see [`vlpt_data::open`].
pub fn open_task(config: &DataConfig) -> Result<Task> {
    if config.path.is_empty() {
        return Err(TrainError::Setting {
            key: "data.path",
            found: "\"\"".to_owned(),
            expected: "a data set's folder or file, or drawn:NAME".to_owned(),
        });
    }
    let mut task = if let Some(name) = config.path.strip_prefix(DRAWN) {
        vlpt_data::drawn::drawn(name, config.split_seed)?
    } else {
        let options = OpenOptions {
            format: config.format,
            name: config.name.clone(),
            split_seed: config.split_seed,
            image_column: config.image_column.clone(),
            label_column: config.label_column.clone(),
            class_file: config.class_file.as_ref().map(PathBuf::from),
            drop_empty_classes: config.drop_empty_classes,
            skip_missing_images: config.skip_missing_images,
            ..OpenOptions::default()
        };
        vlpt_data::open(Path::new(&config.path), &options)?
    };
    if !config.templates.is_empty() {
        task.templates.clone_from(&config.templates);
    }
    Ok(task)
}

/// The images that a run learns from.
#[derive(Debug, Clone)]
pub struct TrainingData {
    /// The whole task.
    pub task: Task,
    /// Which images were chosen, and how.
    pub subset: Subset,
    /// The images trained on.
    pub train: Split,
    /// The images that may choose an epoch; can be empty.
    pub val: Split,
}

impl TrainingData {
    /// Opens the task of a configuration and draws its few shots.
    ///
    /// # Errors
    /// As [`open_task`], and whatever the sampling rule refuses.
    pub fn open(config: &RunConfig) -> Result<Self> {
        Self::of(open_task(&config.data)?, config)
    }

    /// Draws the few shots of an open task.
    ///
    /// # Errors
    /// Whatever the sampling rule refuses.
    pub fn of(task: Task, config: &RunConfig) -> Result<Self> {
        let few = &config.few_shot;
        let usual = if task.multi_label {
            FewShotRule::Elevater
        } else {
            FewShotRule::Coop
        };
        let rule = few.rule.unwrap_or(usual);
        let subset = few_shot_of(&task, rule, few.shots, config.few_shot_seed())?;
        let (train, val) = subset.splits(&task)?;
        if train.is_empty() {
            return Err(TrainError::NoImages {
                task: task.name,
                split: "training",
            });
        }
        Ok(Self {
            task,
            subset,
            train,
            val,
        })
    }
}

/// The preprocessing of a model, with a configuration's changes.
pub fn preprocess(clip: &Clip, changes: &ImageConfig) -> Preprocess {
    let own = &clip.preprocess;
    Preprocess {
        image_size: own.image_size as u32,
        resize: changes.resize.unwrap_or(match own.resize {
            ClipResizeMode::Shortest => ResizeMode::Shortest,
            ClipResizeMode::Squash => ResizeMode::Squash,
            ClipResizeMode::Longest => ResizeMode::Longest,
        }),
        interpolation: match own.interpolation {
            ClipInterpolation::Bicubic => Interpolation::Bicubic,
            ClipInterpolation::Bilinear => Interpolation::Bilinear,
        },
        mean: own.mean,
        std: own.std,
        fill: own.fill,
    }
}
