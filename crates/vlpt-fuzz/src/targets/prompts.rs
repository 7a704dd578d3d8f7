//! Prompt folders.

use std::sync::OnceLock;

use vlpt_adapter::PromptFolder;
use vlpt_clip::{Clip, ModelFiles};

use crate::parts::split;
use crate::promise::told;
use crate::scratch::Scratch;

/// Files of a prompt folder, in the order of an input's parts.
pub(crate) const FILES: [&str; 4] = [
    "adapter_config.json",
    "class_names.txt",
    "adapter_model.safetensors",
    "classifier.safetensors",
];

/// The small model inside the program.
pub(crate) fn clip() -> &'static Clip {
    static CLIP: OnceLock<Clip> = OnceLock::new();
    CLIP.get_or_init(|| Clip::load(&ModelFiles::mini()).expect("it is part of the program"))
}

/// A folder of these files.
pub(super) fn folder(bytes: &[u8]) -> Scratch {
    let scratch = Scratch::new();
    for (name, part) in FILES.into_iter().zip(split::<4>(bytes)) {
        scratch.file(name, part);
    }
    scratch
}

/// Opens a folder of these files and makes a classifier of it.
pub(super) fn run(bytes: &[u8]) -> bool {
    let scratch = folder(bytes);
    let folder = match PromptFolder::open(scratch.path()) {
        Ok(folder) => folder,
        Err(error) => return told(&error, error.hint()),
    };
    if let Err(error) = folder.method(clip()) {
        told(&error, error.hint());
    }
    match folder.classifier(clip()) {
        Ok(_) => true,
        Err(error) => told(&error, error.hint()),
    }
}
