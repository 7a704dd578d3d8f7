//! A row as one line of JSON.

use std::io::Write;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Row, RowLabels, RowOptions};
use crate::Result;

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Label<'a>>,
    predicted: Option<&'a str>,
    probability: Option<f32>,
    top: Vec<Scored<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Label<'a> {
    One(Option<&'a str>),
    Many(Vec<&'a str>),
}

#[derive(Serialize)]
struct Scored<'a> {
    class: &'a str,
    probability: f32,
}

struct Scores<'a> {
    names: &'a [String],
    probabilities: &'a [f32],
}

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, probability) in self.names.iter().zip(self.probabilities) {
            map.serialize_entry(name, probability)?;
        }
        map.end()
    }
}

/// Writes one line.
pub(super) fn write(
    file: &mut impl Write,
    options: &RowOptions,
    names: &[String],
    row: &Row,
) -> Result<()> {
    let class = |&label: &u32| options.classes[label as usize].as_str();
    let label = match options.labels {
        RowLabels::Unknown => None,
        RowLabels::One => Some(Label::One(row.labels.first().map(class))),
        RowLabels::Many => Some(Label::Many(row.labels.iter().map(class).collect())),
    };
    let mut line = Line {
        path: row.path,
        label,
        predicted: None,
        probability: None,
        top: Vec::new(),
        scores: None,
        error: row.outcome.err(),
    };
    if let Ok(probabilities) = row.outcome {
        let first = vlpt_methods::head::first_largest(probabilities);
        line.predicted = Some(options.answer(first, probabilities[first]));
        line.probability = Some(probabilities[first]);
        let best = options.best(probabilities).into_iter();
        line.top = best
            .map(|class| Scored {
                class: &options.classes[class],
                probability: probabilities[class],
            })
            .collect();
        line.scores = options.scores.then_some(Scores {
            names,
            probabilities,
        });
    }
    let mut text = serde_json::to_vec(&line).map_err(std::io::Error::other)?;
    text.push(b'\n');
    Ok(file.write_all(&text)?)
}
