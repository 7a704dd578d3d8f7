//! The method of docs/guides/add-a-method.md, and a few steps of training with it:
//!
//! ```text
//! cargo run --release -p vlpt-methods --example shared_prompt
//! ```

#![allow(clippy::print_stdout, unreachable_pub)] // written as in a library

use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, ClipConfig, MemoryBudget, PromptToken, Tokenizer};
use vlpt_methods::import::{Import, Source};
use vlpt_methods::{
    Adaptation, Family, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, PromptTensor, Report, Result, TowerTensors, initial_bound, options,
    template_texts,
};

options! {
    /// Options of [`SharedPrompt`].
    pub struct SharedPromptConfig = "shared_prompt" {
        /// Number of visual tokens.
        count: usize = 16, "at least 1";
        /// The classes' texts; `{}` stands for the name.
        template: String = "a photo of a {}.".to_owned(), "a text with {}";
    }
}

/// What the shared prompt says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "shared-prompt",
    summary: "one set of tokens for all blocks of the image tower",
    source: "docs/guides/add-a-method.md",
    family: Some(Family::Visual),
    tables: &[&SharedPromptConfig::TABLE],
    flags: Flags {
        prompts: Some("shared_prompt.count"),
        ..Flags::NONE
    },
    report: Report {
        done: "One set of tokens for all blocks of the image tower was learned",
        holds: "learned tokens that all blocks of the image tower share",
    },
    needs: |_| Needs {
        pixels: true,
        ..Needs::default()
    },
    check: |method| method.options::<SharedPromptConfig>().check(),
    fit: Fit::Tune(|method, build| {
        let (config, model) = (method.options(), &build.clip.config);
        Ok(Box::new(SharedPrompt::new(config, model, build.seed)?))
    }),
    import: Some(Import {
        matches: |names| names.has("tokens") && names.has("shift"),
        read: |reader| {
            let count = if let Some(&[1, count, _]) = reader.shape("tokens") {
                count
            } else {
                reader.misshapen("tokens", "1 x count x image width");
                1
            };
            let options = SharedPromptConfig {
                count,
                ..SharedPromptConfig::default()
            };
            reader.assume(format!("the classes' texts are \"{}\"", options.template));
            MethodConfig::of(&SPEC, options)
        },
        sources: &[Source::Own],
        position: false,
        place: false,
        tensors: "the shared prompt `tokens` and `shift`",
    }),
    ..MethodSpec::BASE
};

impl SharedPromptConfig {
    /// What can be said without a model.
    fn check(&self) -> Result<()> {
        if self.count == 0 {
            return Err(MethodError::Option {
                key: "shared_prompt.count",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        Ok(())
    }
}

/// The same visual tokens in every block of the image tower, moved by one vector for each block:
/// the parameters `tokens` (1 x count x vision width) and `shift` (blocks x 1 x vision width).
#[derive(Debug, Clone)]
pub struct SharedPrompt {
    parameters: Vec<Parameter>,
    template: String,
}

impl SharedPrompt {
    /// Tokens that start as VPT's do, and shifts that start at 0.
    ///
    /// # Errors
    /// A count of 0.
    pub fn new(config: &SharedPromptConfig, model: &ClipConfig, seed: u64) -> Result<Self> {
        config.check()?;
        let (count, width, blocks) = (config.count, model.vision.width, model.vision.layers);
        let bound = initial_bound(model.vision.patch_size, width);
        let tokens = Stream::new(seed, "shared_prompt.tokens").uniforms(count * width, bound);
        Ok(Self {
            parameters: vec![
                Parameter::new("tokens", &[1, count, width], tokens)?,
                Parameter::new("shift", &[blocks, 1, width], vec![0.0; blocks * width])?,
            ],
            template: config.template.clone(),
        })
    }
}

impl Method for SharedPrompt {
    fn name(&self) -> &'static str {
        "shared-prompt"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        template_texts(tokenizer, &self.template, classes)
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: true,
            ..Needs::default()
        }
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let tokens: &Tensor = self.parameters[0].var();
        let shift: &Tensor = self.parameters[1].var();
        // (1 x count x width) + (blocks x 1 x width) = blocks x count x width
        let rows = tokens.add(shift)?;
        Ok(Adaptation {
            visual: TowerTensors::prompts(PromptTensor::deep(rows)),
            ..Adaptation::default()
        })
    }
}

/// Images with their classes.
pub struct Task {
    /// Class names.
    pub classes: Vec<String>,
    /// As the image tower takes them: images x 3 x side x side.
    pub images: Vec<f32>,
    /// The class of each image.
    pub labels: Vec<usize>,
}

/// Plain gradient descent on all images of `task`; returns the mean cross-entropy before every
/// step. Logits are products of features, without any scale.
///
/// # Errors
/// As the method's.
pub fn train(
    method: &dyn Method,
    clip: &Clip,
    task: &Task,
    steps: u64,
    rate: f32,
) -> Result<Vec<f64>> {
    let budget = MemoryBudget::default();
    let (images, classes) = (task.labels.len(), task.classes.len());
    let embed = clip.config.embed_dim;
    let plan = clip.text.plan(
        &method.texts(&clip.tokenizer, &task.classes)?,
        method.text_plan(),
        budget,
    );
    let mut losses = Vec::new();
    for step in 0..steps {
        // Parameters to adaptation, adaptation to features.
        let adaptation = method.adapt(&Pass {
            step: Some((1, step)),
            ..Pass::EVAL
        })?;
        let values = adaptation.text.values()?;
        let updates = values.updates();
        let (text, text_tape) = clip.text.forward(&plan, &values.for_tower(&updates));
        let values = adaptation.visual.values()?;
        let updates = values.updates();
        let visual = values.for_tower(&updates);
        let (image, image_tape) = clip.vision.forward(&task.images, images, &visual, budget);

        // Features to loss, and the loss's gradient by the features.
        let mut loss = 0.0;
        let (mut d_text, mut d_image) = (vec![0.0; text.len()], vec![0.0; image.len()]);
        for (i, &label) in task.labels.iter().enumerate() {
            let x = &image[i * embed..(i + 1) * embed];
            let logits: Vec<f32> = text
                .chunks_exact(embed)
                .map(|y| x.iter().zip(y).map(|(x, y)| x * y).sum())
                .collect();
            // With the largest taken off, no exponential is too large for f32.
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f32> = logits.iter().map(|l| (l - largest).exp()).collect();
            let sum: f32 = powers.iter().sum();
            loss += f64::from(sum.ln() + largest - logits[label]) / images as f64;
            for c in 0..classes {
                let truth = f32::from(u8::from(c == label));
                let d = (powers[c] / sum - truth) / images as f32;
                for e in 0..embed {
                    d_image[i * embed + e] += d * text[c * embed + e];
                    d_text[c * embed + e] += d * x[e];
                }
            }
        }
        losses.push(loss);

        // Back through the towers to the adaptation, and through it to the parameters.
        let d_text = clip.text.backward(&plan, text_tape, &d_text);
        let d_visual = clip.vision.backward(image_tape, &d_image);
        let parameters = method.parameters();
        let gradients = adaptation.gradients(parameters, Some(&d_text), Some(&d_visual))?;
        for (parameter, gradient) in method.parameters().iter().zip(gradients) {
            let mut values = parameter.values()?;
            for (value, d) in values.iter_mut().zip(gradient) {
                *value -= rate * d;
            }
            parameter.set(&values)?;
        }
    }
    Ok(losses)
}

fn main() -> Result<()> {
    let clip = Clip::mini();
    let side = clip.config.vision.image_size;
    let task = Task {
        classes: vec!["cat".to_owned(), "polar_bear".to_owned()],
        images: Stream::new(1, "images").normals(8 * 3 * side * side, 1.0),
        labels: vec![0, 1, 0, 1, 0, 1, 0, 1],
    };
    let method = SharedPrompt::new(&SharedPromptConfig::default(), &clip.config, 1)?;
    println!("{} numbers to learn", method.parameter_count());
    for (step, loss) in train(&method, &clip, &task, 10, 0.001)?.iter().enumerate() {
        println!("step {step}: loss {loss:.4}");
    }
    Ok(())
}
