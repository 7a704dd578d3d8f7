//! Towers apart, matrices, PEFT's folder and Hugging Face's: what is written says what the prompt says.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{by_rten, by_rten_of_ids, classes, distance, moved, pixels, view};
use vlpt_adapter::{Classifier, ImportOptions, ImportTask, PromptFolder, import_checkpoint};
use vlpt_clip::{
    Activation, Clip, ClipConfig, ClipWeights, ModelFiles, PromptToken, TextConfig,
    TowerAdaptation, VisionConfig,
};
use vlpt_data::Metric;
use vlpt_data::image::Preprocess;
use vlpt_export::{LIMIT, Source, write_hugging_face, write_peft, write_towers};
use vlpt_methods::{
    AdaptedLayer, Blocks, ClipLoraConfig, METHODS, Method, MethodConfig, MethodSpec, Norms, Pass,
    TowerValues, Towers, TwoStageConfig, UnitRows,
};

/// A model, the classifier of a method with moved parameters, and what it changes in the towers.
struct Example {
    clip: Clip,
    weights: ClipWeights,
    view: Preprocess,
    classifier: Classifier,
    towers: [TowerValues; 2],
}

impl Example {
    fn new(config: &MethodConfig) -> Self {
        let clip = Clip::mini();
        let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
        Self::of(clip, weights, config)
    }

    fn of(clip: Clip, weights: ClipWeights, config: &MethodConfig) -> Self {
        let method: Arc<dyn Method> = moved(config, &clip);
        let values = method.adapt(&Pass::EVAL).unwrap();
        let towers = [
            values.text.values().unwrap(),
            values.visual.values().unwrap(),
        ];
        Self {
            view: view(&clip),
            classifier: Classifier::of_method(&clip, method, &classes()).unwrap(),
            clip,
            weights,
            towers,
        }
    }

    fn source(&self) -> Source<'_> {
        Source {
            clip: &self.clip,
            weights: &self.weights,
            classifier: &self.classifier,
            temperature: 1.0,
            view: &self.view,
            about: "Made by a test.",
        }
    }

    /// Features of two texts and three images, of length one, under what was learned.
    fn features(&self) -> [Vec<f32>; 2] {
        let [text, visual] = &self.towers;
        let (text_updates, updates) = (text.updates(), visual.updates());
        let texts = self
            .clip
            .text
            .features(&texts(&self.clip), &text.for_tower(&text_updates));
        let pixels = pixels(&self.clip, 3);
        let images = self
            .clip
            .vision
            .features(&pixels, 3, &visual.for_tower(&updates));
        [texts, images].map(|rows| units(&self.clip, &rows))
    }
}

fn units(clip: &Clip, rows: &[f32]) -> Vec<f32> {
    UnitRows::new(rows, clip.config.embed_dim)
        .unwrap()
        .rows()
        .to_vec()
}

fn texts(clip: &Clip) -> Vec<Vec<PromptToken>> {
    ids(clip)
        .iter()
        .map(|ids| ids.iter().copied().map(PromptToken::Token).collect())
        .collect()
}

fn ids(clip: &Clip) -> Vec<Vec<u32>> {
    ["a cat", "a photo of a school bus."]
        .map(|text| clip.tokenizer.encode(text).unwrap())
        .to_vec()
}

fn lora(config: ClipLoraConfig) -> MethodConfig {
    MethodConfig::from(config)
}

fn all_layers() -> MethodConfig {
    lora(ClipLoraConfig {
        layers: AdaptedLayer::ALL.to_vec(),
        rank: 3,
        alpha: 2.0,
        ..ClipLoraConfig::default()
    })
}

fn norms() -> MethodConfig {
    MethodConfig::from(TwoStageConfig {
        norms: Norms::All,
        ..TwoStageConfig::default()
    })
}

fn spec(pick: impl Fn(&MethodSpec) -> bool) -> &'static MethodSpec {
    METHODS.iter().find(|spec| pick(spec)).unwrap()
}

#[test]
fn towers_apart_give_the_features_that_ours_give() {
    for config in [all_layers(), norms()] {
        let example = Example::new(&config);
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        let [text, _] = &example.towers;
        let exported =
            write_towers(&example.source(), &ModelFiles::mini(), text, LIMIT, &out).unwrap();
        assert!(exported.notes.is_empty(), "{:?}", exported.notes);
        assert_eq!(exported.checked.len(), 2);
        assert!(out.join("vocab.json").exists() && out.join("config.json").exists());
        let [texts, images] = example.features();
        let side = example.clip.config.vision.image_size;
        let file = out.join("onnx/vision_model.onnx");
        let found = by_rten(&file, &[3, 3, side, side], &pixels(&example.clip, 3));
        assert!(distance(&units(&example.clip, &found), &images) < 1e-5);

        let ids = ids(&example.clip);
        let longest = ids.iter().map(Vec::len).max().unwrap();
        let end = example.clip.config.text.eot_token;
        let padded: Vec<i32> = ids
            .iter()
            .flat_map(|ids| (0..longest).map(move |i| *ids.get(i).unwrap_or(&end) as i32))
            .collect();
        let file = out.join("onnx/text_model.onnx");
        let found = by_rten_of_ids(&file, [2, longest], &padded);
        let apart = distance(&units(&example.clip, &found), &texts);
        assert!(apart < 1e-5, "{apart}");
    }
}

#[test]
fn text_prompts_have_no_text_tower_and_say_so() {
    let example = Example::new(&MethodConfig::new(METHODS[0]));
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let [text, _] = &example.towers;
    let exported = write_towers(&example.source(), &ModelFiles::mini(), text, LIMIT, &out).unwrap();
    assert!(exported.notes[0].contains("learned tokens stand among the words"));
    assert!(!out.join("onnx/text_model.onnx").exists());
}

#[test]
fn a_model_with_changed_weights_is_read_back() {
    for config in [all_layers(), norms()] {
        let example = Example::new(&config);
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        let [text, visual] = &example.towers;
        write_hugging_face(&example.source(), &ModelFiles::mini(), text, visual, &out).unwrap();
        let clip = Clip::load(&ModelFiles::folder("written", &out).unwrap()).unwrap();
        assert_eq!(clip.config, example.clip.config);
        assert_eq!(clip.preprocess, example.clip.preprocess);
        assert!((clip.logit_scale / example.clip.logit_scale - 1.0).abs() < 1e-5);
        let found = [
            clip.text.features(&texts(&clip), &TowerAdaptation::NONE),
            clip.vision
                .features(&pixels(&clip, 3), 3, &TowerAdaptation::NONE),
        ];
        for (found, expected) in found.iter().zip(example.features()) {
            let apart = distance(&units(&clip, found), &expected);
            assert!(apart < 1e-5, "{apart}");
        }
    }
    let prompts = Example::new(&MethodConfig::new(METHODS[0]));
    let [text, visual] = &prompts.towers;
    let out = Path::new("never written");
    let refused = write_hugging_face(&prompts.source(), &ModelFiles::mini(), text, visual, out);
    assert!(refused.unwrap_err().to_string().contains("learned tokens"));
}

#[test]
fn updates_go_to_peft_and_come_back() {
    let parts = [
        ClipLoraConfig::default(),
        ClipLoraConfig {
            encoder: Towers::Vision,
            position: Blocks::HalfUp,
            layers: vec![AdaptedLayer::V, AdaptedLayer::Fc2],
            alpha: 3.0,
            rank: 4,
            ..ClipLoraConfig::default()
        },
    ];
    for config in parts {
        let example = Example::new(&lora(config.clone()));
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("peft");
        let [text, visual] = &example.towers;
        write_peft(&example.source(), None, text, visual, &out).unwrap();
        let json = fs_err::read_to_string(out.join("adapter_config.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["peft_type"], "LORA");
        assert_eq!(json["r"], config.rank);
        assert_eq!(json["lora_alpha"].as_f64(), Some(config.alpha));
        let pattern = json["target_modules"].as_str().unwrap();
        assert_eq!(
            pattern.contains("text_model"),
            config.encoder == Towers::Both
        );

        let prompt = home.path().join("prompt");
        let task = ImportTask {
            name: "animals".to_owned(),
            classes: classes(),
            multi_label: false,
            metric: Metric::Accuracy,
        };
        let options = ImportOptions::default();
        let imported = import_checkpoint(&out, &example.clip, &task, &options, &prompt).unwrap();
        assert!(imported.left.is_empty());
        let folder = PromptFolder::open(&prompt).unwrap();
        let found: &ClipLoraConfig = folder.adapter.method.options();
        let expected = ClipLoraConfig {
            dropout: 0.0,
            ..config
        };
        assert_eq!(*found, expected);
        let method = folder.method(&example.clip).unwrap();
        let values = method.adapt(&Pass::EVAL).unwrap();
        assert_eq!(values.text.values().unwrap(), example.towers[0]);
        assert_eq!(values.visual.values().unwrap(), example.towers[1]);
    }
}

#[test]
fn a_factor_of_plain_peft_is_understood_and_variants_are_refused() {
    let example = Example::new(&lora(ClipLoraConfig {
        rank: 4,
        ..ClipLoraConfig::default()
    }));
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("peft");
    let [text, visual] = &example.towers;
    write_peft(&example.source(), None, text, visual, &out).unwrap();
    let path = out.join("adapter_config.json");
    let json: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(&path).unwrap()).unwrap();
    let import = |changes: &[(&str, serde_json::Value)], to: &str| {
        let mut json = json.clone();
        for (key, value) in changes {
            json[*key] = value.clone();
        }
        fs_err::write(&path, json.to_string()).unwrap();
        let task = ImportTask {
            name: "animals".to_owned(),
            classes: classes(),
            multi_label: false,
            metric: Metric::Accuracy,
        };
        let to = home.path().join(to);
        import_checkpoint(&out, &example.clip, &task, &ImportOptions::default(), &to)?;
        PromptFolder::open(&to)
    };
    // alpha / rank is what alpha / sqrt(rank) is with another alpha
    let plain = [("use_rslora", false.into()), ("lora_alpha", 8.into())];
    let folder = import(&plain, "plain").unwrap();
    let config: &ClipLoraConfig = folder.adapter.method.options();
    assert_eq!(config.alpha, 4.0);
    for (changes, expected) in [
        (("use_dora", true.into()), "use_dora"),
        (
            ("peft_type", "LOHA".into()),
            "peft_type LOHA: expected LORA",
        ),
        (
            ("modules_to_save", ["classifier"].into()),
            "modules_to_save",
        ),
        (("bias", "all".into()), "bias \"all\""),
        (("r", 0.into()), "r 0 and lora_alpha"),
        (("r", 3.into()), "expected r = 3"),
        (("lora_alpha", serde_json::json!(1e-50)), "lora_alpha"),
    ] {
        let error = import(&[changes], "refused").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!home.path().join("refused").exists());
    }
}

#[test]
fn what_is_no_low_rank_update_is_refused_by_name() {
    let cases = [
        (MethodConfig::new(METHODS[0]), "learned tokens"),
        (norms(), "scales and shifts"),
        (
            MethodConfig::new(spec(|s| s.family == Some(vlpt_methods::Family::Visual))),
            "learned tokens",
        ),
    ];
    for (config, expected) in cases {
        let example = Example::new(&config);
        let [text, visual] = &example.towers;
        let out = Path::new("never written");
        let refused = write_peft(&example.source(), None, text, visual, out).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(refused.hint().unwrap().contains("--format onnx"));
    }
}

#[test]
fn erf_gelu_other_heads_and_patches_are_exported_too() {
    let tower = |width: usize| (width, 3, 2, 3 * width);
    let (width, layers, heads, mlp) = tower(24);
    let config = ClipConfig {
        text: TextConfig {
            width,
            layers,
            heads,
            mlp,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation: Activation::Gelu,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: 36,
            layers: 4,
            heads: 3,
            mlp: 80,
            image_size: 20,
            patch_size: 5,
            activation: Activation::Gelu,
            layer_norm_eps: 1e-6,
        },
        embed_dim: 16,
    };
    let clip = Clip::random(&config, 3);
    let weights = Clip::random_weights(&config, 3);
    let example = Example::of(clip, weights, &all_layers());
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let [text, _] = &example.towers;
    let exported = write_towers(&example.source(), &ModelFiles::mini(), text, LIMIT, &out).unwrap();
    for agreement in exported.checked.values() {
        assert!(agreement.probabilities < 1e-5, "{agreement:?}");
    }
    let [_, images] = example.features();
    let file = out.join("onnx/vision_model.onnx");
    let found = by_rten(&file, &[3, 3, 20, 20], &pixels(&example.clip, 3));
    assert!(distance(&units(&example.clip, &found), &images) < 1e-5);
}
