//! Every method of the list is exported within 1e-4 of this program's own towers, run by an interpreter of our
//! own and by `rten`, or refused by its name.

#![allow(clippy::unwrap_used)]

mod common;

use common::{by_rten, classes, classifier, distance, own_logits, pixels, view};
use vlpt_adapter::{Classifier, ImageAdaptation, TensorFile};
use vlpt_clip::{Clip, ClipWeights, ModelFiles};
use vlpt_export::{
    ALLOWED, Classification, ExportError, Forms, LIMIT, MODEL, QUANTISED, Source, check, quantise,
    run, write_classifier, write_matrix,
};
use vlpt_methods::{METHODS, MethodConfig, MethodSpec, UnitRows};

/// More images than the check at export has, and another number.
const IMAGES: usize = 3;

#[test]
fn every_method_is_exported_or_refused_by_name() {
    let clip = Clip::mini();
    let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    let side = clip.config.vision.image_size;
    let pixels = pixels(&clip, IMAGES);
    let home = tempfile::tempdir().unwrap();
    let mut refused = Vec::new();
    for spec in METHODS {
        let classifier = classifier(spec, &clip);
        let model = match Classification::new(&clip, &weights, &classifier, 1.0) {
            Ok(model) => model,
            Err(ExportError::Unsupported { what, hint }) => {
                assert!(what.contains(spec.name), "{what}");
                assert!(hint.contains("vlpt predict"), "{hint}");
                refused.push(spec);
                continue;
            }
            Err(other) => panic!("{}: {other}", spec.name),
        };
        let graph = model.graph();
        let agreement = check(&graph, &clip, &classifier, 1.0).unwrap();
        assert!(agreement.probabilities < ALLOWED, "{}", spec.name);

        let file = home.path().join(format!("{}.onnx", spec.name));
        vlpt_export::write(&file, &graph, LIMIT).unwrap();
        let found = by_rten(&file, &[IMAGES, 3, side, side], &pixels);
        let expected = own_logits(&clip, &classifier, &pixels);
        assert_eq!(found.len(), IMAGES * classes().len());
        let largest = expected.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
        let apart = distance(&found, &expected) / largest;
        assert!(f64::from(apart) < ALLOWED, "{}: {apart} by rten", spec.name);
        let found_logits = found.clone();
        let [found, expected] = [found, expected].map(|logits| classifier.probabilities_of(logits));
        let apart = distance(&found, &expected);
        assert!(f64::from(apart) < ALLOWED, "{}: {apart} by rten", spec.name);
        fs_err::remove_file(&file).unwrap();
        as_a_matrix(spec, &clip, &weights, &classifier, &pixels);

        // else a graph that leaves visual prompts out would pass
        let mut plain = classifier.clone();
        if MethodConfig::new(spec).needs().pixels
            && plain
                .visual
                .take()
                .is_some_and(|visual| visual.outputs() == 1)
        {
            let apart = distance(&found_logits, &own_logits(&clip, &plain, &pixels));
            assert!(apart > 0.01, "{}: {apart}", spec.name);
        }
    }
    for spec in &refused {
        // what no graph holds is what is made anew for each image
        let needs = MethodConfig::new(spec).needs();
        assert!(
            needs.texts_per_image || needs.visual_per_image,
            "{}",
            spec.name
        );
    }
    assert!(refused.len() < 3);
}

/// The classifier as a matrix makes the logits of image features, and NumPy's file has its numbers.
fn as_a_matrix(
    spec: &MethodSpec,
    clip: &Clip,
    weights: &ClipWeights,
    classifier: &Classifier,
    pixels: &[f32],
) {
    let view = view(clip);
    let source = Source {
        clip,
        weights,
        classifier,
        temperature: 1.0,
        view: &view,
        about: "",
    };
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    match write_matrix(&source, &out) {
        Err(ExportError::Unsupported { what, .. }) => {
            assert!(what.contains("a cache of training images"), "{what}");
            return;
        }
        other => other.unwrap(),
    };
    let file = TensorFile::read(&out.join("classifier.safetensors")).unwrap();
    let visual = classifier.visual.as_ref();
    let features = ImageAdaptation::features(visual, clip, pixels, IMAGES).unwrap();
    let embed = clip.config.embed_dim;
    let width = ImageAdaptation::width(visual, embed);
    let mut found = Vec::new();
    for image in features.chunks_exact(width) {
        let rows = match file.metadata["normalised"].as_str() {
            "true" => UnitRows::new(image, embed).unwrap().rows().to_vec(),
            _ => image.to_vec(),
        };
        for class in 0..classes().len() {
            let product = |name: &str, row: &[f32]| -> f32 {
                let weight = &file.tensors[name].data[class * embed..(class + 1) * embed];
                weight.iter().zip(row).map(|(w, x)| w * x).sum()
            };
            let mut logit = product("weight", &rows[..embed]) + file.tensors["bias"].data[class];
            if file.tensors.contains_key("row_weight") {
                logit += product("row_weight", &rows[embed..]);
            }
            found.push(logit);
        }
    }
    let expected = own_logits(clip, classifier, pixels);
    let largest = expected.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
    let apart = distance(&found, &expected);
    assert!(apart < 1e-4 * largest, "{}: {apart}", spec.name);
    let npy = fs_err::read(out.join("weight.npy")).unwrap();
    let weight = &file.tensors["weight"].data;
    let bytes: Vec<u8> = weight.iter().flat_map(|v| v.to_le_bytes()).collect();
    assert!(npy.ends_with(&bytes));
}

#[test]
fn a_temperature_divides_logits() {
    let clip = Clip::mini();
    let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    let side = clip.config.vision.image_size;
    let pixels = pixels(&clip, 1);
    // the first method, whose head are cosines, and those with heads of their own
    let heads = METHODS.iter().filter(|spec| !spec.heads.is_empty());
    for spec in METHODS[..1].iter().chain(heads) {
        let classifier = classifier(spec, &clip);
        let model = Classification::new(&clip, &weights, &classifier, 2.5).unwrap();
        let graph = model.graph();
        check(&graph, &clip, &classifier, 2.5).unwrap();
        let input = vlpt_export::Value::f32(&[1, 3, side, side], pixels.clone());
        let found = run(&graph, &[("pixel_values", input)]).unwrap();
        let expected = own_logits(&clip, &classifier, &pixels);
        let expected: Vec<f32> = expected.iter().map(|v| v / 2.5).collect();
        let apart = distance(found[0].as_f32().unwrap(), &expected);
        assert!(apart < 1e-3, "{}: {apart}", spec.name);
    }
}

#[test]
fn a_graph_that_differs_is_not_written() {
    let clip = Clip::mini();
    let mut weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    weights.vision.blocks[3].fc2.bias[7] += 1.0;
    let classifier = classifier(METHODS[0], &clip);
    let view = view(&clip);
    let source = Source {
        clip: &clip,
        weights: &weights,
        classifier: &classifier,
        temperature: 1.0,
        view: &view,
        about: "",
    };
    let forms = Forms {
        quantised: false,
        with_preprocessing: false,
        limit: LIMIT,
    };
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let error = write_classifier(&source, forms, &out).unwrap_err();
    assert!(error.to_string().contains("nothing was written"), "{error}");
    assert!(!out.exists());
}

#[test]
fn a_folder_has_what_transformers_js_looks_for() {
    let clip = Clip::mini();
    let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    let classifier = classifier(METHODS[0], &clip);
    let view = view(&clip);
    let source = Source {
        clip: &clip,
        weights: &weights,
        classifier: &classifier,
        temperature: 1.0,
        view: &view,
        about: "Made by a test.",
    };
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let forms = Forms {
        quantised: true,
        with_preprocessing: true,
        limit: LIMIT,
    };
    let exported = write_classifier(&source, forms, &out).unwrap();
    let files: Vec<&str> = exported.files.keys().map(String::as_str).collect();
    let expected = [
        "README.md",
        "config.json",
        "onnx/image_classifier.onnx",
        "onnx/model.onnx",
        "onnx/model_quantized.onnx",
        "preprocessor_config.json",
    ];
    assert_eq!(files, expected);
    let size = |file: &str| exported.files[&format!("onnx/{file}")] as f64;
    assert!(size(QUANTISED) < 0.3 * size(MODEL));
    let config: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(out.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["model_type"], "vit");
    assert_eq!(config["id2label"]["1"], "polar_bear");
    assert_eq!(config["label2id"]["school bus"], 2);
    assert_eq!(config["problem_type"], "single_label_classification");
    assert!(config.get("transformers.js_config").is_none());
    let text = fs_err::read_to_string(out.join("preprocessor_config.json")).unwrap();
    let processor: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(processor["size"]["shortest_edge"], 64);
    let mean = processor["image_mean"][0].as_f64().unwrap();
    assert_eq!(mean as f32, clip.preprocess.mean[0]);
    // the folder is whole, or absent, and never written over
    let error = write_classifier(&source, forms, &out).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn large_weights_go_to_a_second_file() {
    let clip = Clip::mini();
    let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    let classifier = classifier(METHODS[0], &clip);
    let model = Classification::new(&clip, &weights, &classifier, 1.0).unwrap();
    let graph = model.graph();
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole.onnx");
    let one = vlpt_export::write(&whole, &graph, LIMIT).unwrap();
    assert_eq!(one.external_bytes, None);
    assert_eq!(one.bytes, fs_err::metadata(&whole).unwrap().len());
    let parted = home.path().join("model.onnx");
    let two = vlpt_export::write(&parted, &graph, 1 << 20).unwrap();
    let beside = fs_err::metadata(home.path().join("model.onnx_data")).unwrap();
    assert_eq!(two.external_bytes, Some(beside.len()));
    assert!(two.bytes < one.bytes / 20 && beside.len() > one.bytes * 9 / 10);
    let side = clip.config.vision.image_size;
    let pixels = pixels(&clip, 1);
    let shape = [1, 3, side, side];
    assert_eq!(
        by_rten(&whole, &shape, &pixels),
        by_rten(&parted, &shape, &pixels)
    );
}

#[test]
fn eight_bits_are_near_and_as_rten_computes_them() {
    let clip = Clip::mini();
    let weights = Clip::load_weights(&ModelFiles::mini()).unwrap();
    let side = clip.config.vision.image_size;
    let pixels = pixels(&clip, IMAGES);
    let classifier = classifier(METHODS[0], &clip);
    let model = Classification::new(&clip, &weights, &classifier, 1.0).unwrap();
    let graph = quantise(model.graph());
    let shape = [IMAGES, 3, side, side];
    let input = vlpt_export::Value::f32(&shape, pixels.clone());
    let own = run(&graph, &[("pixel_values", input)]).unwrap();
    let own = classifier.probabilities_of(own[0].as_f32().unwrap().to_vec());
    let exact = classifier.probabilities_of(own_logits(&clip, &classifier, &pixels));
    let apart = distance(&own, &exact);
    assert!(apart > 1e-6 && apart < 0.02, "{apart}");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(QUANTISED);
    vlpt_export::write(&file, &graph, LIMIT).unwrap();
    let found = classifier.probabilities_of(by_rten(&file, &shape, &pixels));
    let apart = distance(&found, &own);
    // a number at the middle of two steps may fall to either side
    assert!(apart < 5e-3, "{apart}");
}
