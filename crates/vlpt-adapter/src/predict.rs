//! Prediction: encoded images in, a probability for each class out.

use std::path::Path;
use std::sync::Arc;

use vlpt_base::list::SHOWN;
use vlpt_clip::{Clip, Hub, Observer, TowerAdaptation};
use vlpt_data::image::Preprocess;
use vlpt_methods::zeroshot::normalise;

use crate::{
    AdapterError, Classifier, DecodedImages, ImageAdaptation, PrecisionSetting, PromptFolder,
    Result,
};

/// How a prompt folder is opened for prediction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredictOptions {
    /// The base model, where it is not found by the name in the folder.
    pub model: Option<String>,
    /// Other class names than those of the folder.
    pub classes: Option<Vec<String>>,
    /// Number format of the model's towers.
    pub precision: PrecisionSetting,
    /// Use the prompt with a model that has another fingerprint than the one it was tuned for.
    pub force: bool,
}

/// A model, a classifier and a preprocessing, ready for images.
pub struct Predictor {
    clip: Arc<Clip>,
    classifier: Classifier,
    preprocess: Preprocess,
    threshold: Option<f64>,
}

/// An encoded image and the name that errors call it by.
pub type NamedImage = (String, Vec<u8>);

impl Predictor {
    /// Opens a prompt folder, or a run folder with one, and its base model.
    ///
    /// # Errors
    /// A folder that is damaged, a model that is not found or not the one it was tuned for, or
    /// class names that the prompt cannot be used with.
    pub fn open(path: &Path, options: &PredictOptions, observer: &dyn Observer) -> Result<Self> {
        Self::open_folder(&PromptFolder::open(path)?, options, observer)
    }

    /// As [`Predictor::open`], with the folder in memory already.
    ///
    /// # Errors
    /// As [`Predictor::open`].
    pub fn open_folder(
        folder: &PromptFolder,
        options: &PredictOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        for name in folder.report.unexpected.iter().take(SHOWN) {
            let at = folder.path.display();
            observer.note(&format!(
                "{at}: the tensor `{name}` is unexpected and plays no part"
            ));
        }
        if let Some(more @ 1..) = folder.report.unexpected.len().checked_sub(SHOWN) {
            observer.note(&format!("and so are {more} more"));
        }
        let name = options.model.as_ref().unwrap_or(&folder.adapter.base_model);
        let files = Hub::from_env().resolve(&name.parse()?, observer)?;
        let clip = Clip::load_as(&files, options.precision.resolve())?;
        Self::of(folder, Arc::new(clip), options)
    }

    /// As [`Predictor::open`], with folder and model in memory already.
    ///
    /// # Errors
    /// As [`Predictor::open`].
    pub fn of(folder: &PromptFolder, clip: Arc<Clip>, options: &PredictOptions) -> Result<Self> {
        if !options.force {
            folder.check_model(&clip)?;
        }
        let classifier = match &options.classes {
            Some(classes) => folder.classifier_for(&clip, classes)?,
            None => folder.classifier(&clip)?,
        };
        // What was learned of answers holds for the classes that it was learned on.
        let own = classifier.classes == folder.classes;
        let calibration = folder.adapter.calibration.filter(|_| own);
        Ok(Self {
            threshold: calibration.and_then(|calibration| calibration.threshold),
            ..Self::new(clip, classifier, folder.adapter.preprocess.clone())
        })
    }

    /// A predictor of these parts.
    pub fn new(clip: Arc<Clip>, classifier: Classifier, preprocess: Preprocess) -> Self {
        Self {
            clip,
            classifier,
            preprocess,
            threshold: None,
        }
    }

    /// The least probability of an answer, as the prompt folder says it; below it an image shows none
    /// of the classes. None where the folder says nothing, or for other classes than its own.
    pub fn threshold(&self) -> Option<f64> {
        self.threshold
    }

    /// The class names, in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classifier.classes
    }

    /// What images are decoded by.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// The model whose towers are used.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// The same, to be shared with others.
    pub fn shared_clip(&self) -> &Arc<Clip> {
        &self.clip
    }

    /// What images are classified by.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Probabilities of each image, one for each class. An image that cannot be decoded is an
    /// error at its own place and does not spoil the others. Give some dozens at once.
    ///
    /// # Errors
    /// A model and a classifier of different widths.
    pub fn predict(&self, images: &[NamedImage]) -> Result<Vec<Result<Vec<f32>>>> {
        self.classify(decode_images(&self.preprocess, images))
    }

    /// As [`Predictor::predict`], of images that are decoded already, by [`Predictor::preprocess`]:
    /// the next ones can be decoded meanwhile. What an image gets does not depend on those beside it.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn classify(&self, images: DecodedImages) -> Result<Vec<Result<Vec<f32>>>> {
        let visual = self.classifier.visual.as_ref();
        images
            .features(&self.clip, visual, false)
            .into_iter()
            .map(|features| match features {
                Ok(features) => self.classifier.probabilities(&self.clip, &features).map(Ok),
                Err(error) => Ok(Err(error)),
            })
            .collect()
    }
}

/// Image features under an adaptation, or without any, one vector of [`ImageAdaptation::width`]
/// numbers for each image; an image that cannot be decoded is an error at its own place. Give some
/// dozens at once.
pub fn embed_images(
    clip: &Clip,
    preprocess: &Preprocess,
    images: &[NamedImage],
    adaptation: Option<&ImageAdaptation>,
    normalised: bool,
) -> Vec<Result<Vec<f32>>> {
    decode_images(preprocess, images).features(clip, adaptation, normalised)
}

fn decode_images(preprocess: &Preprocess, images: &[NamedImage]) -> DecodedImages {
    DecodedImages::of(preprocess, images, |(name, bytes)| {
        Ok((name.into(), bytes.into()))
    })
}

/// Text features, row-major (texts x embed).
///
/// # Errors
/// A text that is longer than the model's positions, unless `truncate` cuts it; features that are no numbers.
pub fn embed_texts(
    clip: &Clip,
    texts: &[String],
    truncate: bool,
    normalised: bool,
) -> Result<Vec<f32>> {
    let slots = |text: &String| {
        let ids = if truncate {
            clip.tokenizer.encode_truncated(text)
        } else {
            clip.tokenizer.encode(text)?
        };
        Ok(ids.into_iter().map(vlpt_clip::PromptToken::Token).collect())
    };
    let mut features = Vec::with_capacity(texts.len() * clip.config.embed_dim);
    // A constant group, so that memory stays bounded and results do not depend on it.
    for group in texts.chunks(512) {
        let slots = group.iter().map(slots).collect::<Result<Vec<_>>>()?;
        features.extend(clip.text.features(&slots, &TowerAdaptation::NONE));
    }
    let rows = features.chunks_exact(clip.config.embed_dim).zip(texts);
    let mut broken = rows.filter(|(row, _)| row.iter().any(|value| !value.is_finite()));
    if let Some((_, text)) = broken.next() {
        return Err(AdapterError::NotFinite {
            what: format!("the features of {text:?}"),
        });
    }
    if normalised {
        features
            .chunks_exact_mut(clip.config.embed_dim)
            .for_each(normalise);
    }
    Ok(features)
}
