//! Visual prompts that depend on the image: a step's gradients are those of its loss, across the
//! parts that a batch goes through the tower in.

use vlpt_autograd::Tensor;
use vlpt_clip::{PromptToken, Tokenizer};
use vlpt_methods::{
    Adaptation, Method, Needs, Parameter, Pass, PromptTensor, Result, TowerTensors, template_texts,
};

use super::super::images::{BatchImages, BatchSource, ImageInput};
use super::super::stages::StageState;
use super::super::step::{StepEngine, StepResult};
use super::super::workload::Workload;
use super::{Example, small};
use crate::sampler::Batch;

/// Rows that each image has, in each of the first blocks.
const ROWS: usize = 2;
const BLOCKS: usize = 2;
/// More images than go through the tower at once: a part has 1,024 tokens, an image 12.
const IMAGES: usize = 120;

/// Prompts that are a linear map of the image's frozen feature.
struct Conditional {
    parameters: Vec<Parameter>,
    width: usize,
}

impl Conditional {
    fn new(embed: usize, width: usize) -> Self {
        let columns = BLOCKS * ROWS * width;
        let values = |count: usize, by: f32| {
            let value = |i: usize| 0.2 * (by * i as f32).sin();
            (0..count).map(value).collect()
        };
        let weight = Parameter::new("weight", &[embed, columns], values(embed * columns, 0.7));
        let bias = Parameter::new("bias", &[columns], values(columns, 1.3));
        Self {
            parameters: vec![weight.unwrap(), bias.unwrap()],
            width,
        }
    }
}

impl Method for Conditional {
    fn name(&self) -> &'static str {
        "conditional"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        template_texts(tokenizer, "a photo of a {}.", classes)
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        let images = pass.images.expect("frozen features of the images");
        let [weight, bias] = [0, 1].map(|i| self.parameters[i].var().as_tensor());
        let rows = images.matmul(weight)?.add(bias)?;
        let rows = rows.reshape(&[images.shape()[0], BLOCKS, ROWS, self.width])?;
        Ok(Adaptation {
            visual: TowerTensors::prompts(PromptTensor::deep(rows)),
            ..Adaptation::default()
        })
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: true,
            frozen_features: true,
            visual_per_image: true,
            ..Needs::default()
        }
    }
}

/// Pixels by a formula, another image for each.
fn pixels(count: usize, side: usize) -> Vec<f32> {
    let value = |at: usize| {
        let (image, pixel) = (at / (3 * side * side), at % (3 * side * side));
        (0.05 * pixel as f32 * (1.0 + image as f32 / 7.0)).sin()
    };
    (0..count * 3 * side * side).map(value).collect()
}

#[test]
fn gradients_of_prompts_of_each_images_own_are_those_of_the_loss() {
    let clip = small();
    let example = Example::new(12, "[train]\nepochs = 1\nbatch_size = 120\nlr = 0.01");
    let extractor = example.extractor(&clip);
    let work = Workload {
        config: &example.config,
        clip: &clip,
        classes: &example.classes,
        tasks: example.tasks.clone(),
        mask: example.mask,
        mix: example.mix,
        temperature: 1.0,
        class_weights: None,
        train: &example.samples,
        val: &[],
        images: ImageInput {
            train: BatchSource::Features(vec![Vec::new()]),
            val: BatchSource::Features(vec![Vec::new()]),
        },
        extractor,
    };
    let method = std::sync::Arc::new(Conditional::new(clip.config.embed_dim, 48));
    let mut engine = StepEngine::new(&work, method.clone()).unwrap();
    let batch = Batch {
        images: (0..IMAGES).map(|i| i % 12).collect(),
        task: None,
    };
    let step = engine.prepare(&batch, 0).unwrap();
    let given = BatchImages::Pixels(pixels(IMAGES, 24));
    let stage = StageState::new(method.as_ref(), 0);
    let pass = || -> StepResult { engine.pass(&stage, &step, &given).unwrap() };
    let found = pass();

    for (number, parameter) in method.parameters.iter().enumerate() {
        let values = parameter.values().unwrap();
        let gradient = &found.gradients[number];
        let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        assert!(largest > 1e-3, "{}: no gradient", parameter.name());
        // Along the gradient the loss changes by its length.
        let norm = gradient
            .iter()
            .map(|g| f64::from(g * g))
            .sum::<f64>()
            .sqrt();
        let along = |step: f64| {
            let moved = values.iter().zip(gradient);
            let moved: Vec<f32> = moved
                .map(|(v, g)| (f64::from(*v) + step * f64::from(*g) / norm) as f32)
                .collect();
            parameter.set(&moved).unwrap();
            pass().loss
        };
        let derivative = (along(0.01) - along(-0.01)) / 0.02;
        parameter.set(&values).unwrap();
        assert!(
            (derivative - norm).abs() < 0.01 * norm,
            "{}: {derivative} along a gradient of length {norm}",
            parameter.name()
        );
    }
}

#[test]
fn equal_prompts_of_each_image_are_prompts_of_all() {
    let clip = small();
    let rows = Tensor::new(pixels(1, 8)[..ROWS * 48].to_vec(), &[1, 1, ROWS, 48]).unwrap();
    let tower = |rows: Tensor| TowerTensors::prompts(PromptTensor::deep(rows));
    let features = |prompts: TowerTensors| {
        let values = prompts.values().unwrap();
        let adaptation = values.for_tower(&[]);
        clip.vision.features(&pixels(3, 24), 3, &adaptation)
    };
    let each = features(tower(rows.repeat(0, 3).unwrap()));
    let all = features(tower(rows.reshape(&[1, ROWS, 48]).unwrap()));
    for (each, all) in each.iter().zip(&all) {
        assert!((each - all).abs() < 1e-5, "{each}, shared {all}");
    }
}
