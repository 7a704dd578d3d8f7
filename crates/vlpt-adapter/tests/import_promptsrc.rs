//! Checkpoints of IVLP and PromptSRC, as the published code saves them, become prompt folders with the
//! same values.
//!
//! The files are written by `golden/make_promptsrc_checkpoints.py`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use vlpt_adapter::{ImportOptions, ImportTask, Imported, PromptFolder, Result, import_checkpoint};
use vlpt_clip::{Clip, ModelFiles};
use vlpt_data::Metric;
use vlpt_methods::IvlpConfig;
use vlpt_methods::import::Source;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints")
}

struct Home {
    folder: tempfile::TempDir,
    clip: Clip,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clip: Clip::load(&ModelFiles::mini()).unwrap(),
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("prompt")
    }

    fn import(&self, file: &str, method: Option<&str>) -> Result<Imported> {
        let classes = ["circle", "square", "triangle"];
        let task = ImportTask {
            name: "shapes".to_owned(),
            classes: classes.map(str::to_owned).to_vec(),
            multi_label: false,
            metric: Metric::Accuracy,
        };
        let options = ImportOptions {
            method: method.map(str::to_owned),
            ..ImportOptions::default()
        };
        import_checkpoint(
            &golden().join(file),
            &self.clip,
            &task,
            &options,
            &self.out(),
        )
    }
}

/// Compares the folder's parameters with the golden ones, bit by bit.
fn assert_values(folder: &PromptFolder, clip: &Clip, file: &str) {
    let bytes = fs_err::read(golden().join("expected-promptsrc.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let method = folder.method(clip).unwrap();
    for parameter in method.parameters() {
        let view = tensors
            .tensor(&format!("{file}/{}", parameter.name()))
            .unwrap();
        assert_eq!(view.shape(), parameter.shape());
        let numbers = view.data().as_chunks::<4>().0;
        let expected: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(
            parameter.values().unwrap(),
            expected,
            "{}",
            parameter.name()
        );
    }
    assert_eq!(method.parameters().len(), 5);
}

#[test]
fn prompts_of_both_towers_are_taken_and_the_frozen_weights_left_with_reasons() {
    for (file, name) in [("ivlp.pth.tar", "ivlp"), ("promptsrc.pth.tar", "promptsrc")] {
        let home = Home::new();
        let imported = home.import(file, None).unwrap();
        assert_eq!((imported.method, imported.source), (name, Source::Own));
        // 3 blocks of 2 text rows, 2 of 1 visual row
        assert_eq!(imported.values, 3 * 2 * 192 + 2 * 256);
        assert_eq!(imported.used.len(), 5);
        assert_eq!(imported.epoch, Some(20));
        let why = |tensor: &str| {
            let mut left = imported.left.iter();
            let found = left.find(|left| left.name == tensor);
            found.map(|left| left.why.clone())
        };
        assert!(
            why("image_encoder.ln_post.weight")
                .unwrap()
                .contains("base model")
        );
        assert!(
            why("prompt_learner.token_suffix")
                .unwrap()
                .contains("buffer")
        );
        let teacher = why("prompt_learner.ZS_image_encoder.class_embedding");
        match name {
            "promptsrc" => assert!(teacher.unwrap().contains("frozen image tower")),
            _ => assert_eq!(teacher, None),
        }
        let folder = PromptFolder::open(&home.out()).unwrap();
        assert_eq!(folder.adapter.method.name(), name);
        let options: &IvlpConfig = folder.adapter.method.options();
        assert_eq!(
            (options.depth_text, options.depth_visual),
            (Some(3), Some(2))
        );
        assert_values(&folder, &home.clip, file);
        // Both sides reach the towers.
        let classifier = folder.classifier(&home.clip).unwrap();
        assert!(classifier.visual.is_some());
    }
}

#[test]
fn what_is_not_understood_is_refused_and_nothing_is_written() {
    let refused = |file: &str, method: Option<&str>| {
        let home = Home::new();
        let error = home.import(file, method).unwrap_err();
        assert!(!home.out().exists());
        let error = error.to_string();
        error.replace(&golden().display().to_string(), "[golden]")
    };
    assert_eq!(
        refused("promptsrc-extra.pth.tar", None),
        "[golden]/promptsrc-extra.pth.tar: it looks like promptsrc, which does not have \
         `prompt_learner.proj.bias`"
    );
    assert_eq!(
        refused("promptsrc-gap.pth.tar", None),
        "[golden]/promptsrc-gap.pth.tar: the tensors do not fit the method `promptsrc`: \
         `text_encoder.transformer.resblocks.1.VPT_shallow` is missing"
    );
}

/// The prompts of both are the same, so either name can be asked for.
#[test]
fn a_promptsrc_checkpoint_can_be_asked_for_as_independent_prompts() {
    let home = Home::new();
    let imported = home.import("promptsrc.pth.tar", Some("ivlp")).unwrap();
    assert_eq!(imported.method, "ivlp");
    let folder = PromptFolder::open(&home.out()).unwrap();
    assert_values(&folder, &home.clip, "promptsrc.pth.tar");
}
