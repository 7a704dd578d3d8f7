//! Classes for images, one image after another: printed, or written to a file of rows.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vlpt_adapter::{Predictor, Row, RowLabels, RowOptions, RowWriter};

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::options::{Input, RowArgs};

/// Images decoded and encoded at a time.
const BATCH: usize = 32;

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

#[derive(Debug, Serialize)]
struct Written<'a> {
    file: &'a Path,
    images: usize,
    /// Images that could not be classified; they have a row all the same.
    failed: usize,
}

/// Where answers go.
enum Place {
    /// To standard output: text, or JSON whose last element waits for its comma.
    Printed(RowOptions, Option<String>),
    File(PathBuf, Box<RowWriter>),
}

/// Classifies each image; a bad one is reported and the others go on. No more than a few images and
/// their answers are held at a time.
pub(crate) fn answer(
    inputs: &[Input],
    predictor: &Predictor,
    rows: &RowArgs,
    out: Option<&Path>,
    console: &Console,
) -> Result<(), CliError> {
    let options = rows.options(predictor.classes(), RowLabels::Unknown)?;
    let mut place = match out {
        None => Place::Printed(options, None),
        Some(path) => Place::File(path.to_owned(), Box::new(RowWriter::create(path, options)?)),
    };
    let bar = console.bar(Unit::Items);
    // Lines and a bar on one terminal would spoil each other.
    if out.is_some() || !std::io::stdout().is_terminal() {
        bar.begin("classifying", inputs.len() as u64);
    }
    let mut failed = 0;
    for batch in inputs.chunks(BATCH) {
        for (input, outcome) in batch.iter().zip(classify(batch, predictor)?) {
            if let Err(error) = &outcome {
                failed += 1;
                if out.is_some() || !console.is_json() {
                    console.complain(&format!("error: {error}"));
                }
            }
            place.put(
                &input.label(),
                outcome.as_deref().map_err(String::as_str),
                console,
            )?;
        }
        bar.advance_by(batch.len() as u64);
    }
    bar.end();
    place.end(inputs.len(), failed, console)?;
    match failed {
        0 => Ok(()),
        n => Err(CliError::failure(format!(
            "{n} of {} images could not be classified",
            inputs.len()
        ))),
    }
}

/// Probabilities of each image, or why there are none.
fn classify(
    batch: &[Input],
    predictor: &Predictor,
) -> Result<Vec<Result<Vec<f32>, String>>, CliError> {
    let read: Vec<Result<(String, Vec<u8>), CliError>> =
        batch.iter().map(Input::named_bytes).collect();
    let mut errors = Vec::with_capacity(batch.len());
    let mut good = Vec::with_capacity(batch.len());
    for read in read {
        match read {
            Ok(named) => {
                good.push(named);
                errors.push(None);
            }
            Err(error) => errors.push(Some(error.to_string())),
        }
    }
    let mut predicted = predictor.predict(&good)?.into_iter();
    let outcomes = errors.into_iter().map(|error| match error {
        Some(error) => Err(error),
        None => match predicted.next() {
            Some(Ok(probabilities)) => Ok(probabilities),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("no result".to_owned()),
        },
    });
    Ok(outcomes.collect())
}

impl Place {
    fn put(
        &mut self,
        image: &str,
        outcome: Result<&[f32], &str>,
        console: &Console,
    ) -> Result<(), CliError> {
        match self {
            Self::File(_, writer) => Ok(writer.push(&Row {
                path: image,
                labels: &[],
                outcome,
            })?),
            Self::Printed(options, waiting) => {
                let answer = answer_of(options, image, outcome);
                if console.is_json() {
                    let element = serde_json::to_string_pretty(&answer)
                        .map_err(|e| CliError::failure(e.to_string()))?;
                    let element = format!("  {}", element.replace('\n', "\n  "));
                    return match waiting.replace(element) {
                        None => console.line("["),
                        Some(before) => console.line(format!("{before},")),
                    };
                }
                text(&answer).map_or(Ok(()), |line| console.line(line))
            }
        }
    }

    fn end(self, images: usize, failed: usize, console: &Console) -> Result<(), CliError> {
        match self {
            Self::Printed(_, Some(last)) => {
                console.line(last)?;
                console.line("]")
            }
            Self::Printed(_, None) => Ok(()),
            Self::File(path, writer) => {
                writer.finish()?;
                let written = Written {
                    file: &path,
                    images,
                    failed,
                };
                console.result(&written, || {
                    format!("wrote {}: {images} images", path.display())
                })
            }
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
