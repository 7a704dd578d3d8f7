//! A tiny model, and whether a method's gradients are those of a loss behind both towers.

#![allow(dead_code)] // each test file uses its part

use vlpt_base::random::Stream;
use vlpt_clip::{
    Activation, Clip, ClipConfig, MemoryBudget, TextConfig, TowerGradients, VisionConfig,
};
use vlpt_methods::{Adaptation, Method, Parameter, Pass, PromptValues};

/// Sizes of a model with towers of so many blocks.
pub(crate) fn sizes(
    text_width: usize,
    vision_width: usize,
    layers: usize,
    patch: usize,
) -> ClipConfig {
    ClipConfig {
        text: TextConfig {
            width: text_width,
            layers,
            heads: 2,
            mlp: 2 * text_width,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: vision_width,
            layers,
            heads: 2,
            mlp: 2 * vision_width,
            image_size: 2 * patch,
            patch_size: patch,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        embed_dim: 8,
    }
}

/// A random model of 3 blocks with the published vocabulary.
pub(crate) fn tiny() -> Clip {
    Clip::random(&sizes(16, 12, 3, 4), 3)
}

/// Class names.
pub(crate) fn classes(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// The values of the parameter of this name.
pub(crate) fn named(method: &dyn Method, name: &str) -> Vec<f32> {
    let mut parameters = method.parameters().iter();
    let parameter = parameters.find(|p| p.name() == name).unwrap();
    parameter.values().unwrap()
}

/// Values of the learned text rows.
pub(crate) fn text_values(adaptation: &Adaptation) -> Vec<f32> {
    let values = adaptation.text.values().unwrap();
    values.prompts.unwrap().values
}

/// Learned rows of the image tower.
pub(crate) fn visual_values(adaptation: &Adaptation) -> PromptValues {
    let values = adaptation.visual.values().unwrap();
    values.prompts.unwrap()
}

/// The gradient by each parameter, given those by the values of the learned rows of each side.
pub(crate) fn gradients(
    adaptation: &Adaptation,
    parameters: &[Parameter],
    d_text: Option<&[f32]>,
    d_visual: Option<&[f32]>,
) -> Vec<Vec<f32>> {
    let of = |values: Option<&[f32]>| {
        values.map(|values| TowerGradients {
            prompts: values.to_vec(),
            ..TowerGradients::default()
        })
    };
    let (d_text, d_visual) = (of(d_text), of(d_visual));
    adaptation
        .gradients(parameters, d_text.as_ref(), d_visual.as_ref())
        .unwrap()
}

/// Random images for a model, as the tower takes them.
pub(crate) fn images(clip: &Clip, count: usize) -> Vec<f32> {
    let side = clip.config.vision.image_size;
    Stream::new(5, "images").normals(count * 3 * side * side, 1.0)
}

/// A smooth loss behind both towers: weighted products of all image and text features. Of an image with
/// two features the second one counts half, with the other sign.
pub(crate) struct Objective<'a> {
    clip: &'a Clip,
    classes: Vec<String>,
    images: Vec<f32>,
    /// images x classes.
    weights: Vec<f32>,
}

const IMAGES: usize = 3;

impl<'a> Objective<'a> {
    pub(crate) fn new(clip: &'a Clip) -> Self {
        let classes = classes(&["cat", "polar_bear"]);
        Self {
            clip,
            images: images(clip, IMAGES),
            weights: Stream::new(6, "weights").normals(IMAGES * classes.len(), 1.0),
            classes,
        }
    }

    /// The loss and its gradient by each parameter.
    pub(crate) fn evaluate(&self, method: &dyn Method, pass: &Pass) -> (f64, Vec<Vec<f32>>) {
        let clip = self.clip;
        let budget = MemoryBudget::default();
        let texts = method.texts(&clip.tokenizer, &self.classes).unwrap();
        let adaptation = method.adapt(pass).unwrap();
        let plan = clip.text.plan(&texts, method.text_plan(), budget);
        let values = adaptation.text.values().unwrap();
        let updates = values.updates();
        let (text, text_tape) = clip.text.forward(&plan, &values.for_tower(&updates));
        let values = adaptation.visual.values().unwrap();
        let updates = values.updates();
        let for_tower = values.for_tower(&updates);
        let (image, image_tape) = clip
            .vision
            .forward(&self.images, IMAGES, &for_tower, budget);

        let embed = clip.config.embed_dim;
        let mut loss = 0.0;
        let (mut d_text, mut d_image) = (vec![0.0; text.len()], vec![0.0; image.len()]);
        let outputs = image.len() / (IMAGES * embed);
        for row in 0..IMAGES * outputs {
            let (i, share) = (row / outputs, [1.0, -0.5][row % outputs]);
            for c in 0..self.classes.len() {
                let weight = share * self.weights[i * self.classes.len() + c];
                for e in 0..embed {
                    let (x, y) = (image[row * embed + e], text[c * embed + e]);
                    loss += f64::from(weight) * f64::from(x) * f64::from(y);
                    d_image[row * embed + e] += weight * y;
                    d_text[c * embed + e] += weight * x;
                }
            }
        }
        let d_text = clip.text.backward(&plan, text_tape, &d_text);
        let d_visual = clip.vision.backward(image_tape, &d_image);
        let gradients = adaptation
            .gradients(method.parameters(), Some(&d_text), Some(&d_visual))
            .unwrap();
        (loss, gradients)
    }

    /// Compares the gradient by each parameter with central differences along random directions.
    ///
    /// # Panics
    /// When one is off by more than a hundredth, or does not depend on the parameter.
    pub(crate) fn check(&self, method: &dyn Method, pass: &Pass) {
        let (_, gradients) = self.evaluate(method, pass);
        assert_eq!(gradients.len(), method.parameters().len());
        for (parameter, gradient) in method.parameters().iter().zip(&gradients) {
            let start = parameter.values().unwrap();
            let noise = Stream::new(7, parameter.name()).normals(start.len(), 1.0);
            // Half noise, half the gradient itself, so that the slope is never near zero.
            let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(
                length(gradient) > 0.0,
                "{} changes nothing",
                parameter.name()
            );
            let direction: Vec<f32> = gradient
                .iter()
                .zip(&noise)
                .map(|(g, n)| g / length(gradient) + n / length(&noise))
                .collect();
            let expected: f64 = gradient
                .iter()
                .zip(&direction)
                .map(|(&g, &d)| f64::from(g) * f64::from(d))
                .sum();
            let at = |step: f32| {
                let moved: Vec<f32> = start
                    .iter()
                    .zip(&direction)
                    .map(|(v, d)| v + step * d)
                    .collect();
                parameter.set(&moved).unwrap();
                self.evaluate(method, pass).0
            };
            // A short step suits a strongly curved loss, a long one a gradient that is small
            // beside the towers' rounding.
            let slopes = [0.02, 0.1].map(|share| {
                let size = share * length(&start).max(0.1);
                (at(size) - at(-size)) / (2.0 * f64::from(size))
            });
            parameter.set(&start).unwrap();
            assert!(
                slopes
                    .iter()
                    .any(|slope| (slope - expected).abs() < 0.01 * expected.abs()),
                "{}: slopes {slopes:?}, gradient {expected}",
                parameter.name()
            );
        }
    }
}
