//! The data set that a prompt is judged on: the one of its run, opened as the run did, or another.

use std::path::Path;

use clap::Args;
use vlpt_adapter::PromptFolder;
use vlpt_data::image::Limits;
use vlpt_data::{DataError, DataSetting, LayoutError, Task, synthetic};
use vlpt_train::{DataConfig, TrainError, is_gone, open_task_watched, remembered_data};

use super::data::{DataFlags, tell};
use crate::console::{Console, Unit};
use crate::error::CliError;

/// A data set to judge a prompt on.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunDataArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME` [default: that of the run, opened as the run did]
    #[arg(value_name = "DATA")]
    data: Option<String>,
    #[command(flatten)]
    flags: DataFlags,
}

impl RunDataArgs {
    /// The data set at a path, without flags.
    pub(crate) fn at(path: &str) -> Self {
        Self {
            data: Some(path.to_owned()),
            flags: DataFlags::default(),
        }
    }

    /// Opens the data set. Without a path, or with that of the prompt's run, every option of the run
    /// holds unless a flag says otherwise. For another data set only the run's columns do, and only
    /// where it has them.
    pub(crate) fn open(&self, folder: &PromptFolder, console: &Console) -> Result<Task, CliError> {
        let run = folder.path.parent().unwrap_or(Path::new(""));
        let mut remembered = remembered_data(run)?;
        let bar = console.bar(Unit::Items);
        let task = match &self.data {
            None => {
                if remembered.len() > 1 {
                    let paths: Vec<&str> = remembered.iter().map(|data| &*data.path).collect();
                    return Err(CliError::usage(
                        format!(
                            "no data set is named, and the run has several: {}",
                            paths.join(", ")
                        ),
                        "name one of them: `vlpt eval RUN DATA`",
                    ));
                }
                let Some(data) = remembered.pop() else {
                    return Err(CliError::usage(
                        format!(
                            "no data set is named, and {} does not lie in the folder of a run that would know one",
                            folder.path.display()
                        ),
                        "name it: `vlpt eval PROMPT DATA`",
                    ));
                };
                if is_gone(&data.path) {
                    return Err(TrainError::DataGone {
                        path: data.path.into(),
                    }
                    .into());
                }
                console.say(format!("data: {}, as the run opened it", data.path));
                open_task_watched(&self.flags.over(data)?, &bar)?
            }
            Some(path) => {
                let same = remembered
                    .into_iter()
                    .find(|data| same_place(&data.path, path));
                match same {
                    Some(data) => open_task_watched(&self.flags.over(data)?, &bar)?,
                    None => self.open_other(path, &remembered_data(run)?, console)?,
                }
            }
        };
        if task.test.is_empty() && self.data.is_none() && all_trained_on(run)? {
            return Err(CliError::usage(
                format!(
                    "{} learned from all photos, so none is left to judge it on",
                    run.display()
                ),
                format!(
                    "{} says what to expect, from photos that were held out; name other photos: `vlpt eval {} DATA`",
                    run.join("report.html").display(),
                    run.display()
                ),
            ));
        }
        let decoding = folder.adapter.preprocess.decoding(&Limits::default());
        tell(&task, &decoding, console);
        Ok(task)
    }

    /// Another data set than the run's.
    fn open_other(
        &self,
        path: &str,
        remembered: &[DataConfig],
        console: &Console,
    ) -> Result<Task, CliError> {
        let bar = console.bar(Unit::Items);
        let plain = DataConfig {
            path: path.to_owned(),
            ..DataConfig::default()
        };
        if let [run] = remembered
            && synthetic::name_in(path).is_none()
        {
            let with_columns = self.flags.over(DataConfig {
                image_column: run.image_column.clone(),
                label_column: run.label_column.clone(),
                ..plain.clone()
            })?;
            match open_task_watched(&with_columns, &bar) {
                Err(TrainError::Data(DataError::Layout(error))) if about_columns(&error) => {}
                opened => {
                    let columns = [&with_columns.image_column, &with_columns.label_column];
                    let columns: Vec<&str> = columns.into_iter().flatten().map(|c| &**c).collect();
                    if !columns.is_empty() {
                        console.say(format!("columns: {}, as in the run", columns.join(", ")));
                    }
                    return Ok(opened?);
                }
            }
        }
        Ok(open_task_watched(&self.flags.over(plain)?, &bar)?)
    }
}

/// Whether the run's own data leaves no image to judge it on.
fn all_trained_on(run: &Path) -> Result<bool, CliError> {
    Ok(remembered_data(run)?.iter().any(|data| data.all_to_train))
}

/// Whether the other set has not the columns of the run.
fn about_columns(error: &LayoutError) -> bool {
    let columns = [DataSetting::ImageColumn, DataSetting::LabelColumn].map(DataSetting::flag);
    match error {
        LayoutError::ChooseColumn { .. } => true,
        LayoutError::WithoutEffect { flag, .. } => columns.contains(flag),
        _ => false,
    }
}

/// Whether two paths lead to one place.
pub(crate) fn same_place(one: &str, other: &str) -> bool {
    let real = |path: &str| fs_err::canonicalize(path).ok();
    one == other || real(one).is_some_and(|place| real(other) == Some(place))
}
