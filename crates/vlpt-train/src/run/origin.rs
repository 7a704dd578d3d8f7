//! Where a run was started: what its relative paths lead from, so that it goes on, and is judged,
//! from any folder.
//!
//! The configuration keeps paths as they were written, because its bytes are promised. Beside it
//! lies `started-in.txt` with the working folder of the start, where some path is relative.

use std::path::{Path, PathBuf};

use vlpt_base::files::{read_if_there, write_atomic};
use vlpt_data::synthetic;

use super::CONFIG;
use crate::{DataConfig, Result, RunConfig, TaskEntry, TrainError, read_resolved};

const FILE: &str = "started-in.txt";

/// Writes down the working folder, if a path of the configuration depends on it.
pub(super) fn remember(config: &RunConfig, dir: &Path) -> Result<()> {
    let mut paths = config.tasks.iter().map(TaskEntry::path);
    let depends = is_relative(&config.data.path)
        || paths.any(is_relative)
        || config.data.class_file.as_deref().is_some_and(is_relative)
        || config.data.image_root.as_deref().is_some_and(is_relative)
        || config.data.more.iter().any(|path| is_relative(path))
        || config.few_shot.list.as_deref().is_some_and(is_relative);
    if !depends {
        return Ok(());
    }
    let folder = std::env::current_dir()?;
    // A name that is no text is not remembered: paths then lead from wherever the user is.
    let Some(folder) = folder.to_str() else {
        return Ok(());
    };
    Ok(write_atomic(
        &dir.join(FILE),
        format!("{folder}\n").as_bytes(),
    )?)
}

/// The configuration with every path as it leads from here.
pub(super) fn located(config: &RunConfig, dir: &Path) -> Result<RunConfig> {
    let base = base(dir)?;
    let mut config = config.clone();
    locate(&mut config.data, base.as_deref());
    for entry in &mut config.tasks {
        match entry {
            TaskEntry::Path(path) => *path = leads_to(path, base.as_deref()),
            TaskEntry::Table(data) => locate(data, base.as_deref()),
        }
    }
    if let Some(list) = &mut config.few_shot.list {
        *list = leads_to(list, base.as_deref());
    }
    config.model = located_model(&config.model, dir)?;
    Ok(config)
}

/// How the data sets of the run in `dir` were opened, with every path as it leads from here: one for
/// a run over one data set, several for one over several; none where the folder holds no run.
///
/// # Errors
/// A configuration there that cannot be read.
pub fn remembered_data(dir: &Path) -> Result<Vec<DataConfig>> {
    let path = dir.join(CONFIG);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let config = located(&read_resolved(&path)?, dir)?;
    if config.tasks.is_empty() {
        return Ok(vec![config.data]);
    }
    Ok(config.tasks.iter().map(TaskEntry::data).collect())
}

/// Refuses data sets that are no longer where a run had them.
///
/// # Errors
/// The first that is gone.
pub(super) fn check_there(located: &RunConfig) -> Result<()> {
    let tasks = located.tasks.iter().map(TaskEntry::path);
    let mut paths = tasks.chain([&*located.data.path]);
    let gone = paths.find(|path| is_gone(path));
    match gone {
        Some(path) => Err(TrainError::DataGone {
            path: PathBuf::from(path),
        }),
        None => Ok(()),
    }
}

/// Whether nothing lies at the path of a data set.
pub fn is_gone(path: &str) -> bool {
    !path.is_empty() && synthetic::name_in(path).is_none() && !Path::new(path).exists()
}

/// The name of a run's model as it leads from here: a relative folder is looked for where the run
/// was started.
///
/// # Errors
/// The file that remembers it cannot be read.
pub fn located_model(name: &str, dir: &Path) -> Result<String> {
    if !is_relative(name) || Path::new(name).exists() {
        return Ok(name.to_owned());
    }
    let there = base(dir)?.map(|base| base.join(name));
    let folder = there.filter(|path| path.is_dir());
    Ok(folder.map_or_else(|| name.to_owned(), |path| path.display().to_string()))
}

fn base(dir: &Path) -> Result<Option<PathBuf>> {
    let bytes = read_if_there(&dir.join(FILE))?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.map(|text| PathBuf::from(text.trim_end_matches('\n'))))
}

fn locate(data: &mut DataConfig, base: Option<&Path>) {
    data.path = leads_to(&data.path, base);
    for path in &mut data.more {
        *path = leads_to(path, base);
    }
    if let Some(file) = &mut data.class_file {
        *file = leads_to(file, base);
    }
    // one that is not below the folder of the start is relative to the data set
    if let (Some(root), Some(base)) = (&mut data.image_root, base)
        && base.join(&*root).is_dir()
    {
        *root = leads_to(root, Some(base));
    }
}

/// A relative path from where the run was started; as it stands where nothing lies there but
/// something lies here.
fn leads_to(path: &str, base: Option<&Path>) -> String {
    let Some(base) = base.filter(|_| is_relative(path)) else {
        return path.to_owned();
    };
    let there = base.join(path);
    if !there.exists() && Path::new(path).exists() {
        return path.to_owned();
    }
    there.display().to_string()
}

fn is_relative(path: &str) -> bool {
    !path.is_empty() && synthetic::name_in(path).is_none() && Path::new(path).is_relative()
}
