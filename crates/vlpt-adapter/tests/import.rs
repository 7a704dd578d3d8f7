//! Checkpoints as the published trainers save them become prompt folders with the same values.
//!
//! The files are written by `golden/make_checkpoints.py`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use vlpt_adapter::Result;
use vlpt_adapter::{
    EvalOptions, ImportOptions, ImportTask, Imported, PromptFolder, average_prompts, evaluate,
    import_checkpoint,
};
use vlpt_clip::{Activation, Clip, ClipConfig, ModelFiles, TextConfig, VisionConfig};
use vlpt_data::Metric;
use vlpt_data::synthetic;
use vlpt_methods::import::Source;
use vlpt_methods::{Attention, CoOpConfig, MaPLeConfig, Position, UptConfig};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints")
}

/// What the golden file holds under `prefix`: parameters by name.
fn expected(prefix: &str) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let bytes = fs_err::read(golden().join("expected.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut found: Vec<_> = file
        .iter()
        .filter_map(|(name, view)| {
            let name = name.strip_prefix(&format!("{prefix}/"))?.to_owned();
            let numbers = view.data().as_chunks::<4>().0;
            let values = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
            Some((name, view.shape().to_vec(), values))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty(), "{prefix}");
    found
}

fn mini() -> Clip {
    Clip::load(&ModelFiles::mini()).unwrap()
}

fn task() -> ImportTask {
    let classes = ["circle", "square", "triangle"];
    ImportTask {
        name: "shapes".to_owned(),
        classes: classes.map(str::to_owned).to_vec(),
        multi_label: false,
        metric: Metric::Accuracy,
    }
}

struct Home {
    folder: tempfile::TempDir,
    clip: Clip,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clip: mini(),
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("prompt")
    }

    fn import(&self, file: &str, options: &ImportOptions) -> Result<Imported> {
        import_checkpoint(
            &golden().join(file),
            &self.clip,
            &task(),
            options,
            &self.out(),
        )
    }

    /// Imports, and compares the folder's parameters with the golden ones, bit by bit.
    fn equal(&self, file: &str, values: &str) -> (Imported, PromptFolder) {
        let imported = self.import(file, &ImportOptions::default()).unwrap();
        let folder = PromptFolder::open(&self.out()).unwrap();
        let mut expected = expected(values);
        // as MVLPT calls CoCoOp's context
        for (name, ..) in &mut expected {
            *name = name.replace("cocoop_ctx", "ctx");
        }
        let method = folder.method(&self.clip).unwrap();
        let mut found: Vec<_> = method
            .parameters()
            .iter()
            .map(|p| (p.name().to_owned(), p.shape().to_vec(), p.values().unwrap()))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(found == expected, "{file}: other parameters");
        assert_eq!(imported.used.len(), expected.len());
        let classifier = folder.classifier(&self.clip).unwrap();
        assert_eq!(classifier.classes, task().classes);
        (imported, folder)
    }
}

fn left(imported: &Imported) -> Vec<&str> {
    imported
        .left
        .iter()
        .map(|left| left.name.as_str())
        .collect()
}

#[test]
fn a_coop_checkpoint_from_before_pytorch_1_6_gives_its_context() {
    let home = Home::new();
    let (imported, folder) = home.equal("coop-legacy.pth.tar", "coop-legacy.pth.tar");
    assert_eq!((imported.method, imported.source), ("coop", Source::Coop));
    assert_eq!((imported.epoch, imported.values), (Some(50), 384));
    assert_eq!(imported.used[0].dtype, "f16");
    assert_eq!(
        left(&imported),
        [
            "token_prefix",
            "token_suffix",
            "optimizer",
            "scheduler",
            "val_result"
        ]
    );
    let coop: &CoOpConfig = folder.adapter.method.options();
    assert_eq!(coop.position, Position::End);
    assert_eq!(folder.adapter.epochs, 50);
    assert_eq!(folder.adapter.base_model_fingerprint, home.clip.fingerprint);
}

#[test]
fn every_other_published_kind_gives_its_parameters() {
    for (file, values, method, count) in [
        ("coop-class-specific.pth.tar", "", "coop", 1152),
        ("cocoop.pth.tar", "", "cocoop", 7760),
        ("cocoop-mvlpt.pth.tar", "", "cocoop", 7760),
        ("vpt-legacy.pth.tar", "", "vpt", 2048),
        ("vpt-projected.pth.tar", "", "vpt", 2320),
        ("joint.pth.tar", "", "vlpt", 2432),
        ("upt.pth.tar", "", "upt", 6716),
        ("upt-legacy.pth.tar", "upt.pth.tar", "upt", 6716),
    ] {
        let home = Home::new();
        let values = if values.is_empty() { file } else { values };
        let (imported, folder) = home.equal(file, values);
        assert_eq!(imported.method, method, "{file}");
        assert_eq!(imported.values, count, "{file}");
        assert_eq!(folder.adapter.method.name(), method, "{file}");
    }
}

#[test]
fn an_imported_upt_computes_token_by_token_as_the_code_that_trained_it() {
    let home = Home::new();
    let (imported, folder) = home.equal("upt.pth.tar", "upt.pth.tar");
    let upt: &UptConfig = folder.adapter.method.options();
    assert_eq!(upt.attention, Attention::Tokenwise);
    assert_eq!(upt.position, Position::Middle);
    assert_eq!(imported.source, Source::Mvlpt);
    assert!(folder.classifier(&home.clip).unwrap().visual.is_some());
}

#[test]
fn an_imported_prompt_can_be_evaluated() {
    let home = Home::new();
    let task = synthetic::task("shapes", 0).unwrap();
    let kept = task.test.samples[..8].to_vec();
    let mut small = task.clone();
    small.test.samples = kept;
    for file in ["cocoop.pth.tar", "vpt-legacy.pth.tar"] {
        let out = home.folder.path().join(file);
        import_checkpoint(
            &golden().join(file),
            &home.clip,
            &ImportTask::from(&task),
            &ImportOptions::default(),
            &out,
        )
        .unwrap();
        let folder = PromptFolder::open(&out).unwrap();
        let classifier = folder.classifier_for(&home.clip, &small.classes).unwrap();
        let preprocess = &folder.adapter.preprocess;
        let options = EvalOptions::default();
        let result = evaluate(&home.clip, &classifier, &small, preprocess, &options, &()).unwrap();
        assert_eq!(result.images, 8);
    }
}

fn refused(home: &Home, file: &str, options: &ImportOptions) -> String {
    let error = home.import(file, options).unwrap_err();
    assert!(!home.out().exists(), "nothing is written");
    error
        .to_string()
        .replace(&golden().display().to_string(), "[golden]")
}

/// A random model of the sizes in `golden/make_maple_checkpoints.py`, with mini-clip's tokenizer.
fn small() -> Clip {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let config = ClipConfig {
        text: TextConfig {
            width: 16,
            layers: 3,
            heads: 2,
            mlp: 32,
            context_length: 77,
            vocab_size: 8706,
            eot_token: 8705,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 24,
            layers: 4,
            heads: 2,
            mlp: 48,
            image_size: 16,
            patch_size: 8,
            activation,
            layer_norm_eps,
        },
        embed_dim: 8,
    };
    Clip {
        tokenizer: Clip::mini().tokenizer,
        ..Clip::random(&config, 5)
    }
}

#[test]
fn a_maple_checkpoint_gives_the_prompts_of_both_towers() {
    let home = Home {
        clip: small(),
        ..Home::new()
    };
    let imported = home
        .import("maple.pth.tar", &ImportOptions::default())
        .unwrap();
    assert_eq!((imported.method, imported.source), ("maple", Source::Own));
    assert_eq!((imported.epoch, imported.values), (Some(5), 1320));
    assert_eq!(imported.used[0].tensor, "prompt_learner.ctx");
    assert_eq!(
        left(&imported),
        [
            "image_encoder.ln_pre.bias",
            "prompt_learner.token_prefix",
            "prompt_learner.token_suffix"
        ]
    );
    assert!(imported.assumed[0].contains("a photo of a NAME."));

    let folder = PromptFolder::open(&home.out()).unwrap();
    let config: &MaPLeConfig = folder.adapter.method.options();
    assert_eq!((config.context, config.depth), (2, Some(3)));
    assert_eq!(config.init, "a photo of a");
    let method = folder.method(&home.clip).unwrap();
    let mut parameters: Vec<_> = method.parameters().iter().collect();
    parameters.sort_by_key(|parameter| parameter.name().to_owned());
    for (index, parameter) in parameters.into_iter().enumerate() {
        let value = |at: usize| ((7 * at + 13 * index) % 251) as f32 / 1024.0 - 125.0 / 1024.0;
        let expected: Vec<f32> = (0..parameter.len()).map(value).collect();
        assert_eq!(
            parameter.values().unwrap(),
            expected,
            "{}",
            parameter.name()
        );
    }
    let classifier = folder.classifier(&home.clip).unwrap();
    assert_eq!(classifier.classes, task().classes);
}

#[test]
fn a_maple_checkpoint_with_a_tensor_more_or_less_or_of_another_model_is_refused() {
    let none = ImportOptions::default();
    let home = Home {
        clip: small(),
        ..Home::new()
    };
    assert_eq!(
        refused(&home, "maple-extra.pth.tar", &none),
        "[golden]/maple-extra.pth.tar: it looks like maple, which does not have \
         `prompt_learner.compound_prompts_vision.0`"
    );
    assert_eq!(
        refused(&home, "maple-gap.pth.tar", &none),
        "[golden]/maple-gap.pth.tar: the tensors do not fit the method `maple`: \
         `compound_prompts_text.0` is missing"
    );
    let error = refused(&Home::new(), "maple.pth.tar", &none);
    assert!(
        error.contains("the width of what `proj` makes is 24, that of the image tower 256"),
        "{error}"
    );
}

#[test]
fn a_part_is_taken_when_it_is_asked_for_and_the_rest_is_listed() {
    let home = Home::new();
    let options = ImportOptions {
        method: Some("vpt".to_owned()),
        ..ImportOptions::default()
    };
    let imported = home.import("joint.pth.tar", &options).unwrap();
    assert_eq!(imported.method, "vpt");
    assert!(left(&imported).contains(&"ctx"));
    assert_eq!(
        PromptFolder::open(&home.out())
            .unwrap()
            .adapter
            .method
            .name(),
        "vpt"
    );
}

#[test]
fn parameters_that_are_missing_are_listed_and_nothing_is_written() {
    let home = Home::new();
    let options = ImportOptions {
        method: Some("cocoop".to_owned()),
        ..ImportOptions::default()
    };
    assert_eq!(
        refused(&home, "coop-legacy.pth.tar", &options),
        "[golden]/coop-legacy.pth.tar: the tensors do not fit the method `cocoop`: \
         `meta_net.linear1.weight` is missing; `meta_net.linear1.bias` is missing; \
         `meta_net.linear2.weight` is missing; `meta_net.linear2.bias` is missing"
    );
}

#[test]
fn class_specific_contexts_need_their_classes() {
    let home = Home::new();
    let mut two = task();
    two.classes.pop();
    let error = import_checkpoint(
        &golden().join("coop-class-specific.pth.tar"),
        &home.clip,
        &two,
        &ImportOptions::default(),
        &home.out(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("each of 3 classes, but shapes has 2"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("in their order"));
}

#[test]
fn a_folder_that_exists_is_not_replaced() {
    let home = Home::new();
    fs_err::create_dir(home.out()).unwrap();
    fs_err::write(home.out().join("thesis.tex"), "years of work").unwrap();
    let error = home
        .import("coop-legacy.pth.tar", &ImportOptions::default())
        .unwrap_err();
    assert!(error.to_string().ends_with("exists already"), "{error}");
    assert!(home.out().join("thesis.tex").exists());
}

#[test]
fn the_average_of_three_seeds_is_torchs_mean_of_their_state_dicts() {
    let home = Home::new();
    let folders: Vec<PathBuf> = (1..=3)
        .map(|seed| {
            let out = home.folder.path().join(format!("seed{seed}"));
            let options = ImportOptions {
                seed,
                ..ImportOptions::default()
            };
            let file = golden().join(format!("seed{seed}.pth.tar"));
            import_checkpoint(&file, &home.clip, &task(), &options, &out).unwrap();
            out
        })
        .collect();
    let averaged = average_prompts(&folders, &home.clip, &home.out()).unwrap();
    assert!(averaged.notes.is_empty(), "{:?}", averaged.notes);
    let seeds: Vec<u64> = averaged.sources.iter().map(|source| source.seed).collect();
    assert_eq!(seeds, [1, 2, 3]);
    let folder = PromptFolder::open(&home.out()).unwrap();
    let method = folder.method(&home.clip).unwrap();
    let found = method.parameters()[0].values().unwrap();
    let expected = expected("average");
    for (found, expected) in found.iter().zip(&expected[0].2) {
        assert!((found - expected).abs() <= 1e-7, "{found} {expected}");
    }
    // the classifier is made of the mean, and is not the mean of the classifiers
    let classifier = folder.classifier(&home.clip).unwrap();
    let features = classifier.text_features().unwrap();
    let anew = vlpt_adapter::Classifier::of_method(
        &home.clip,
        std::sync::Arc::from(method),
        &task().classes,
    )
    .unwrap();
    assert_eq!(features, anew.text_features().unwrap());
}
