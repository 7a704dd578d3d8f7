//! A prompt, or a model as it is, ready to be written in any form.

use std::path::Path;

use vlpt_adapter::{Adapter, Classifier, ImageConfig, PromptFolder, preprocess};
use vlpt_clip::{Clip, ModelFiles};
use vlpt_data::image::Preprocess;
use vlpt_methods::zeroshot::DEFAULT_TEMPLATE;
use vlpt_methods::{Adaptation, Pass, TowerValues, frozen_class_features};

use super::{ExportArgs, FormatArg};
use crate::console::Console;
use crate::error::CliError;
use crate::options::find_model;

/// Everything that is known of what is exported.
pub(super) struct Opened {
    pub(super) files: ModelFiles,
    pub(super) clip: Clip,
    pub(super) adapter: Option<Adapter>,
    pub(super) classifier: Classifier,
    /// What was learned in the text and the image tower.
    pub(super) towers: [TowerValues; 2],
    pub(super) view: Preprocess,
    pub(super) temperature: f64,
}

impl ExportArgs {
    /// A prompt and the model that it was learned on.
    pub(super) fn open_prompt(
        &self,
        folder: &PromptFolder,
        console: &Console,
    ) -> Result<Opened, CliError> {
        let adapter = &folder.adapter;
        let run = folder.path.parent().unwrap_or(Path::new(""));
        let name = match &self.model {
            Some(name) => name.clone(),
            None => vlpt_train::located_model(&adapter.base_model, run)?,
        };
        let files = find_model(&name, console)?;
        let clip = Clip::load(&files)?;
        if !self.force {
            folder.check_model(&clip)?;
        }
        let classifier = if self.classes.is_empty() {
            folder.classifier(&clip)?
        } else {
            folder.classifier_for(&clip, &self.classes)?
        };
        let mut towers = if adapter.method.is_baseline() {
            Default::default()
        } else {
            towers(folder, &clip, &classifier.classes)?
        };
        // what a baseline changes in the image tower stands in its classifier alone
        if let Some(projection) = classifier.visual.as_ref().and_then(|v| v.projection()) {
            let [_, visual]: &mut [TowerValues; 2] = &mut towers;
            visual.projection = Some(projection.to_vec());
        }
        Ok(Opened {
            view: adapter.preprocess.clone(),
            temperature: temperature(adapter, classifier.classes == folder.classes),
            adapter: Some(adapter.clone()),
            files,
            clip,
            // the graphs have the temperature for themselves
            classifier: classifier.with_temperature(1.0),
            towers,
        })
    }

    /// The model as it is, with class names in templates.
    pub(super) fn open_model(&self, console: &Console) -> Result<Opened, CliError> {
        let name = self.model.as_deref().unwrap_or(vlpt_train::DEFAULT_MODEL);
        let files = find_model(name, console)?;
        let clip = Clip::load(&files)?;
        let templates = if self.template.is_empty() {
            vec![DEFAULT_TEMPLATE.to_owned()]
        } else {
            self.template.clone()
        };
        let classifier = Classifier::zero_shot(&clip, &self.classes, &templates)?;
        Ok(Opened {
            view: preprocess(&clip, &ImageConfig::default()),
            temperature: 1.0,
            adapter: None,
            files,
            clip,
            classifier,
            towers: Default::default(),
        })
    }
}

/// What the logits of a prompt are divided by.
fn temperature(adapter: &Adapter, classes: bool) -> f64 {
    // measured on the prompt's own classes, and told of no others
    let own = adapter.calibration.filter(|_| classes);
    own.map_or(1.0, |calibration| calibration.temperature)
}

/// What a prompt's parameters change in both towers, where that is the same for all images.
fn towers(
    folder: &PromptFolder,
    clip: &Clip,
    classes: &[String],
) -> Result<[TowerValues; 2], CliError> {
    let method = folder.method(clip)?;
    if method.needs().texts_per_image || method.needs().visual_per_image {
        return Ok(Default::default());
    }
    let frozen = frozen_class_features(method.as_ref(), clip, classes);
    let values = frozen.and_then(|frozen| {
        let pass = Pass {
            classes: frozen.as_ref(),
            ..Pass::EVAL
        };
        let Adaptation { text, visual } = method.adapt(&pass)?;
        Ok([text.values()?, visual.values()?])
    });
    Ok(values.map_err(vlpt_adapter::AdapterError::from)?)
}

impl Opened {
    /// What the folder says of itself.
    pub(super) fn about(&self) -> String {
        match &self.adapter {
            None => format!(
                "The model {} as it is, its classes known by their names in a template. Written by vlpt {}.",
                self.clip.name,
                env!("CARGO_PKG_VERSION")
            ),
            Some(adapter) => format!(
                "The model {} (SHA-256 of its tensors: {}) with {} tuned on {} ({} classes, seed {}). Written by \
                 vlpt {}.",
                self.clip.name,
                self.clip.fingerprint,
                adapter.method.name(),
                adapter.task,
                adapter.classes,
                adapter.seed,
                env!("CARGO_PKG_VERSION"),
            ),
        }
    }

    /// What a form leaves behind.
    pub(super) fn say(&self, format: FormatArg, console: &Console) {
        let weights = matches!(format, FormatArg::Hf | FormatArg::Peft);
        let Some(adapter) = self.adapter.as_ref().filter(|_| weights) else {
            return;
        };
        if adapter.method.needs().class_features {
            console.say(
                "note: features that were tuned for each class stay in the prompt folder; the exported weights know \
                 all classes by their texts",
            );
        } else {
            console.say(
                "note: give the exported weights the texts that the prompt was tuned with, and they answer as the \
                 prompt does",
            );
        }
    }
}
