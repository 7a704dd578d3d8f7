//! Prompt folders.

use std::sync::{Arc, OnceLock};

use vlpt_adapter::{PredictOptions, Predictor, PromptFolder};
use vlpt_clip::{Clip, ModelFiles};

use crate::parts::split;
use crate::promise::told;
use crate::scratch::Scratch;
use crate::seeds;

/// Files of a prompt folder, in the order of an input's parts.
pub(crate) const FILES: [&str; 4] = [
    "adapter_config.json",
    "class_names.txt",
    "adapter_model.safetensors",
    "classifier.safetensors",
];

/// The small model inside the program.
pub(crate) fn clip() -> &'static Arc<Clip> {
    static CLIP: OnceLock<Arc<Clip>> = OnceLock::new();
    CLIP.get_or_init(|| {
        Arc::new(Clip::load(&ModelFiles::mini()).expect("it is part of the program"))
    })
}

/// A folder of these files.
pub(super) fn folder(bytes: &[u8]) -> Scratch {
    let scratch = Scratch::new();
    for (name, part) in FILES.into_iter().zip(split::<4>(bytes)) {
        scratch.file(name, part);
    }
    scratch
}

/// Opens a folder of these files and classifies a picture by it.
pub(super) fn run(bytes: &[u8]) -> bool {
    let scratch = folder(bytes);
    let folder = match PromptFolder::open(scratch.path()) {
        Ok(folder) => folder,
        Err(error) => return told(&error, error.hint()),
    };
    if let Err(error) = folder.method(clip()) {
        told(&error, error.hint());
    }
    let options = PredictOptions {
        force: true,
        ..PredictOptions::default()
    };
    match Predictor::of(&folder, Arc::clone(clip()), &options) {
        Ok(predictor) => answers(&predictor),
        Err(error) => told(&error, error.hint()),
    }
}

/// Checks that a picture gets a probability for each class, or an error.
fn answers(predictor: &Predictor) -> bool {
    let picture = ("input".to_owned(), seeds::good_png());
    let answers = match predictor.predict(&[picture]) {
        Ok(answers) => answers,
        Err(error) => return told(&error, error.hint()),
    };
    assert_eq!(answers.len(), 1);
    for answer in answers {
        match answer {
            Ok(answer) => {
                assert_eq!(answer.len(), predictor.classes().len());
                let share = |value: &f32| (0.0..=1.0).contains(value);
                assert!(answer.iter().all(share), "{answer:?}");
            }
            Err(error) => return told(&error, error.hint()),
        }
    }
    true
}
