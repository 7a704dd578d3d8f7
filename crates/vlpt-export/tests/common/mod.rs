//! Prompts and classifiers of every method, and ONNX files run by `rten`.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::Arc;

use rten_tensor::{AsView, Layout, NdTensor, Tensor};
use vlpt_adapter::{Classifier, ImageAdaptation};
use vlpt_base::random::Stream;
use vlpt_clip::Clip;
use vlpt_data::image::Preprocess;
use vlpt_methods::head::{Head, HeadInputs, Labelled, Unprojected, first_largest};
use vlpt_methods::{Build, Fit, Method, MethodConfig, MethodSpec};

pub(crate) const SHOTS: usize = 4;

pub(crate) fn classes() -> Vec<String> {
    ["cat", "polar_bear", "school bus"]
        .map(str::to_owned)
        .to_vec()
}

/// How `mini-clip` looks at images.
pub(crate) fn view(clip: &Clip) -> Preprocess {
    vlpt_adapter::preprocess(clip, &vlpt_adapter::ImageConfig::default())
}

/// Pixels of random images.
pub(crate) fn pixels(clip: &Clip, count: usize) -> Vec<f32> {
    let side = clip.config.vision.image_size;
    Stream::new(5, "images").normals(count * 3 * side * side, 1.0)
}

/// A method with its default options, every parameter moved away from where it starts.
pub(crate) fn moved(config: &MethodConfig, clip: &Clip) -> Arc<dyn Method> {
    let build = Build {
        clip,
        classes: classes().len(),
        seed: 1,
    };
    let method = config.build(&build).unwrap();
    for parameter in method.parameters() {
        let noise = Stream::new(8, parameter.name()).normals(parameter.len(), 0.05);
        let values = parameter.values().unwrap().into_iter().zip(noise);
        let values: Vec<f32> = values.map(|(value, noise)| value + noise).collect();
        parameter.set(&values).unwrap();
    }
    Arc::from(method)
}

/// The classifier that a method of the list makes: of parameters that are not those it starts with, or fitted to
/// made features.
pub(crate) fn classifier(spec: &'static MethodSpec, clip: &Clip) -> Classifier {
    let config = MethodConfig::new(spec);
    if !spec.is_baseline() {
        return Classifier::of_method(clip, moved(&config, clip), &classes()).unwrap();
    }
    fitted(&config, clip)
}

fn fitted(config: &MethodConfig, clip: &Clip) -> Classifier {
    let Fit::Head(fit) = config.spec().fit else {
        panic!("{config} is no baseline");
    };
    let (names, embed, width) = (classes(), clip.config.embed_dim, clip.vision.width());
    let count = names.len() * SHOTS;
    let labels: Vec<Vec<u32>> = (0..count).map(|i| vec![(i % names.len()) as u32]).collect();
    let rows = |length: usize, purpose: &str| -> Vec<f32> {
        let centres = Stream::new(1, "centres").normals(names.len() * length, 1.0);
        let mut noise = Stream::new(2, purpose);
        let class = |i: usize| centres[i % names.len() * length..][..length].to_vec();
        let all = (0..count).flat_map(class);
        all.map(|centre| centre + 0.5 * noise.normal() as f32)
            .collect()
    };
    let ids = |split: &str| -> Vec<String> { (0..count).map(|i| format!("{split} {i}")).collect() };
    let (train_ids, val_ids) = (ids("train"), ids("val"));
    let views = vec![rows(embed, "first"), rows(embed, "second")];
    let hidden = vec![rows(width, "first")];
    let hidden_val = rows(width, "val");
    let accuracy = |logits: &[f32], labels: &[Vec<u32>]| {
        let rows = logits.chunks_exact(logits.len() / labels.len());
        let right = rows
            .zip(labels)
            .filter(|(row, own)| own.contains(&(first_largest(row) as u32)));
        Some(right.count() as f64 / labels.len() as f64)
    };
    let templates = vec!["a photo of a {}.".to_owned()];
    let inputs = HeadInputs {
        seed: 1,
        clip,
        classes: &names,
        templates: &templates,
        general_templates: &templates,
        multi_label: false,
        class_weights: None,
        metric_name: "accuracy",
        metric: &accuracy,
        order: &|images, _| (0..images).collect(),
        train: Labelled {
            ids: &train_ids,
            labels: &labels,
        },
        views: &views,
        unprojected: Some(Unprojected {
            train: &hidden,
            val: &hidden_val,
        }),
        val: Labelled {
            ids: &val_ids,
            labels: &labels,
        },
        val_features: &rows(embed, "val"),
    };
    match fit(config, &inputs, &()).unwrap().head {
        Head::Text(text) => Classifier::cosine(&names, embed, text, clip.logit_scale).unwrap(),
        Head::Projected { text, projection } => {
            let visual = ImageAdaptation::of_projection(projection);
            let cosine = Classifier::cosine(&names, embed, text, clip.logit_scale).unwrap();
            cosine.with_visual(Some(visual))
        }
        Head::Features(head) => Classifier::of_features(&names, embed, head),
    }
}

/// Logits of pixels by this program's own towers.
pub(crate) fn own_logits(clip: &Clip, classifier: &Classifier, pixels: &[f32]) -> Vec<f32> {
    let side = clip.config.vision.image_size;
    let count = pixels.len() / (3 * side * side);
    let visual = classifier.visual.as_ref();
    let features = ImageAdaptation::features(visual, clip, pixels, count).unwrap();
    classifier.logits(clip, &features).unwrap()
}

/// The first output of an ONNX file by `rten`, of one input of f32.
pub(crate) fn by_rten(file: &Path, shape: &[usize], values: &[f32]) -> Vec<f32> {
    let model = rten::Model::load_file(file).unwrap();
    let input = Tensor::from_data(shape, values.to_vec());
    floats(model.run_one(input.into(), None).unwrap())
}

/// The same of one input of whole numbers.
pub(crate) fn by_rten_of_ids(file: &Path, shape: [usize; 2], ids: &[i32]) -> Vec<f32> {
    let model = rten::Model::load_file(file).unwrap();
    let input = NdTensor::from_data(shape, ids.to_vec());
    floats(model.run_one(input.into(), None).unwrap())
}

fn floats(value: rten::Value) -> Vec<f32> {
    let tensor: Tensor<f32> = value.try_into().unwrap();
    assert!(tensor.ndim() > 0);
    tensor.to_vec()
}

/// The largest difference of numbers, of which there have to be as many.
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}
