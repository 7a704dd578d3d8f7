//! The tasks of a prompt that was tuned on several: found by name and classes, checked when read.

use std::path::Path;

use vlpt_clip::Clip;
use vlpt_data::Task;

use super::{Adapter, AdapterTask, PromptFolder};
use crate::{AdapterError, Classifier, Result};

impl PromptFolder {
    /// The task with these classes, in this order, among those that the prompt was tuned on
    /// together; of several the one of that name, else the first. None for a prompt of one task.
    pub fn member(&self, name: &str, classes: &[String]) -> Option<&AdapterTask> {
        let same = |task: &&AdapterTask| self.classes[task.classes.clone()] == *classes;
        let mut found = self.adapter.tasks.iter().filter(same);
        let named = found.clone().find(|task| task.name == name);
        named.or_else(|| found.next())
    }

    /// The classifier for a task: as [`PromptFolder::classifier_for`], of tasks with the same
    /// classes the one of that name.
    ///
    /// # Errors
    /// As [`PromptFolder::classifier_for`].
    pub fn classifier_for_task(&self, clip: &Clip, task: &Task) -> Result<Classifier> {
        match self.member(&task.name, &task.classes) {
            Some(member) => {
                let rows: Vec<usize> = member.classes.clone().collect();
                Ok(self.classifier(clip)?.part(&rows))
            }
            None => self.classifier_for(clip, &task.classes),
        }
    }
}

/// Refuses tasks that do not share out the classes.
pub(super) fn check(path: &Path, adapter: &Adapter) -> Result<()> {
    let mut next = 0;
    for task in &adapter.tasks {
        if task.classes.start != next || task.classes.end <= next {
            return Err(AdapterError::Damaged {
                path: path.to_owned(),
                what: format!(
                    "the task {} has the classes {:?}: expected some from {next} on",
                    task.name, task.classes
                ),
            });
        }
        next = task.classes.end;
    }
    if adapter.tasks.is_empty() || next == adapter.classes {
        return Ok(());
    }
    Err(AdapterError::Damaged {
        path: path.to_owned(),
        what: format!(
            "the tasks have {next} classes together: expected {}",
            adapter.classes
        ),
    })
}
