//! A merged model is a folder of its own whose features are those of the adapted towers.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use vlpt_adapter::merge::{Merged, MergedFormat, merge};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, ModelFiles, PromptToken, TowerAdaptation};
use vlpt_methods::{
    AdaptedLayer, ClipLora, ClipLoraConfig, CoOp, CoOpConfig, Method, Norms, Pass, Towers,
    TwoStage, TwoStageConfig,
};

const IMAGES: usize = 2;

/// A model of the formats that loading is tested with, with its vocabulary.
fn model(home: &Path, format: &str) -> PathBuf {
    let folder = home.join(format);
    fs_err::create_dir(&folder).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vlpt-clip/tests/golden/formats");
    for source in [format, "tokenizer"] {
        for entry in fs_err::read_dir(golden.join(source)).unwrap() {
            let path = entry.unwrap().path();
            fs_err::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

fn lora(clip: &Clip, config: &ClipLoraConfig) -> ClipLora {
    let lora = ClipLora::new(config, &clip.config, 1).unwrap();
    for parameter in lora.parameters() {
        let values = Stream::new(8, parameter.name()).normals(parameter.len(), 0.2);
        parameter.set(&values).unwrap();
    }
    lora
}

fn all_layers() -> ClipLoraConfig {
    ClipLoraConfig {
        layers: AdaptedLayer::ALL.to_vec(),
        ..ClipLoraConfig::default()
    }
}

/// Features of two texts and of images, of length one each: with updates, or of the model as it is.
fn features(clip: &Clip, method: Option<&dyn Method>) -> [Vec<f32>; 2] {
    let texts: Vec<Vec<PromptToken>> = ["a cat", "a dog"]
        .iter()
        .map(|text| clip.tokenizer.encode(text).unwrap())
        .map(|ids| ids.into_iter().map(PromptToken::Token).collect())
        .collect();
    let side = clip.config.vision.image_size;
    let images = Stream::new(5, "images").normals(IMAGES * 3 * side * side, 1.0);
    let adaptation = method.map(|method| method.adapt(&Pass::EVAL).unwrap());
    let (mut text, mut image) = match adaptation {
        None => (
            clip.text.features(&texts, &TowerAdaptation::NONE),
            clip.vision
                .features(&images, IMAGES, &TowerAdaptation::NONE),
        ),
        Some(adaptation) => {
            let text = adaptation.text.values().unwrap();
            let visual = adaptation.visual.values().unwrap();
            let updates = [text.updates(), visual.updates()];
            (
                clip.text.features(&texts, &text.for_tower(&updates[0])),
                clip.vision
                    .features(&images, IMAGES, &visual.for_tower(&updates[1])),
            )
        }
    };
    for features in [&mut text, &mut image] {
        for row in features.chunks_exact_mut(clip.config.embed_dim) {
            vlpt_methods::zeroshot::normalise(row);
        }
    }
    [text, image]
}

fn distance(a: &[Vec<f32>; 2], b: &[Vec<f32>; 2]) -> f32 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
}

fn merged(
    files: &ModelFiles,
    clip: &Clip,
    method: &dyn Method,
    format: MergedFormat,
    out: &Path,
) -> (Merged, Clip) {
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    let merged = merge(files, clip, &adaptation, format, "# merged\n", out).unwrap();
    let loaded = Clip::load(&ModelFiles::folder("merged", out).unwrap()).unwrap();
    assert_eq!(merged.fingerprint, loaded.fingerprint);
    (merged, loaded)
}

#[test]
fn features_of_a_merged_model_are_those_of_the_adapted_towers() {
    for (format, weights) in [
        ("hf", "model.safetensors"),
        ("hf-bf16", "model.safetensors"),
        ("hf-bin", "model.safetensors"),
        ("hf-sharded", "model.safetensors"),
        ("open-clip", "open_clip_model.safetensors"),
        ("open-clip-bin", "open_clip_model.safetensors"),
        ("openai", "open_clip_model.safetensors"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let files = ModelFiles::folder(format, &model(home.path(), format)).unwrap();
        let clip = Clip::load(&files).unwrap();
        let lora = lora(&clip, &all_layers());
        let out = home.path().join("out");
        let (merged, loaded) = merged(&files, &clip, &lora, MergedFormat::F32, &out);
        assert_eq!(merged.weights, weights, "{format}");
        assert!(out.join(weights).exists() && out.join("vocab.json").exists());
        let expected = features(&clip, Some(&lora));
        let moved = distance(&expected, &features(&clip, None));
        assert!(
            moved > 1e-2,
            "{format}: updates move features by {moved} only"
        );
        let off = distance(&expected, &features(&loaded, None));
        assert!(off < 1e-5, "{format}: {off} off");
        assert_ne!(clip.fingerprint, loaded.fingerprint);
    }
}

#[test]
fn gains_and_biases_of_a_merged_model_are_those_that_were_tuned() {
    for format in ["hf", "hf-bf16", "open-clip"] {
        let home = tempfile::tempdir().unwrap();
        let files = ModelFiles::folder(format, &model(home.path(), format)).unwrap();
        let clip = Clip::load(&files).unwrap();
        let config = TwoStageConfig {
            norms: Norms::All,
            ..TwoStageConfig::default()
        };
        let method = TwoStage::new(&config, &clip, 2).unwrap();
        for parameter in method.parameters() {
            let noise = Stream::new(8, parameter.name()).normals(parameter.len(), 0.2);
            let values = parameter.values().unwrap();
            let moved: Vec<f32> = values.iter().zip(noise).map(|(v, n)| v + n).collect();
            parameter.set(&moved).unwrap();
        }
        let out = home.path().join("out");
        let (merged, loaded) = merged(&files, &clip, &method, MergedFormat::F32, &out);
        assert_eq!(merged.changed.len() + 1, method.parameters().len());
        let expected = features(&clip, Some(&method));
        let moved = distance(&expected, &features(&clip, None));
        assert!(moved > 1e-2, "{format}: {moved} only");
        let off = distance(&expected, &features(&loaded, None));
        assert!(off < 1e-5, "{format}: {off} off");
    }
}

#[test]
fn the_model_inside_the_program_is_merged_with_its_vocabulary() {
    let home = tempfile::tempdir().unwrap();
    let (files, clip) = (ModelFiles::mini(), Clip::mini());
    let lora = lora(&clip, &ClipLoraConfig::default());
    let expected = features(&clip, Some(&lora));
    let at = |name: &str| home.path().join(name);
    let (merged, loaded) = merged(&files, &clip, &lora, MergedFormat::F32, &at("f32"));
    assert_eq!(merged.changed.len(), 3 * (4 + 8));
    assert_eq!(
        merged.copied,
        [
            "config.json",
            "preprocessor_config.json",
            "vocab.json",
            "merges.txt"
        ]
    );
    let off = distance(&expected, &features(&loaded, None));
    assert!(off < 1e-5, "{off} off");
    // what is not updated keeps its bytes
    let read = |name: &str| fs_err::read(at(name).join("model.safetensors")).unwrap();
    let wide = read("f32");
    let wide = safetensors::SafeTensors::deserialize(&wide).unwrap();
    let name = "text_model.encoder.layers.0.mlp.fc1.weight";
    assert_eq!(wide.tensor(name).unwrap().dtype(), safetensors::Dtype::F16);
    let name = "text_model.encoder.layers.0.self_attn.k_proj.weight";
    assert_eq!(wide.tensor(name).unwrap().dtype(), safetensors::Dtype::F32);
}

#[test]
fn weights_in_the_format_that_they_had_are_rounded() {
    let home = tempfile::tempdir().unwrap();
    let (files, clip) = (ModelFiles::mini(), Clip::mini());
    let lora = lora(&clip, &ClipLoraConfig::default());
    let out = home.path().join("kept");
    let (_, loaded) = merged(&files, &clip, &lora, MergedFormat::Kept, &out);
    let bytes = fs_err::read(out.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let name = "vision_model.encoder.layers.7.self_attn.q_proj.weight";
    assert_eq!(file.tensor(name).unwrap().dtype(), safetensors::Dtype::F16);
    let off = distance(&features(&clip, Some(&lora)), &features(&loaded, None));
    assert!(off > 0.0 && off < 5e-3, "{off} off");
}

#[test]
fn a_tower_that_is_not_updated_keeps_its_bits() {
    let home = tempfile::tempdir().unwrap();
    let files = ModelFiles::folder("hf", &model(home.path(), "hf")).unwrap();
    let clip = Clip::load(&files).unwrap();
    let config = ClipLoraConfig {
        encoder: Towers::Text,
        ..ClipLoraConfig::default()
    };
    let lora = lora(&clip, &config);
    let out = home.path().join("out");
    let (merged, loaded) = merged(&files, &clip, &lora, MergedFormat::F32, &out);
    assert!(
        merged
            .changed
            .iter()
            .all(|name| name.starts_with("text_model."))
    );
    assert_eq!(features(&clip, None)[1], features(&loaded, None)[1]);
}

fn error(files: &ModelFiles, clip: &Clip, method: &dyn Method, out: &Path) -> String {
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    let merged = merge(files, clip, &adaptation, MergedFormat::F32, "", out);
    merged.unwrap_err().to_string()
}

#[test]
fn what_cannot_be_merged_is_refused_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let (files, clip) = (ModelFiles::mini(), Clip::mini());
    let out = home.path().join("out");
    let coop = CoOp::new(&CoOpConfig::default(), &clip, 2, 1).unwrap();
    let found = error(&files, &clip, &coop, &out);
    assert!(
        found.starts_with("the method has learned tokens"),
        "{found}"
    );
    let lora = lora(&clip, &ClipLoraConfig::default());
    fs_err::create_dir(&out).unwrap();
    fs_err::write(out.join("thesis.tex"), "years of work").unwrap();
    let found = error(&files, &clip, &lora, &out);
    assert!(found.ends_with("exists already"), "{found}");
    assert_eq!(fs_err::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn an_archive_without_a_configuration_is_refused_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let folder = model(home.path(), "openai-64");
    let files = ModelFiles::folder("openai-64", &folder).unwrap();
    let clip = Clip::load(&files).unwrap();
    let lora = lora(&clip, &ClipLoraConfig::default());
    let out = home.path().join("out");
    let adaptation = lora.adapt(&Pass::EVAL).unwrap();
    let found = merge(&files, &clip, &adaptation, MergedFormat::F32, "", &out).unwrap_err();
    assert!(
        found.to_string().contains("no open_clip_config.json"),
        "{found}"
    );
    assert!(found.hint().unwrap().contains("configuration"));
    assert!(!out.exists());
}
