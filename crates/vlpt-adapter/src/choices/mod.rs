//! Whose classes an evaluation chooses among: those of the prompt, or those of the data.
//!
//! A prompt that tells three classes apart is asked for one of the three whatever the data holds. Were
//! only the data's classes the choices, a set with images of one class would be judged as right to
//! the last image. So the prompt's classes stay the choices wherever all classes of the data are
//! among them, found by name ([`places`]).

mod names;

use serde::Serialize;
use vlpt_data::{Split, Task};

use crate::{AdapterError, Result};

pub use names::{places, plain_name};

/// How many names a message lists.
const LISTED: usize = 8;

/// Whose classes are the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassesOf {
    /// Those of the prompt.
    Prompt,
    /// Those of the data.
    Data,
    /// Those that were named for the purpose.
    Named,
}

/// The classes that an evaluation chooses among, and where the data's classes are among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Whose they are.
    pub of: ClassesOf,
    /// Their names, in the order of the logits.
    pub classes: Vec<String>,
    /// The place of each of the data's classes among them.
    pub of_data: Vec<usize>,
    /// The place of each among the classes of the prompt; none where the prompt lacks some.
    pub rows: Option<Vec<usize>>,
}

/// Some of a prompt's classes that were told apart together: one of several tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// The task's name.
    pub(crate) name: &'a str,
    /// Its first class and the one after its last.
    pub(crate) classes: (usize, usize),
}

impl Choices {
    /// The choices for a task, `known` being the classes of the prompt and `asked` what the user says.
    ///
    /// Left open, they are the prompt's where all of the task's classes are among them. Where none
    /// is, and there are several, they are the task's: a prompt used on other classes. Where only
    /// some are, neither answer is safe.
    ///
    /// # Errors
    /// Classes that the prompt does not know, by name, or names in doubt.
    pub fn of(known: &[String], task: &Task, asked: Option<ClassesOf>) -> Result<Self> {
        Self::with_parts(known, &[], task, asked)
    }

    /// As [`Choices::of`], for a prompt of several tasks: the classes of one of them are the choices
    /// where the data's are among them.
    pub(crate) fn with_parts(
        known: &[String],
        parts: &[Part],
        task: &Task,
        asked: Option<ClassesOf>,
    ) -> Result<Self> {
        if asked == Some(ClassesOf::Data) {
            let found = places(&task.classes, known).unwrap_or_default();
            let rows: Option<Vec<usize>> = found.into_iter().collect();
            let rows = rows.filter(|rows| rows.len() == task.classes.len());
            return Ok(Self::data(task, rows));
        }
        if let Some(choices) = Self::of_part(known, parts, task)? {
            return Ok(choices);
        }
        let found = places(&task.classes, known)?;
        let unknown: Vec<&str> = task
            .classes
            .iter()
            .zip(&found)
            .filter(|(_, place)| place.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        if unknown.is_empty() {
            let of_data = found.into_iter().flatten().collect();
            return Ok(Self::prompt(known, 0..known.len(), of_data));
        }
        let apart = unknown.len() == task.classes.len();
        // Among one class alone every answer would be right.
        if apart && asked.is_none() && (task.classes.len() > 1 || task.multi_label) {
            return Ok(Self::data(task, None));
        }
        Err(AdapterError::Incompatible {
            what: format!(
                "{}: {} of its {} classes not among the {} to choose from: {}; these are: {}",
                task.name,
                unknown.len(),
                task.classes.len(),
                known.len(),
                some_of(&unknown),
                some_of(known)
            ),
            hint: Some(
                "--classes-of data judges among the classes of the data, with texts made anew; \
                 or name the classes of the data as the others are called (case, underscores, \
                 hyphens and blanks do not matter)"
                    .to_owned(),
            ),
        })
    }

    /// The choices of one of several tasks, if the data's classes are those or some of them; of
    /// several such tasks the one of that name.
    fn of_part(known: &[String], parts: &[Part], task: &Task) -> Result<Option<Self>> {
        let own = |part: &Part| &known[part.classes.0..part.classes.1];
        let mut fitting: Vec<(Part, Vec<usize>)> = Vec::new();
        for part in parts {
            // A doubt within one task is told where no other task fits.
            let Ok(found) = places(&task.classes, own(part)) else {
                continue;
            };
            if let Some(of_data) = found.into_iter().collect() {
                fitting.push((*part, of_data));
            }
        }
        let named = fitting.iter().find(|(part, _)| part.name == task.name);
        let same = || fitting.iter().find(|(part, _)| *own(part) == *task.classes);
        let chosen = match (named.or_else(same), fitting.as_slice()) {
            (Some(chosen), _) | (None, [chosen]) => chosen,
            (None, []) => return Ok(None),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|(part, _)| part.name).collect();
                return Err(AdapterError::Incompatible {
                    what: format!(
                        "{}: its classes are among those of several tasks of the prompt: {}",
                        task.name,
                        names.join(", ")
                    ),
                    hint: Some(format!(
                        "say which with --name, such as --name {}",
                        names[0]
                    )),
                });
            }
        };
        let (part, of_data) = chosen;
        Ok(Some(Self::prompt(
            own(part),
            part.classes.0..part.classes.1,
            of_data.clone(),
        )))
    }

    fn prompt(classes: &[String], rows: std::ops::Range<usize>, of_data: Vec<usize>) -> Self {
        Self {
            of: ClassesOf::Prompt,
            classes: classes.to_vec(),
            of_data,
            rows: Some(rows.collect()),
        }
    }

    fn data(task: &Task, rows: Option<Vec<usize>>) -> Self {
        Self {
            of: ClassesOf::Data,
            classes: task.classes.clone(),
            of_data: (0..task.classes.len()).collect(),
            rows,
        }
    }

    /// The task with the choices as its classes: labels are numbers among them.
    #[must_use]
    pub fn relabelled(&self, task: &Task) -> Task {
        let split = |split: &Split| {
            let mut split = split.clone();
            for sample in &mut split.samples {
                for label in &mut sample.labels {
                    *label = self.of_data[*label as usize] as u32;
                }
                sample.labels.sort_unstable();
            }
            split
        };
        Task {
            classes: self.classes.clone(),
            train: split(&task.train),
            val: task.val.as_ref().map(split),
            test: split(&task.test),
            ..task.clone()
        }
    }
}

/// The first few names of a list.
pub(crate) fn some_of<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    let list = shown.join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
