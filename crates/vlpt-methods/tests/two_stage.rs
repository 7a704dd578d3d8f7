//! Tuned layer norms through the towers: they start at the model itself, bit by bit, and their
//! gradients are those of a loss behind both towers.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, images, tiny};
use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, PromptToken, TowerAdaptation};
use vlpt_methods::{
    Adaptation, Method, Needs, Norms, Parameter, Pass, Result, TwoStage, TwoStageConfig,
};

const IMAGES: usize = 3;

fn tuned(norms: Norms, clip: &Clip) -> TwoStage {
    let config = TwoStageConfig {
        norms,
        ..TwoStageConfig::default()
    };
    TwoStage::new(&config, clip, 2).unwrap()
}

/// The first stage alone: what the towers depend on.
struct FirstStage {
    method: TwoStage,
    parameters: Vec<Parameter>,
}

impl FirstStage {
    /// Gains and biases away from the model's own.
    fn moved(norms: Norms, clip: &Clip) -> Self {
        let method = tuned(norms, clip);
        let mut parameters = method.parameters().to_vec();
        let features = parameters.pop().unwrap();
        assert_eq!(features.name(), method.class_features().unwrap().name());
        for parameter in &parameters {
            let noise = Stream::new(8, parameter.name()).normals(parameter.len(), 0.2);
            let values = parameter.values().unwrap();
            let moved: Vec<f32> = values.iter().zip(noise).map(|(v, n)| v + n).collect();
            parameter.set(&moved).unwrap();
        }
        Self { method, parameters }
    }
}

impl Method for FirstStage {
    fn name(&self) -> &'static str {
        "first stage"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(
        &self,
        tokenizer: &vlpt_clip::Tokenizer,
        classes: &[String],
    ) -> Result<Vec<Vec<PromptToken>>> {
        self.method.texts(tokenizer, classes)
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        self.method.adapt(pass)
    }

    fn needs(&self) -> Needs {
        self.method.needs()
    }

    fn text_plan(&self) -> vlpt_clip::TextPlanOptions {
        self.method.text_plan()
    }
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_towers() {
    let clip = tiny();
    for norms in [Norms::Blocks, Norms::All] {
        Objective::new(&clip).check(&FirstStage::moved(norms, &clip), &Pass::EVAL);
    }
}

/// Features of both towers under a method.
fn features(clip: &Clip, method: &TwoStage) -> Vec<f32> {
    let names = classes(&["cat", "polar_bear"]);
    let texts = method.texts(&clip.tokenizer, &names).unwrap();
    let adaptation = method.adapt(&Pass::EVAL).unwrap();
    let [text, visual] = [&adaptation.text, &adaptation.visual].map(|side| side.values().unwrap());
    let (text_updates, visual_updates) = (text.updates(), visual.updates());
    let mut all = clip.text.features(&texts, &text.for_tower(&text_updates));
    let visual = visual.for_tower(&visual_updates);
    all.extend(clip.vision.features(&images(clip, IMAGES), IMAGES, &visual));
    all
}

fn bits(features: &[f32]) -> Vec<u32> {
    features.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn tuning_starts_at_zero_shot_bit_by_bit() {
    let clip = tiny();
    let names = classes(&["cat", "polar_bear"]);
    for norms in [Norms::Blocks, Norms::All] {
        let method = tuned(norms, &clip);
        let texts = method.texts(&clip.tokenizer, &names).unwrap();
        let none = TowerAdaptation::NONE;
        let mut frozen = clip.text.features(&texts, &none);
        frozen.extend(clip.vision.features(&images(&clip, IMAGES), IMAGES, &none));
        assert_eq!(bits(&features(&clip, &method)), bits(&frozen), "{norms:?}");
    }
}

/// A layer norm by its definition, of rows of one width.
fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32]) -> Vec<f32> {
    let shape = [x.len() / gain.len(), gain.len()];
    let tensor = |values: &[f32], shape: &[usize]| Tensor::new(values.to_vec(), shape).unwrap();
    let (gain, bias) = (tensor(gain, &[gain.len()]), tensor(bias, &[bias.len()]));
    tensor(x, &shape)
        .layer_norm(&gain, &bias, 1e-5)
        .unwrap()
        .to_vec()
}

#[test]
fn scale_and_shift_of_a_norms_output_are_the_norm_with_the_tuned_values() {
    let clip = tiny();
    let moved = FirstStage::moved(Norms::All, &clip);
    let adaptation = moved.method.adapt(&Pass::EVAL).unwrap();
    let mut parameters = moved.parameters.chunks_exact(2);
    let sides = [(&adaptation.text, true), (&adaptation.visual, false)];
    for (side, is_text) in sides {
        for update in &side.updates {
            let norm = if is_text {
                clip.text.norm(update.block, update.layer)
            } else {
                clip.vision.norm(update.block, update.layer)
            };
            let (own_gain, own_bias) = norm.unwrap();
            let [gain, bias] = parameters.next().unwrap() else {
                panic!("gain and bias come in pairs");
            };
            let vlpt_methods::Change::ScaleShift { scale, shift } = &update.change else {
                panic!("{update:?}");
            };
            let x = Stream::new(3, gain.name()).normals(2 * own_gain.len(), 1.0);
            let expected = layer_norm(&x, &gain.values().unwrap(), &bias.values().unwrap());
            let mut found = layer_norm(&x, own_gain, own_bias);
            for row in found.chunks_exact_mut(own_gain.len()) {
                for ((y, scale), shift) in row.iter_mut().zip(scale.to_vec()).zip(shift.to_vec()) {
                    *y = *y * scale + shift;
                }
            }
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{}: {found} {expected}",
                    gain.name()
                );
            }
        }
    }
    assert!(parameters.next().is_none());
}

#[test]
fn a_gain_may_become_zero() {
    let clip = tiny();
    let moved = FirstStage::moved(Norms::Blocks, &clip);
    let gain = &moved.parameters[0];
    gain.set(&vec![0.0; gain.len()]).unwrap();
    let found = features(&clip, &moved.method);
    assert!(found.iter().all(|value| value.is_finite()));
}
