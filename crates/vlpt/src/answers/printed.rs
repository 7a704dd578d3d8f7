//! Answers on standard output: a line an image, or one JSON list.

use vlpt_adapter::{Answer, RowOptions};

use crate::console::Console;
use crate::error::CliError;

/// Answers being printed.
pub(crate) struct Printed {
    options: RowOptions,
    /// An element of the list that waits for its comma.
    waiting: Option<String>,
}

impl Printed {
    pub(crate) fn new(options: RowOptions) -> Self {
        Self {
            options,
            waiting: None,
        }
    }

    /// Prints an image's answer.
    pub(crate) fn put(
        &mut self,
        image: &str,
        outcome: Result<&[f32], &str>,
        console: &Console,
    ) -> Result<(), CliError> {
        let answer = Answer::of(&self.options, image, outcome);
        if console.is_json() {
            let element = answer
                .to_json()
                .map_err(|e| CliError::failure(e.to_string()))?;
            return match self.waiting.replace(element) {
                None => console.line("["),
                Some(before) => console.line(format!("{before},")),
            };
        }
        answer.text().map_or(Ok(()), |line| console.line(line))
    }

    /// Ends the list.
    pub(super) fn end(self, console: &Console) -> Result<(), CliError> {
        match self.waiting {
            Some(last) => {
                console.line(last)?;
                console.line("]")
            }
            None => Ok(()),
        }
    }
}
