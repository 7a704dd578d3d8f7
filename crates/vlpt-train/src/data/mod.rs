//! From a configuration to images: the tasks, the few shots, the preprocessing.

mod class_weights;
mod training;

use std::path::{Path, PathBuf};

use vlpt_clip::Progress;
use vlpt_data::{BrokenImages, DataError, Format, OpenOptions, Task, check_settings, synthetic};

use crate::{DataConfig, Result, RunConfig, TrainError};

pub use training::{Member, SharedName, TrainingData};

/// Opens the task that a configuration names.
///
/// # Errors
/// No path was given, or the data set cannot be read; see [`vlpt_data::open`].
pub fn open_task(config: &DataConfig) -> Result<Task> {
    open_task_watched(config, &())
}

/// As [`open_task`]; `progress` is told of images where all of them are decoded, to leave out the broken ones.
///
/// # Errors
/// As [`open_task`].
pub fn open_task_watched(config: &DataConfig, progress: &dyn Progress) -> Result<Task> {
    let whole = |task: Task| {
        if config.all_to_train {
            task.all_to_train()
        } else {
            task
        }
    };
    let mut task = whole(open_one(config, progress)?);
    if !config.more.is_empty() {
        let further = config.more.iter().map(|path| {
            let named = DataConfig {
                path: path.clone(),
                more: Vec::new(),
                ..config.clone()
            };
            // The layout that is named is the first set's: another may have its own.
            let recognised = DataConfig {
                format: None,
                ..named.clone()
            };
            let opened = match open_one(&recognised, progress) {
                Err(TrainError::Data(DataError::Layout(_))) if named.format.is_some() => {
                    open_one(&named, progress)?
                }
                opened => opened?,
            };
            Ok(whole(opened))
        });
        task = task.joined(further.collect::<Result<_>>()?);
    }
    Ok(task)
}

/// The data set at the path of the configuration alone, with its own splits.
fn open_one(config: &DataConfig, progress: &dyn Progress) -> Result<Task> {
    if config.path.is_empty() {
        return Err(TrainError::Setting {
            key: "data.path",
            found: "\"\"".to_owned(),
            expected: "a data set's folder or file, or synthetic:NAME".to_owned(),
        });
    }
    let options = OpenOptions {
        format: config.format,
        name: config.name.clone(),
        split_seed: config.split_seed,
        image_column: config.image_column.clone(),
        label_column: config.label_column.clone(),
        class_file: config.class_file.as_ref().map(PathBuf::from),
        drop_empty_classes: config.drop_empty_classes,
        skip_missing_images: config.skip_missing_images,
        class_subset: config.class_subset,
        image_root: config.image_root.as_ref().map(PathBuf::from),
        label_separator: config.label_separator,
        label_from_name: config.label_from_name,
        broken: config.broken,
        ..OpenOptions::default()
    };
    let path = Path::new(&config.path);
    let mut task = if let Some(name) = synthetic::name_in(&config.path) {
        check_settings(path, Format::Synthetic, &options)?;
        let mut task = synthetic::task(name, config.split_seed)?;
        if let Some(name) = &config.name {
            task.name.clone_from(name);
        }
        task.with_class_subset(config.class_subset)?
    } else {
        vlpt_data::open(path, &options)?
    };
    if config.broken == BrokenImages::Skip {
        progress.start(
            "looking for broken images",
            vlpt_data::count_images(&task) as u64,
        );
        let outcome = vlpt_data::leave_out(&mut task, &|| progress.advance(1));
        progress.finish();
        outcome?;
    }
    if !config.templates.is_empty() {
        task.templates.clone_from(&config.templates);
    }
    Ok(task)
}

/// Opens the tasks of a configuration, at least one, in the order of its list.
///
/// # Errors
/// As [`open_task`], and two tasks of one name.
pub fn open_tasks(config: &RunConfig) -> Result<Vec<Task>> {
    open_tasks_watched(config, &())
}

/// As [`open_tasks`], watched as by [`open_task_watched`].
///
/// # Errors
/// As [`open_tasks`].
pub fn open_tasks_watched(config: &RunConfig, progress: &dyn Progress) -> Result<Vec<Task>> {
    // all images are decoded here where broken ones are left out
    config.compute.bound_decoding();
    if config.tasks.is_empty() {
        return Ok(vec![open_task_watched(&config.data, progress)?]);
    }
    let entries = config.tasks.iter();
    let tasks = entries
        .map(|entry| open_task_watched(&entry.data(), progress))
        .collect::<Result<Vec<Task>>>()?;
    for (i, task) in tasks.iter().enumerate() {
        if let Some(first) = tasks[..i].iter().position(|other| other.name == task.name) {
            let paths = [first, i].map(|at| config.tasks[at].path().to_owned());
            return Err(TrainError::Incompatible {
                what: format!(
                    "two tasks are called {}: {} and {}",
                    task.name, paths[0], paths[1]
                ),
                hint: Some(format!(
                    "results are told apart by names; give one another name, as {{ path = \"{}\", \
                     name = \"NAME\" }}",
                    paths[1]
                )),
            });
        }
    }
    Ok(tasks)
}
