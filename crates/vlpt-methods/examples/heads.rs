//! What a classifier of image features costs once the features are there.
//!
//! ```text
//! heads METHOD [CLASSES [SHOTS [VIEWS]]]        1000 classes, 16 shots, 10 views where left out
//! ```
//!
//! Fits a baseline to made features of 512 values, as ViT-B/16 has them, and prints its seconds (texts
//! and features apart) and the most memory that the program held. Views are held in memory, as in a run.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

use std::error::Error;
use std::sync::Mutex;
use std::time::Instant;

use vlpt_base::random::Stream;
use vlpt_clip::{Activation, Clip, ClipConfig, Observer, Progress, TextConfig, VisionConfig};
use vlpt_methods::head::{HeadInputs, Labelled, first_largest};
use vlpt_methods::{Fit, MethodConfig, method};

const WIDTH: usize = 512;

/// Small towers with features of [`WIDTH`].
fn model() -> Clip {
    let (width, layers, heads) = (64, 1, 1);
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let config = ClipConfig {
        text: TextConfig {
            width,
            layers,
            heads,
            mlp: width,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width,
            layers,
            heads,
            mlp: width,
            image_size: 32,
            patch_size: 16,
            activation,
            layer_norm_eps,
        },
        embed_dim: WIDTH,
    };
    Clip::random(&config, 1)
}

/// One view: features that share a direction, as CLIP's do, about a centre for each class.
fn view(classes: usize, shots: usize, number: usize) -> Vec<f32> {
    let common = Stream::new(0, "common").normals(WIDTH, 1.0);
    let centres = Stream::new(0, "centres").normals(classes * WIDTH, 0.7);
    let mut noise = Stream::new(number as u64, "noise");
    let mut features = Vec::with_capacity(classes * shots * WIDTH);
    for centre in centres.chunks_exact(WIDTH) {
        for _ in 0..shots {
            let both = common.iter().zip(centre);
            features.extend(both.map(|(a, b)| a + b + 0.8 * noise.normal() as f32));
        }
    }
    features
}

/// A phase of the fit.
struct Phase {
    what: String,
    begun: Instant,
    done: u64,
    total: u64,
}

/// Says how long a phase takes, at every tenth of it.
#[derive(Default)]
struct Clock(Mutex<Option<Phase>>);

impl Progress for Clock {
    fn start(&self, what: &str, total: u64) {
        if let Ok(mut phase) = self.0.lock() {
            *phase = Some(Phase {
                what: what.to_owned(),
                begun: Instant::now(),
                done: 0,
                total,
            });
        }
    }

    fn advance(&self, by: u64) {
        if let Ok(mut phase) = self.0.lock()
            && let Some(phase) = phase.as_mut()
        {
            let tenths = |done: u64| done * 10 / phase.total.max(1);
            let before = tenths(phase.done);
            phase.done += by;
            if tenths(phase.done) > before {
                let seconds = phase.begun.elapsed().as_secs_f64();
                let Phase {
                    what, done, total, ..
                } = phase;
                println!("{what}: {done} of {total} in {seconds:.1} s");
            }
        }
    }

    fn finish(&self) {}
}

impl Observer for Clock {
    fn note(&self, text: &str) {
        println!("note: {text}");
    }
}

/// The most memory that the program held, in MiB, where the system says it.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib >> 10)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args
        .next()
        .ok_or("expected a method: heads METHOD [CLASSES [SHOTS [VIEWS]]]")?;
    let mut number = |default| {
        args.next()
            .map_or(Ok(default), |text| text.parse::<usize>())
    };
    let (classes, shots, views) = (number(1000)?, number(16)?, number(10)?);
    let spec = method(&name).ok_or_else(|| format!("there is no method \"{name}\""))?;
    let Fit::Head(fit) = spec.fit else {
        return Err(format!("{name} is no classifier of image features").into());
    };

    let clip = model();
    let names: Vec<String> = (0..classes).map(|class| format!("thing {class}")).collect();
    let views: Vec<Vec<f32>> = (0..views)
        .map(|number| view(classes, shots, number))
        .collect();
    let labels: Vec<Vec<u32>> = (0..classes as u32)
        .flat_map(|class| vec![vec![class]; shots])
        .collect();
    let ids: Vec<String> = (0..labels.len())
        .map(|image| format!("image {image}"))
        .collect();
    let accuracy = |logits: &[f32], labels: &[Vec<u32>]| {
        let rows = logits.chunks_exact(classes).zip(labels);
        let right = rows.filter(|(row, own)| own.contains(&(first_largest(row) as u32)));
        Some(right.count() as f64 / labels.len() as f64)
    };
    let order = |images: usize, _epoch: usize| (0..images).collect::<Vec<usize>>();
    let inputs = HeadInputs {
        seed: 1,
        clip: &clip,
        classes: &names,
        templates: &["a photo of a {}.".to_owned()],
        general_templates: &[],
        multi_label: false,
        class_weights: None,
        metric_name: "accuracy",
        metric: &accuracy,
        order: &order,
        train: Labelled {
            ids: &ids,
            labels: &labels,
        },
        views: &views,
        val: Labelled::default(),
        val_features: &[],
    };
    let begun = Instant::now();
    let fitted = fit(&MethodConfig::new(spec), &inputs, &Clock::default())?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{name}: {classes} classes, {shots} shots, {} views: {seconds:.1} s, {} values learned",
        views.len(),
        fitted.parameters
    );
    println!("{}", fitted.metrics);
    if let Some(memory) = most_memory() {
        println!("most memory: {memory} MiB");
    }
    Ok(())
}
