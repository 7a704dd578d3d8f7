//! Answers on their way to a file: probabilities are kept beside it, so that an interrupted command goes on
//! where it was, whatever the format.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_adapter::{BATCH, Predictor, Row, RowOptions, RowWriter};

use crate::console::Console;
use crate::error::CliError;
use crate::interrupt;
use crate::kept_rows::{KeptRows, is_no_row, no_row, numbers};
use crate::options::{Input, inputs_hash};

/// What the probabilities are made of: those of an earlier command are taken only where all of it is equal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// Fingerprint of the base model.
    model: String,
    /// Number format of its towers.
    precision: String,
    /// What the classifier is made of.
    classifier: String,
    /// How many classes there are.
    classes: usize,
    /// Hash over the images' names, sizes and times of change.
    images: String,
}

/// Probabilities kept so far, and why some images have none.
pub(super) struct KeptAnswers {
    rows: KeptRows,
    width: usize,
    failed: BTreeMap<usize, String>,
}

impl KeptAnswers {
    /// Those of an interrupted command of the same images, else none.
    pub(super) fn open(
        out: &Path,
        inputs: &[Input],
        predictor: &Predictor,
        classifier: &str,
        console: &Console,
    ) -> Result<Self, CliError> {
        let clip = predictor.clip();
        let width = predictor.classes().len();
        let origin = Origin {
            model: clip.fingerprint.clone(),
            precision: clip.precision.to_string(),
            classifier: classifier.to_owned(),
            classes: width,
            images: inputs_hash(inputs),
        };
        let mut rows = KeptRows::open(out, &origin, width, (inputs.len(), BATCH))?;
        interrupt::goes_on_when_given_again();
        let mut failed = BTreeMap::new();
        if rows.count() > 0 {
            console.say(format!(
                "note: goes on after {} of {} images, kept in {} by an interrupted command",
                rows.count().min(inputs.len()),
                inputs.len(),
                rows.path().display()
            ));
            for place in rows.left_out(width)? {
                let fault = inputs[place].fault(predictor.preprocess());
                failed.insert(place, fault.unwrap_or_else(|| "no result".to_owned()));
            }
        }
        Ok(Self {
            rows,
            width,
            failed,
        })
    }

    /// How many images are done.
    pub(super) fn count(&self) -> usize {
        self.rows.count()
    }

    /// Keeps an image's probabilities, or that it has none.
    pub(super) fn push(&mut self, outcome: Result<&[f32], &str>) -> Result<(), CliError> {
        match outcome {
            Ok(probabilities) => self.rows.push(probabilities),
            Err(error) => {
                self.failed.insert(self.rows.count(), error.to_owned());
                self.rows.push(&no_row(self.width))
            }
        }
    }

    /// Drops what nobody will go on with: nothing was done.
    pub(super) fn drop_if_empty(&self) {
        self.rows.drop_if_empty();
    }

    /// How many images have no answer.
    pub(super) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// Writes the file of rows and drops what was kept.
    pub(super) fn finish(
        self,
        out: &Path,
        inputs: &[Input],
        options: RowOptions,
    ) -> Result<(), CliError> {
        let (width, failed) = (self.width, self.failed);
        self.rows.finish(|values| {
            let mut writer = RowWriter::create(out, options)?;
            let mut values = BufReader::with_capacity(1 << 18, values);
            let mut bytes = vec![0; width * size_of::<f32>()];
            for (place, input) in inputs.iter().enumerate() {
                values.read_exact(&mut bytes)?;
                let probabilities: Vec<f32> = numbers(&bytes).collect();
                let outcome = match failed.get(&place) {
                    Some(error) => Err(error.as_str()),
                    None if is_no_row(&bytes) => Err("no result"),
                    None => Ok(&probabilities[..]),
                };
                writer.push(&Row {
                    path: &input.label(),
                    labels: &[],
                    outcome,
                })?;
            }
            writer.finish()?;
            Ok(())
        })
    }
}
