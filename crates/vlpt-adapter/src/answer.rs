//! What is said of an image: its most probable classes, or why there are none.

use serde::Serialize;

use crate::RowOptions;

/// An image and what is said of it. As JSON, an element of what `vlpt predict --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer<'a> {
    /// The image's name.
    pub image: &'a str,
    /// Where there is a threshold: the class, or the word for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted: Option<&'a str>,
    /// The most probable classes, the most probable first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ScoredClass<'a>>,
    /// Why there is no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// A class with its probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoredClass<'a> {
    /// The class's name.
    pub class: &'a str,
    /// Its probability, from 0 to 1.
    pub probability: f32,
}

impl<'a> Answer<'a> {
    /// For an image with a probability for each class, or none and the reason.
    pub fn of(
        options: &'a RowOptions,
        image: &'a str,
        outcome: Result<&'a [f32], &'a str>,
    ) -> Self {
        let probabilities = outcome.unwrap_or_default();
        let best = options.best(probabilities);
        let asked = options.none_below.is_some();
        let first = best.first().filter(|_| asked);
        Self {
            image,
            predicted: first.map(|&class| options.answer(class, probabilities[class])),
            classes: best
                .iter()
                .map(|&class| ScoredClass {
                    class: &options.classes[class],
                    probability: probabilities[class],
                })
                .collect(),
            error: outcome.err(),
        }
    }

    /// An element of a JSON list, indented as one.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let element = serde_json::to_string_pretty(self)?;
        Ok(format!("  {}", element.replace('\n', "\n  ")))
    }

    /// A line for people; none for an image without a class.
    pub fn text(&self) -> Option<String> {
        if self.classes.is_empty() {
            return None;
        }
        let scored = self
            .classes
            .iter()
            .map(|s| format!("{} {:.1} %", s.class, 100.0 * s.probability));
        let predicted = self.predicted.map(str::to_owned);
        let cells: Vec<String> = predicted.into_iter().chain(scored).collect();
        Some(format!("{}\t{}", self.image, cells.join("\t")))
    }
}
