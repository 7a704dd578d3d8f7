//! What the command line names: a data set with labels, or photos without.

use std::path::{Path, PathBuf};

use vlpt_adapter::{Choices, ClassesOf, places};
use vlpt_data::archive::is_archive;
use vlpt_data::image::is_image_path;
use vlpt_data::{DataError, LayoutError, Task};
use vlpt_train::TrainError;

use super::ZeroshotArgs;
use crate::console::Console;
use crate::error::CliError;
use crate::options::{DataArgs, DataFlags, ImageArgs, Images};

/// What there is to work on.
pub(super) enum Seen {
    /// Images with labels, to be told apart among their own classes.
    Labelled(Task),
    /// Images with labels, to be told apart among the classes named.
    Among(Choices, Task),
    /// Images without labels.
    Photos(Images),
}

impl ZeroshotArgs {
    /// Labels where there are some that the classes named know, else photos.
    pub(super) fn look(
        &self,
        names: Option<&[String]>,
        console: &Console,
    ) -> Result<Seen, CliError> {
        let plain = match &self.data[..] {
            [one] => self.files_from.is_some() || one == "-" || is_image_path(Path::new(one)),
            _ => true,
        };
        let Some(names) = names else {
            if plain || self.unlabelled {
                return Err(CliError::usage(
                    "photos without labels, and no classes to choose from",
                    "name the classes with --classes cat,dog or --class-file FILE; or name one data \
                     set with labels",
                ));
            }
            return Ok(Seen::Labelled(self.open(console)?));
        };
        // Of photos the file names the choices; of a data set its classes, as everywhere.
        let others = DataFlags {
            class_file: None,
            ..self.flags.clone()
        };
        if plain || self.unlabelled {
            others.refuse(
                "photos without labels are no data set",
                "leave it out, or name one data set with labels",
            )?;
            return self.photos(console);
        }
        let flags = others.first().is_some();
        let data = &self.data[0];
        match self.open(console) {
            Ok(task) if self.classes.is_empty() => Ok(Seen::Labelled(task)),
            Ok(task) => self.labelled(names, task, flags, console),
            Err(
                CliError::Train(TrainError::Data(DataError::Layout(LayoutError::NotRecognised {
                    ..
                })))
                | CliError::Data(DataError::Layout(LayoutError::NotRecognised { .. })),
            ) if !flags && holds_images(data) => self.photos(console),
            Err(error) => {
                if holds_images(data) {
                    console
                        .say("note: --unlabelled classifies the images without looking for labels");
                }
                Err(error)
            }
        }
    }

    /// A data set whose classes may be among those named.
    fn labelled(
        &self,
        names: &[String],
        task: Task,
        flags: bool,
        console: &Console,
    ) -> Result<Seen, CliError> {
        let folder = Path::new(&self.data[0]).is_dir();
        let hint = if folder {
            "write the names alike; or classify all images without looking at labels with \
             --unlabelled"
        } else {
            "write the names alike, and name all that the data has with --classes"
        };
        let found = places(&task.classes, names)
            .map_err(|error| CliError::usage(error.to_string(), hint))?;
        let unknown: Vec<&str> = task
            .classes
            .iter()
            .zip(&found)
            .filter(|(_, place)| place.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        let shown = unknown[..unknown.len().min(8)].join(", ");
        if unknown.is_empty() {
            console.say(format!(
                "note: {} has labels, all of them among the classes named: they are judged \
                 (--unlabelled classifies all images instead)",
                task.name
            ));
            let choices = Choices {
                of: ClassesOf::Named,
                classes: names.to_vec(),
                of_data: found.into_iter().flatten().collect(),
                rows: None,
            };
            return Ok(Seen::Among(choices, task));
        }
        if unknown.len() == task.classes.len() && folder && !flags {
            console.say(format!(
                "note: the images of {} are taken as unlabelled: its classes ({shown}) are none of \
                 those named",
                task.name
            ));
            return self.photos(console);
        }
        Err(CliError::usage(
            format!(
                "{}: {} of its {} classes not among those named: {shown}",
                task.name,
                unknown.len(),
                task.classes.len()
            ),
            hint,
        ))
    }

    fn open(&self, console: &Console) -> Result<Task, CliError> {
        DataArgs {
            data: self.data[0].clone(),
            flags: self.flags.clone(),
        }
        .open_told(&self.view.config().decoding(), console)
    }

    fn photos(&self, console: &Console) -> Result<Seen, CliError> {
        if let Some(flag) = self.how.judging() {
            return Err(CliError::usage(
                format!("{flag} was given, but photos without labels cannot be judged"),
                format!("leave {flag} out"),
            ));
        }
        let images = ImageArgs {
            images: self.data.iter().map(PathBuf::from).collect(),
            files_from: self.files_from.clone(),
        };
        let live = self.how.out.is_none() && self.how.rows.predictions.is_none();
        Ok(Seen::Photos(images.given(live, console)?))
    }
}

/// Whether photos may lie in it.
fn holds_images(data: &str) -> bool {
    let path = Path::new(data);
    path.is_dir() || is_archive(path)
}
