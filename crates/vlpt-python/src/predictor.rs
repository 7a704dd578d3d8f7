//! `_vlpt.Predictor`: a tuned prompt, or class names in templates, on a model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use vlpt_adapter::{ImageAdaptation, PredictOptions, PromptFolder};
use vlpt_clip::Clip;
use vlpt_data::image::{Exif, Grey16};

use crate::errors::Failure;
use crate::images::{held, inputs};
use crate::opened::precision;
use crate::outputs::{Arrays, Rows};
use crate::work::{Watch, run};

/// A classifier in memory.
#[pyclass(frozen, module = "vlpt._vlpt")]
pub(crate) struct Predictor {
    inner: vlpt_adapter::Predictor,
    about: About,
    threads: usize,
}

/// What a prompt folder says of itself.
#[derive(Default)]
struct About {
    folder: Option<PathBuf>,
    method: String,
    base_model: String,
}

impl About {
    fn of(prompt: PromptFolder, base_model: &str) -> Self {
        Self {
            method: prompt.adapter.method.name().to_owned(),
            base_model: base_model.to_owned(),
            folder: Some(prompt.path),
        }
    }
}

impl Predictor {
    /// The model, shared.
    pub(crate) fn shared_clip(&self) -> Arc<Clip> {
        Arc::clone(self.inner.shared_clip())
    }

    /// Of a prompt folder and its model in memory, which is found by a name.
    ///
    /// # Errors
    /// A folder that is damaged or of another model.
    pub(crate) fn of(
        folder: &Path,
        clip: Arc<Clip>,
        base_model: &str,
        threads: usize,
    ) -> Result<Self, Failure> {
        let prompt = PromptFolder::open(folder)?;
        let inner = vlpt_adapter::Predictor::of(&prompt, clip, &PredictOptions::default())?;
        let about = About::of(prompt, base_model);
        Ok(Self {
            inner,
            about,
            threads,
        })
    }

    /// Of a model and class names, without a prompt folder.
    pub(crate) fn zero_shot(
        inner: vlpt_adapter::Predictor,
        base_model: &str,
        threads: usize,
    ) -> Self {
        let about = About {
            method: vlpt_methods::untuned().name.to_owned(),
            base_model: base_model.to_owned(),
            ..About::default()
        };
        Self {
            inner,
            about,
            threads,
        }
    }
}

#[pymethods]
impl Predictor {
    /// Opens a prompt folder and its base model.
    #[staticmethod]
    #[pyo3(signature = (folder, model, classes, precision_name, force, threads, reporter))]
    fn open(
        folder: PathBuf,
        model: Option<String>,
        classes: Option<Vec<String>>,
        precision_name: Option<&str>,
        force: bool,
        threads: usize,
        reporter: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let precision =
            precision(precision_name).map_err(|failure| failure.raise(reporter.py()))?;
        let options = PredictOptions {
            model,
            classes,
            precision,
            force,
        };
        run(reporter, threads, |watch: &Watch| {
            let prompt = PromptFolder::open(&folder)?;
            let inner = vlpt_adapter::Predictor::open_folder(&prompt, &options, watch)?;
            let base_model = options.model.as_ref().unwrap_or(&prompt.adapter.base_model);
            let base_model = base_model.clone();
            Ok(Self {
                inner,
                about: About::of(prompt, &base_model),
                threads,
            })
        })
    }

    /// Probabilities of images (n, classes), and why some have none.
    fn probabilities<'py>(
        &self,
        names: Vec<String>,
        images: Vec<Bound<'py, PyAny>>,
        keep: bool,
        reporter: &Bound<'py, PyAny>,
    ) -> PyResult<Arrays<'py>> {
        let held = held(&images)?;
        let inputs = inputs(&names, &held)?;
        let width = self.inner.classes().len();
        let rows = run(reporter, self.threads, |watch| {
            let make = |decoded| -> Result<_, Failure> { Ok(self.inner.classify(decoded)?) };
            Rows::of(&inputs, self.inner.preprocess(), width, keep, watch, make)
        })?;
        rows.arrays(reporter.py())
    }

    /// Features of images (n, embed) under the prompt, and why some have none.
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
        let clip = self.inner.clip();
        let rows = run(reporter, self.threads, |watch| {
            // of two features that of the class token, which texts are compared with
            let visual = self.inner.classifier().visual.clone();
            let visual = visual.map(ImageAdaptation::of_class_token);
            let make = |decoded: vlpt_adapter::DecodedImages| -> Result<_, Failure> {
                Ok(decoded.features(clip, visual.as_ref(), normalize))
            };
            let width = clip.config.embed_dim;
            Rows::of(&inputs, self.inner.preprocess(), width, keep, watch, make)
        })?;
        rows.arrays(reporter.py())
    }

    /// The class names, in the order of the probabilities.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.inner.classes().to_vec()
    }

    /// The least probability of an answer, where the prompt folder says one.
    #[getter]
    fn threshold(&self) -> Option<f64> {
        self.inner.threshold()
    }

    /// The prompt folder; none where there is none.
    #[getter]
    fn folder(&self) -> Option<PathBuf> {
        self.about.folder.clone()
    }

    /// The name of the method that tuned it.
    #[getter]
    fn method(&self) -> &str {
        &self.about.method
    }

    /// The name that the model was found by.
    #[getter]
    pub(crate) fn base_model(&self) -> &str {
        &self.about.base_model
    }

    /// Number of threads that calls compute with.
    #[getter]
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Whether a turn in EXIF data is applied to images.
    #[getter]
    fn applies_exif(&self) -> bool {
        self.inner.preprocess().exif == Exif::Apply
    }

    /// Whether grey of 16 bits is scaled to 8, instead of clipped.
    #[getter]
    fn scales_grey(&self) -> bool {
        self.inner.preprocess().grey16 == Grey16::Scale
    }
}
