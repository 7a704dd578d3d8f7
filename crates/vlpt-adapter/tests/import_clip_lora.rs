//! Low-rank updates that published code has saved (`golden/make_clip_lora_checkpoints.py`).

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use vlpt_adapter::{
    EvalOptions, ImportOptions, ImportTask, Imported, PromptFolder, Result, evaluate,
    import_checkpoint,
};
use vlpt_clip::Clip;
use vlpt_data::synthetic;
use vlpt_methods::import::Source;
use vlpt_methods::{AdaptedLayer, ClipLoraConfig, Towers};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints")
}

fn import(file: &str, clip: &Clip, out: &Path) -> Result<Imported> {
    let task = ImportTask::from(&synthetic::task("shapes", 0).unwrap());
    let options = ImportOptions::default();
    import_checkpoint(&golden().join(file), clip, &task, &options, out)
}

#[test]
fn a_published_file_gives_its_updates_and_evaluates() {
    let (home, clip) = (tempfile::tempdir().unwrap(), Clip::mini());
    let out = home.path().join("prompt");
    let imported = import("clip-lora.pt", &clip, &out).unwrap();
    assert_eq!(
        (imported.method, imported.source),
        ("clip-lora", Source::Own)
    );
    assert_eq!(imported.values, 2 * (4 * 2 * 192 + 8 * 2 * 256));
    assert!(imported.left.is_empty(), "{:?}", imported.left);
    assert!(imported.assumed.iter().any(|text| text.contains("alpha")));

    let folder = PromptFolder::open(&out).unwrap();
    let config: &ClipLoraConfig = folder.adapter.method.options();
    assert_eq!(config.layers, [AdaptedLayer::Q, AdaptedLayer::V]);
    assert_eq!((config.rank, config.encoder), (1, Towers::Both));
    let bytes = fs_err::read(golden().join("clip-lora.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let method = folder.method(&clip).unwrap();
    assert_eq!(method.parameters().len(), expected.len());
    for parameter in method.parameters() {
        let tensor = expected.tensor(parameter.name()).unwrap();
        let numbers = tensor.data().as_chunks::<4>().0;
        let values: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(parameter.values().unwrap(), values, "{}", parameter.name());
    }

    let mut task = synthetic::task("shapes", 0).unwrap();
    task.test.samples.truncate(8);
    let classifier = folder.classifier_for(&clip, &task.classes).unwrap();
    let preprocess = &folder.adapter.preprocess;
    let options = EvalOptions::default();
    let result = evaluate(&clip, &classifier, &task, preprocess, &options, &()).unwrap();
    assert_eq!(result.images, 8);
}

#[test]
fn what_is_not_understood_is_refused() {
    let (home, clip) = (tempfile::tempdir().unwrap(), Clip::mini());
    let out = home.path().join("prompt");
    let refused = |file: &str| {
        let error = import(file, &clip, &out).unwrap_err().to_string();
        assert!(!out.exists(), "nothing is written");
        error
    };
    let error = refused("clip-lora-vision.pt");
    assert!(error.contains("expected those of both"), "{error}");
    let error = refused("clip-lora-extra.pt");
    assert!(
        error.ends_with(
            "it looks like clip-lora, which does not have `weights.layer_12.q_proj.scale`"
        ),
        "{error}"
    );
}
