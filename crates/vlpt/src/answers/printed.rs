//! Answers on standard output: a line an image, or one JSON list.

use serde::Serialize;
use vlpt_adapter::RowOptions;

use crate::console::Console;
use crate::error::CliError;

/// An image as it is printed.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    image: &'a str,
    /// Where there is a threshold: the class, or the word for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicted: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<Scored<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Scored<'a> {
    class: &'a str,
    probability: f32,
}

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
        let answer = answer_of(&self.options, image, outcome);
        if console.is_json() {
            let element = serde_json::to_string_pretty(&answer)
                .map_err(|e| CliError::failure(e.to_string()))?;
            let element = format!("  {}", element.replace('\n', "\n  "));
            return match self.waiting.replace(element) {
                None => console.line("["),
                Some(before) => console.line(format!("{before},")),
            };
        }
        text(&answer).map_or(Ok(()), |line| console.line(line))
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

fn answer_of<'a>(
    options: &'a RowOptions,
    image: &'a str,
    outcome: Result<&'a [f32], &'a str>,
) -> Answer<'a> {
    let probabilities = outcome.unwrap_or_default();
    let best = options.best(probabilities);
    let asked = options.none_below.is_some();
    let first = best.first().filter(|_| asked);
    Answer {
        image,
        predicted: first.map(|&class| options.answer(class, probabilities[class])),
        classes: best
            .iter()
            .map(|&class| Scored {
                class: &options.classes[class],
                probability: probabilities[class],
            })
            .collect(),
        error: outcome.err(),
    }
}

fn text(answer: &Answer) -> Option<String> {
    if answer.classes.is_empty() {
        return None;
    }
    let scored = answer
        .classes
        .iter()
        .map(|s| format!("{} {:.1} %", s.class, 100.0 * s.probability));
    let predicted = answer.predicted.map(str::to_owned);
    let cells: Vec<String> = predicted.into_iter().chain(scored).collect();
    Some(format!("{}\t{}", answer.image, cells.join("\t")))
}
