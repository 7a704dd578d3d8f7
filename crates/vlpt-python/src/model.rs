//! `_vlpt.Model`: a frozen CLIP.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArray4, PyArrayMethods};
use pyo3::prelude::*;
use vlpt_adapter::{Classifier, DecodedImages, ImageConfig, embed_texts, preprocess};
use vlpt_clip::{Clip, Precision, Progress};
use vlpt_data::image::Preprocess;

use crate::errors::Failure;
use crate::images::{Input, held, inputs};
use crate::opened::{open_clip, precision};
use crate::outputs::{Arrays, Rows, array};
use crate::predictor::Predictor;
use crate::work::run;

/// A model in memory.
#[pyclass(frozen, module = "vlpt._vlpt")]
pub(crate) struct Model {
    clip: Arc<Clip>,
    name: String,
    preprocess: Preprocess,
    threads: usize,
}

impl Model {
    /// Of weights in memory.
    fn new(clip: Arc<Clip>, name: &str, threads: usize) -> Self {
        let preprocess = preprocess(&clip, &ImageConfig::default());
        Self {
            clip,
            name: name.to_owned(),
            preprocess,
            threads,
        }
    }
}

#[pymethods]
impl Model {
    /// The model of a classifier, which shares its weights.
    #[staticmethod]
    fn of(predictor: &Predictor) -> Self {
        Self::new(
            predictor.shared_clip(),
            predictor.base_model(),
            predictor.threads(),
        )
    }

    /// Finds, downloads if need be, and loads a model.
    #[staticmethod]
    fn open(
        name: &str,
        precision_name: Option<&str>,
        threads: usize,
        reporter: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let precision =
            precision(precision_name).map_err(|failure| failure.raise(reporter.py()))?;
        run(reporter, threads, |watch| {
            let clip = open_clip(name, precision, watch)?;
            Ok(Self::new(Arc::new(clip), name, threads))
        })
    }

    /// Features of images (n, embed), and why some have none.
    fn features<'py>(
        &self,
        names: Vec<String>,
        images: Vec<Bound<'py, PyAny>>,
        normalize: bool,
        keep: bool,
        reporter: &Bound<'py, PyAny>,
    ) -> PyResult<Arrays<'py>> {
        let held = held(&images)?;
        let inputs = inputs(&names, &held)?;
        let rows = run(reporter, self.threads, |watch| {
            let make = |decoded: DecodedImages| -> Result<_, Failure> {
                Ok(decoded.features(&self.clip, None, normalize))
            };
            let width = self.clip.config.embed_dim;
            Rows::of(&inputs, &self.preprocess, width, keep, watch, make)
        })?;
        rows.arrays(reporter.py())
    }

    /// Features of texts (n, embed).
    fn text_features<'py>(
        &self,
        texts: Vec<String>,
        truncate: bool,
        normalize: bool,
        reporter: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let features = run(reporter, self.threads, |_| {
            Ok(embed_texts(&self.clip, &texts, truncate, normalize)?)
        })?;
        let shape = [texts.len(), self.clip.config.embed_dim];
        array(reporter.py(), features, shape)
    }

    /// What the image tower sees of images (n, 3, size, size).
    fn pixels<'py>(
        &self,
        names: Vec<String>,
        images: Vec<Bound<'py, PyAny>>,
        reporter: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray4<f32>>> {
        let held = held(&images)?;
        let inputs = inputs(&names, &held)?;
        let values = run(reporter, self.threads, |watch| {
            let mut values = Vec::new();
            for batch in inputs.chunks(vlpt_adapter::BATCH) {
                let decoded = DecodedImages::of_sources(&self.preprocess, batch, Input::read);
                let (pixels, failed) = decoded.into_parts();
                if let Some(error) = failed.into_iter().flatten().next() {
                    return Err(error.into());
                }
                values.extend(pixels);
                watch.go_on()?;
                watch.advance(batch.len() as u64);
            }
            Ok(values)
        })?;
        let side = self.preprocess.image_size as usize;
        PyArray1::from_vec(reporter.py(), values).reshape([inputs.len(), 3, side, side])
    }

    /// A classifier of class names in templates.
    fn classifier(
        &self,
        classes: Vec<String>,
        templates: Vec<String>,
        reporter: &Bound<'_, PyAny>,
    ) -> PyResult<Predictor> {
        run(reporter, self.threads, |_| {
            let classifier = Classifier::zero_shot(&self.clip, &classes, &templates)?;
            let clip = Arc::clone(&self.clip);
            let inner = vlpt_adapter::Predictor::new(clip, classifier, self.preprocess.clone());
            Ok(Predictor::zero_shot(inner, &self.name, self.threads))
        })
    }

    /// The name it was found by.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// What cosine similarities are multiplied by.
    #[getter]
    fn logit_scale(&self) -> f32 {
        self.clip.logit_scale
    }

    /// Length of a feature.
    #[getter]
    fn embed_dim(&self) -> usize {
        self.clip.config.embed_dim
    }

    /// Side of the square that the image tower sees, in pixels.
    #[getter]
    fn image_size(&self) -> u32 {
        self.preprocess.image_size
    }

    /// The most tokens of a text.
    #[getter]
    fn context_length(&self) -> usize {
        self.clip.config.text.context_length
    }

    /// Number format of the towers' products: `f32` or `bf16`.
    #[getter]
    fn precision(&self) -> &'static str {
        match self.clip.precision {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }

    /// SHA-256 over configuration and tensors.
    #[getter]
    fn fingerprint(&self) -> &str {
        &self.clip.fingerprint
    }

    /// Number of threads that calls compute with.
    #[getter]
    fn threads(&self) -> usize {
        self.threads
    }
}
