//! A prompt on a data set: whose classes are the choices, and the classifier for them.

use vlpt_clip::Clip;
use vlpt_data::Task;

use super::PromptFolder;
use crate::choices::Part;
use crate::{Choices, ClassesOf, Classifier, Result};

impl PromptFolder {
    /// Among which classes the prompt chooses on a task: see [`Choices::of`]. Of a prompt that was
    /// tuned on several tasks, the classes of that one among which all of the data's are.
    ///
    /// # Errors
    /// As [`Choices::of`].
    pub fn choices(&self, task: &Task, asked: Option<ClassesOf>) -> Result<Choices> {
        let parts: Vec<Part> = self
            .adapter
            .tasks
            .iter()
            .map(|member| Part {
                name: &member.name,
                classes: (member.classes.start, member.classes.end),
            })
            .collect();
        Choices::with_parts(&self.classes, &parts, task, asked)
    }

    /// The classifier for some choices: what was learned for them, else texts made anew.
    ///
    /// Where the choices are the data's and the prompt has the same context for all classes, texts
    /// are made of the data's names as they are written; what was learned for each class by itself is
    /// taken by name.
    ///
    /// # Errors
    /// As [`PromptFolder::classifier_for`].
    pub fn classifier_among(&self, clip: &Clip, choices: &Choices) -> Result<Classifier> {
        let method = &self.adapter.method;
        let needs = method.needs();
        let learned_apart = needs.class_specific || (method.is_baseline() && !needs.open_classes);
        match (&choices.rows, choices.of) {
            (Some(rows), of) if of == ClassesOf::Prompt || learned_apart => {
                let whole = self.classifier(clip)?;
                if rows.iter().copied().eq(0..whole.classes.len()) {
                    return Ok(whole.named(&choices.classes));
                }
                Ok(whole.part(rows).named(&choices.classes))
            }
            _ => self.classifier_for(clip, &choices.classes),
        }
    }
}
