//! Answers as text and files, the bytes those of `vlpt predict`.

use std::path::PathBuf;

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use vlpt_adapter::{Answer, Row, RowLabels, RowOptions, RowWriter};

use crate::errors::Failure;

/// What is said of each image: a name, and a probability for each class or an error.
struct Answers<'a> {
    options: RowOptions,
    names: &'a [String],
    errors: &'a [Option<String>],
    values: &'a [f32],
}

impl<'a> Answers<'a> {
    fn new(
        options: RowOptions,
        names: &'a [String],
        probabilities: &'a PyReadonlyArray2<'_, f32>,
        errors: &'a [Option<String>],
    ) -> PyResult<Self> {
        let expected = [names.len(), options.classes.len()];
        if probabilities.shape() != expected || errors.len() != names.len() {
            return Err(PyTypeError::new_err(format!(
                "probabilities of shape {:?}: expected {expected:?}",
                probabilities.shape()
            )));
        }
        let py = probabilities.py();
        options
            .check()
            .map_err(|error| Failure::from(error).raise(py))?;
        Ok(Self {
            options,
            names,
            errors,
            values: probabilities.as_slice()?,
        })
    }

    fn each(&self) -> impl Iterator<Item = (&str, Result<&[f32], &str>)> {
        let width = self.options.classes.len();
        self.names.iter().zip(self.errors).enumerate().map(
            move |(place, (name, error))| match error {
                None => (
                    name.as_str(),
                    Ok(&self.values[place * width..(place + 1) * width]),
                ),
                Some(error) => (name.as_str(), Err(error.as_str())),
            },
        )
    }
}

fn options(
    classes: Vec<String>,
    top: usize,
    scores: bool,
    threshold: Option<f64>,
    none: String,
) -> RowOptions {
    RowOptions {
        classes,
        top,
        scores,
        labels: RowLabels::Unknown,
        none_below: threshold.map(|threshold| (threshold, none)),
    }
}

/// What `vlpt predict --json` prints, without the line feed at the end.
#[pyfunction]
pub(crate) fn to_json(
    classes: Vec<String>,
    names: Vec<String>,
    probabilities: PyReadonlyArray2<'_, f32>,
    errors: Vec<Option<String>>,
    top: usize,
    threshold: Option<f64>,
    none: String,
) -> PyResult<String> {
    let options = options(classes, top, false, threshold, none);
    let answers = Answers::new(options, &names, &probabilities, &errors)?;
    let elements: serde_json::Result<Vec<String>> = answers
        .each()
        .map(|(name, outcome)| Answer::of(&answers.options, name, outcome).to_json())
        .collect();
    let elements = elements.map_err(|error| PyTypeError::new_err(error.to_string()))?;
    if elements.is_empty() {
        return Ok("[]".to_owned());
    }
    Ok(format!("[\n{}\n]", elements.join(",\n")))
}

/// Writes the file that `vlpt predict --out` writes; its ending chooses the format.
#[pyfunction]
pub(crate) fn save_rows(
    path: PathBuf,
    classes: Vec<String>,
    names: Vec<String>,
    probabilities: PyReadonlyArray2<'_, f32>,
    errors: Vec<Option<String>>,
    top: usize,
    scores: bool,
    threshold: Option<f64>,
    none: String,
) -> PyResult<()> {
    let options = options(classes, top, scores, threshold, none);
    let answers = Answers::new(options, &names, &probabilities, &errors)?;
    let py = probabilities.py();
    let written = py.detach(|| -> Result<(), Failure> {
        let mut writer = RowWriter::create(&path, answers.options.clone())?;
        for (path, outcome) in answers.each() {
            writer.push(&Row {
                path,
                labels: &[],
                outcome,
            })?;
        }
        writer.finish()?;
        Ok(())
    });
    written.map_err(|failure| failure.raise(py))
}
