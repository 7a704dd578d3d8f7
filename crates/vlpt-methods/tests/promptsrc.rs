//! Gradients of PromptSRC's prompts through both towers: cross-entropy and the terms that hold the
//! prompts near the frozen model, against central differences.

#![allow(clippy::unwrap_used)]

mod common;

use common::tiny;
use vlpt_autograd::{Tensor, Var};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, MemoryBudget, TowerAdaptation};
use vlpt_methods::{
    Features, ImageFeatures, IvlpConfig, Method, Pass, PromptSrc, PromptSrcConfig, UnitRows,
};

const IMAGES: usize = 3;
const EMBED: usize = 8;
const SCALE: f32 = 4.0;

/// The loss of a step on a few images, the first of class 0, the others of class 1.
struct Objective {
    clip: Clip,
    classes: Vec<String>,
    pixels: Vec<f32>,
    frozen_texts: Tensor,
    frozen_images: Tensor,
}

impl Objective {
    fn new(method: &PromptSrc, clip: Clip) -> Self {
        let classes = ["cat", "polar_bear"].map(str::to_owned).to_vec();
        let side = clip.config.vision.image_size;
        let pixels = Stream::new(5, "images").normals(IMAGES * 3 * side * side, 1.0);
        let frozen_texts = method.teacher(&clip, &classes).unwrap().unwrap();
        let frozen_images = clip
            .vision
            .features(&pixels, IMAGES, &TowerAdaptation::NONE);
        let frozen_images = UnitRows::new(&frozen_images, EMBED).unwrap();
        Self {
            frozen_texts: Tensor::new(frozen_texts, &[classes.len(), EMBED]).unwrap(),
            frozen_images: Tensor::new(frozen_images.rows().to_vec(), &[IMAGES, EMBED]).unwrap(),
            clip,
            classes,
            pixels,
        }
    }

    /// The loss and its gradient by each parameter.
    fn evaluate(&self, method: &PromptSrc) -> (f64, Vec<Vec<f32>>) {
        let (clip, budget) = (&self.clip, MemoryBudget::default());
        let texts = method.texts(&clip.tokenizer, &self.classes).unwrap();
        let plan = clip.text.plan(&texts, method.text_plan(), budget);
        let adaptation = method.adapt(&Pass::EVAL).unwrap();
        let (text, visual) = (
            adaptation.text.values().unwrap(),
            adaptation.visual.values().unwrap(),
        );
        let (texts, text_tape) = clip.text.forward(&plan, &text.for_tower(&[]));
        let (images, image_tape) =
            clip.vision
                .forward(&self.pixels, IMAGES, &visual.for_tower(&[]), budget);

        let leaf =
            |units: &UnitRows| Var::new(units.rows().to_vec(), &[units.len(), EMBED]).unwrap();
        let (text_units, image_units) = (
            UnitRows::new(&texts, EMBED).unwrap(),
            UnitRows::new(&images, EMBED).unwrap(),
        );
        let (texts, images) = (leaf(&text_units), leaf(&image_units));
        let logits = images.matmul_nt(&texts).unwrap() * f64::from(SCALE);
        let logs = logits.log_softmax().unwrap();
        let right = Tensor::new(vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0], &[IMAGES, 2]).unwrap();
        let mut loss = logs.mul(&right).unwrap().sum_all() * (-1.0 / IMAGES as f64);
        let of_texts = Features {
            texts: texts.as_tensor(),
            frozen_texts: &self.frozen_texts,
            images: None,
            scale: SCALE,
        };
        let of_images = Features {
            images: Some(ImageFeatures {
                tuned: images.as_tensor(),
                frozen: &self.frozen_images,
                batch: IMAGES,
            }),
            ..of_texts
        };
        for features in [of_texts, of_images] {
            loss = loss
                .add(&method.regulariser(&features).unwrap().unwrap())
                .unwrap();
        }
        let gradients = loss.backward().unwrap();
        let back = |units: &UnitRows, var: &Var| {
            let mut d = gradients.get(var).unwrap().to_vec();
            units.backward(&mut d);
            d
        };
        let d_text = clip
            .text
            .backward(&plan, text_tape, &back(&text_units, &texts));
        let d_visual = clip
            .vision
            .backward(image_tape, &back(&image_units, &images));
        let gradients = adaptation.gradients(method.parameters(), Some(&d_text), Some(&d_visual));
        (f64::from(loss.item().unwrap()), gradients.unwrap())
    }
}

#[test]
fn gradients_of_the_whole_loss_are_central_differences() {
    let clip = tiny();
    let ivlp = IvlpConfig {
        context: Some(3),
        init: String::new(),
        prompts: 2,
        depth_text: Some(2),
        depth_visual: Some(3),
    };
    // Distances have corners, and a short way along the gradient passes some of them: with small
    // weights these bend the slope less than is tolerated.
    let own = PromptSrcConfig {
        text_weight: 0.5,
        image_weight: 0.5,
        logit_weight: 5.0,
        ..PromptSrcConfig::default()
    };
    let method = PromptSrc::new(&ivlp, &own, &clip, 1).unwrap();
    for parameter in method.parameters() {
        let values = Stream::new(2, parameter.name()).normals(parameter.len(), 0.3);
        parameter.set(&values).unwrap();
    }
    let objective = Objective::new(&method, clip);
    let (_, gradients) = objective.evaluate(&method);
    assert_eq!(gradients.len(), 5);
    for (parameter, gradient) in method.parameters().iter().zip(&gradients) {
        let start = parameter.values().unwrap();
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!(
            length(gradient) > 0.0,
            "{} changes nothing",
            parameter.name()
        );
        // Half noise, half the gradient itself, so that the slope is never near zero.
        let noise = Stream::new(7, parameter.name()).normals(start.len(), 1.0);
        let both = gradient.iter().zip(&noise);
        let direction: Vec<f32> = both
            .map(|(g, n)| g / length(gradient) + n / length(&noise))
            .collect();
        let products = gradient.iter().zip(&direction);
        let expected: f64 = products.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
        let at = |step: f32| {
            let moved: Vec<f32> = start
                .iter()
                .zip(&direction)
                .map(|(v, d)| v + step * d)
                .collect();
            parameter.set(&moved).unwrap();
            objective.evaluate(&method).0
        };
        // A short step suits a strongly curved loss, a long one a gradient that is small beside the
        // towers' rounding.
        let slopes =
            [0.005_f32, 0.02, 0.05].map(|size| (at(size) - at(-size)) / (2.0 * f64::from(size)));
        parameter.set(&start).unwrap();
        let near = |slope: &f64| (slope - expected).abs() < 0.01 * expected.abs();
        assert!(
            slopes.iter().any(near),
            "{}: slopes {slopes:?}, gradient {expected}",
            parameter.name()
        );
    }
}
