//! Prompt folders, as training writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use vlpt_adapter::{
    Adapter, Classifier, FORMAT, ImageConfig, PromptContent, class_names_sha256, preprocess,
    write_prompt,
};
use vlpt_data::{Metric, Shots};
use vlpt_methods::{Build, METHODS, Method, MethodConfig};

use crate::parts::join;
use crate::scratch::Scratch;
use crate::targets::{PROMPT_FILES, clip};

/// Longest seed: larger ones are slow to mutate.
const LONGEST: usize = 64 << 10;

/// A folder of every method that is tuned, where it is small.
pub(crate) fn prompt_folders() -> Vec<Vec<u8>> {
    METHODS
        .iter()
        .map(|spec| MethodConfig::new(spec))
        .filter(|config| !config.is_baseline() && !config.needs().pixels)
        .map(|config| folder(&config))
        .filter(|seed| seed.len() <= LONGEST)
        .collect()
}

fn folder(config: &MethodConfig) -> Vec<u8> {
    let clip = clip();
    let classes = ["cat", "dog"].map(str::to_owned);
    let build = Build {
        clip,
        classes: classes.len(),
        seed: 1,
    };
    let method: Arc<dyn Method> = Arc::from(config.build(&build).expect("built-in options"));
    let adapter = Adapter {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        method: config.clone(),
        parameters: method
            .parameters()
            .iter()
            .map(|p| (p.name().to_owned(), p.shape().to_vec()))
            .collect(),
        base_model: clip.name.clone(),
        base_model_fingerprint: clip.fingerprint.clone(),
        precision: None,
        embed_dim: clip.config.embed_dim,
        task: "pets".to_owned(),
        classes: classes.len(),
        class_names_sha256: class_names_sha256(&classes),
        multi_label: false,
        metric: Metric::Accuracy,
        preprocess: preprocess(clip, &ImageConfig::default()),
        seed: 1,
        shots: Shots::Count(4),
        subset_sha256: String::new(),
        epochs: 1,
        selected_epoch: 1,
        tasks: Vec::new(),
        init_from: None,
        calibration: None,
    };
    let values = method.parameters().iter().map(|parameter| {
        let values = parameter.values().expect("parameters have values");
        (parameter.name().to_owned(), values)
    });
    let parameters: BTreeMap<_, _> = values.collect();
    let classifier =
        Classifier::of_method(clip, Arc::clone(&method), &classes).expect("built-in options");
    let scratch = Scratch::new();
    let path = scratch.path().join("prompt");
    let content = PromptContent {
        adapter: &adapter,
        classes: &classes,
        parameters,
        classifier: &classifier,
        templates: None,
        metrics: serde_json::Value::Null,
    };
    write_prompt(&path, &content).expect("a test needs a folder to write to");
    let files = PROMPT_FILES.map(|name| std::fs::read(path.join(name)).unwrap_or_default());
    join(&files.each_ref().map(|file| &file[..]))
}
