//! One prompt, ready to answer.

use vlpt_adapter::{
    AdapterError, Classifier, ImageAdaptation, ImageConfig, PromptFolder, preprocess,
};
use vlpt_base::hash::fingerprint;
use vlpt_clip::{Clip, VisualPlace};
use vlpt_data::image::Preprocess;

use crate::ServeError;

/// What the model without a prompt is called; no prompt can have the name.
pub(crate) const ZERO_SHOT: &str = "zero-shot";

/// The files of a prompt folder that answers are made of; a baseline's are in the last alone.
const FILES: [&str; 4] = [
    "adapter_config.json",
    "adapter_model.safetensors",
    "class_names.txt",
    "classifier.safetensors",
];

/// One prompt, ready to answer. It holds what is its own: class names and what tells them apart; the
/// towers are everybody's.
pub(crate) struct Prompt {
    /// Its name in URLs.
    pub(crate) name: String,
    /// Changes with its bytes.
    pub(crate) version: String,
    /// The method that tuned it.
    pub(crate) method: String,
    /// The task it was tuned for.
    pub(crate) task: String,
    /// What tells its classes apart.
    pub(crate) classifier: Classifier,
    /// The least probability of an answer: below it an image is of none of the classes.
    pub(crate) threshold: Option<f64>,
    /// How images are made ready.
    pub(crate) preprocess: Preprocess,
    /// Which images may go through the tower together.
    pub(crate) tower: TowerKey,
    /// What the tower is changed by, empty where it is not: equal for prompts under which an image
    /// has the same features.
    pub(crate) visual: String,
    /// The folder, for other class names; none: the model as it is.
    folder: Option<PromptFolder>,
}

/// Which images may go through the tower together: those of equal keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TowerKey {
    /// The tower as it is: one pass for all prompts that leave it so.
    Frozen,
    /// Learned rows of this shape alone. They are a few more keys in attention, so each image of a
    /// pass may have those of another prompt.
    Rows(RowsShape),
    /// Changes of its own, known by this.
    Own(String),
}

/// The shape of learned rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowsShape {
    first: usize,
    blocks: usize,
    rows: usize,
    before_norm: bool,
    carry: u32,
}

impl TowerKey {
    fn of(visual: Option<&ImageAdaptation>) -> Self {
        match visual {
            None => Self::Frozen,
            Some(ImageAdaptation::Fixed(values))
                if values.updates.is_empty()
                    && values.projection.is_none()
                    && values.row_projection.is_none() =>
            {
                match &values.prompts {
                    None => Self::Frozen,
                    Some(prompts) => Self::Rows(RowsShape {
                        first: prompts.first,
                        blocks: prompts.blocks,
                        rows: prompts.rows,
                        before_norm: prompts.place == VisualPlace::BeforeLnPre,
                        carry: prompts.carry.to_bits(),
                    }),
                }
            }
            Some(own) => Self::Own(own.fingerprint()),
        }
    }
}

impl Prompt {
    /// What a folder holds, for the model it was tuned for.
    pub(crate) fn new(name: &str, folder: &PromptFolder, clip: &Clip) -> Result<Self, ServeError> {
        let classifier = folder.classifier(clip)?;
        Ok(Self {
            name: name.to_owned(),
            version: version(folder)?,
            method: folder.adapter.method.name().to_owned(),
            task: folder.adapter.task.clone(),
            tower: TowerKey::of(classifier.visual.as_ref()),
            visual: known(classifier.visual.as_ref()),
            classifier,
            threshold: folder.adapter.calibration.and_then(|own| own.threshold),
            preprocess: folder.adapter.preprocess.clone(),
            folder: Some(folder.clone()),
        })
    }

    /// The model as it is, with class names in a template.
    ///
    /// # Errors
    /// A template without a place for the name, or a text that is too long.
    pub(crate) fn zero_shot(
        clip: &Clip,
        classes: &[String],
        template: &str,
    ) -> Result<Self, AdapterError> {
        let classifier = Classifier::zero_shot(clip, classes, &[template.to_owned()])?;
        Ok(Self {
            name: ZERO_SHOT.to_owned(),
            version: clip.fingerprint[..12].to_owned(),
            method: vlpt_methods::untuned().name.to_owned(),
            task: String::new(),
            tower: TowerKey::Frozen,
            visual: String::new(),
            classifier,
            threshold: None,
            preprocess: preprocess(clip, &ImageConfig::default()),
            folder: None,
        })
    }

    /// The same prompt for other class names.
    ///
    /// # Errors
    /// Names that the prompt cannot be used with.
    pub(crate) fn for_classes(
        &self,
        clip: &Clip,
        classes: &[String],
    ) -> Result<Self, AdapterError> {
        let classifier = match &self.folder {
            Some(folder) => folder.classifier_for(clip, classes)?,
            None => self.classifier.clone(),
        };
        Ok(Self {
            name: self.name.clone(),
            version: self.version.clone(),
            method: self.method.clone(),
            task: self.task.clone(),
            tower: TowerKey::of(classifier.visual.as_ref()),
            visual: known(classifier.visual.as_ref()),
            classifier,
            // It was found with the prompt's own classes.
            threshold: None,
            preprocess: self.preprocess.clone(),
            folder: self.folder.clone(),
        })
    }
}

/// What the tower is changed by, in a short text.
fn known(visual: Option<&ImageAdaptation>) -> String {
    visual.map_or_else(String::new, ImageAdaptation::fingerprint)
}

/// A short text that changes with the files that answers are made of.
fn version(folder: &PromptFolder) -> Result<String, AdapterError> {
    let read = |name: &&str| match fs_err::read(folder.path.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    };
    let files: Vec<Vec<u8>> = FILES.iter().map(read).collect::<std::io::Result<_>>()?;
    Ok(fingerprint(files)[..12].to_owned())
}
