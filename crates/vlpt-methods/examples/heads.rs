//! How long a method on cached features takes, and how much memory: made features of so many classes,
//! shots and views, in the sizes of ViT-B/16 (768 before the projection, 512 after it).
//!
//! ```sh
//! cargo run --release -p vlpt-methods --example heads -- list
//! cargo run --release -p vlpt-methods --example heads -- prolip 1000 16 10 100
//! ```
//!
//! The last number, epochs in place of the built-in ones, may be left out.
//!
//! The text tower is a small one: class names in one template are a part of a fit, but their time is
//! another topic. `bench/heads.sh` runs every method in a process of its own and makes a table.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;
use std::time::Instant;

use vlpt_base::random::Stream;
use vlpt_clip::{Activation, Clip, ClipConfig, TextConfig, VisionConfig};
use vlpt_methods::head::{HeadInputs, Labelled, Unprojected, first_largest};
use vlpt_methods::{Fit, METHODS, MethodConfig, MethodSpec, OptionTable, method};

/// Images of each class that hyper-parameters are chosen on.
const VAL_SHOTS: usize = 1;
/// What a feature of a class may differ by, in its own deviations: some images are hard.
const NOISE: f64 = 3.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "list") {
        for spec in METHODS.iter().filter(|spec| spec.is_baseline()) {
            println!("{}", spec.name);
        }
        return ExitCode::SUCCESS;
    }
    let numbers: Vec<usize> = arguments
        .iter()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let spec = arguments.first().and_then(|name| method(name));
    let (Some(spec), &[classes, shots, views, ref epochs @ ..]) = (spec, &numbers[..]) else {
        eprintln!("expected: list, or METHOD CLASSES SHOTS VIEWS [EPOCHS]");
        return ExitCode::FAILURE;
    };
    let method = with_epochs(spec, epochs.first().copied());
    match measure(&method, classes, shots, views) {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("{}: {error}", spec.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The method with its built-in options but for the epochs, where another number is given.
fn with_epochs(spec: &'static MethodSpec, epochs: Option<usize>) -> MethodConfig {
    let method = MethodConfig::new(spec);
    let Some(epochs) = epochs else {
        return method;
    };
    let values = method.to_tables();
    let changed = |table: &&'static OptionTable| {
        let mut values = values[table.name].clone();
        if let Some(value) = values.get_mut("epochs") {
            *value = epochs.into();
        }
        Some((table.name, table.read(values).ok()?))
    };
    MethodConfig::with_tables(spec, spec.tables.iter().filter_map(changed).collect())
}

/// Fits it; its name, seconds, seconds of all threads, peak memory in MiB, learned values and
/// accuracy on the images that it was judged by.
fn measure(
    method: &MethodConfig,
    classes: usize,
    shots: usize,
    views: usize,
) -> vlpt_methods::Result<String> {
    let spec = method.spec();
    let Fit::Head(fit) = spec.fit else {
        return Err(vlpt_methods::MethodError::Baseline { name: spec.name });
    };
    let clip = Clip::random(&sizes(), 1);
    let width = clip.vision.width();
    let names: Vec<String> = (0..classes).map(|i| format!("class {i}")).collect();
    let labels = |shots: usize| -> Vec<Vec<u32>> {
        (0..classes * shots)
            .map(|i| vec![(i % classes) as u32])
            .collect()
    };
    let ids = |split: &str, shots: usize| -> Vec<String> {
        (0..classes * shots)
            .map(|i| format!("{split} {i}"))
            .collect()
    };
    let centres = Stream::new(1, "centres").normals(classes * width, 1.0);
    let drawn = |purpose: &str, shots: usize| -> Vec<f32> {
        let mut noise = Stream::new(2, purpose);
        let rows = (0..shots).flat_map(|_| centres.iter());
        rows.map(|c| c + (NOISE * noise.normal()) as f32).collect()
    };
    let before: Vec<Vec<f32>> = (0..views)
        .map(|view| drawn(&format!("view {view}"), shots))
        .collect();
    let before_val = drawn("validation", VAL_SHOTS);
    let features = |rows: &[f32]| clip.vision.project(rows, None);
    // A method has what it asks for, and no more.
    let (rows, projected) = if method.needs().unprojected {
        (before, Vec::new())
    } else {
        (
            Vec::new(),
            before.iter().map(|rows| features(rows)).collect(),
        )
    };
    let (train_labels, val_labels) = (labels(shots), labels(VAL_SHOTS));
    let (train_ids, val_ids) = (ids("train", shots), ids("validation", VAL_SHOTS));
    let val_features = features(&before_val);
    let templates = ["a photo of a {}.".to_owned()];
    let inputs = HeadInputs {
        seed: 1,
        clip: &clip,
        classes: &names,
        templates: &templates,
        general_templates: &[],
        multi_label: false,
        class_weights: None,
        metric_name: "accuracy",
        metric: &|logits, labels| Some(accuracy(logits, labels)),
        order: &|images, epoch| {
            let mut order: Vec<usize> = (0..images).collect();
            order.rotate_left(epoch % images.max(1));
            order
        },
        train: Labelled {
            ids: &train_ids,
            labels: &train_labels,
        },
        views: &projected,
        unprojected: method.needs().unprojected.then_some(Unprojected {
            train: &rows,
            val: &before_val,
        }),
        val: Labelled {
            ids: &val_ids,
            labels: &val_labels,
        },
        val_features: &val_features,
    };
    let (begin, busy) = (Instant::now(), cpu_seconds());
    let fitted = fit(method, &inputs, &())?;
    let (seconds, busy) = (begin.elapsed().as_secs_f64(), cpu_seconds() - busy);
    let val = fitted.val.map_or("-".to_owned(), |val| format!("{val:.3}"));
    Ok(format!(
        "{} {seconds:.1} {busy:.1} {} {} {val}",
        spec.name,
        peak_mib(),
        fitted.parameters
    ))
}

/// The image side of ViT-B/16 with one block, and a small text tower.
fn sizes() -> ClipConfig {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    ClipConfig {
        text: TextConfig {
            width: 64,
            layers: 1,
            heads: 1,
            mlp: 64,
            context_length: 32,
            vocab_size: 49408,
            eot_token: 49407,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 768,
            layers: 1,
            heads: 12,
            mlp: 768,
            image_size: 32,
            patch_size: 16,
            activation,
            layer_norm_eps,
        },
        embed_dim: 512,
    }
}

fn accuracy(logits: &[f32], labels: &[Vec<u32>]) -> f64 {
    let rows = logits.chunks_exact((logits.len() / labels.len().max(1)).max(1));
    let right = rows
        .zip(labels)
        .filter(|(row, own)| own.contains(&(first_largest(row) as u32)));
    right.count() as f64 / labels.len().max(1) as f64
}

/// Seconds that all threads of this process have computed; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets: the 12th and 13th field, in ticks of 10 ms.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// The most memory that this process has had, in MiB; 0 where the system does not say.
fn peak_mib() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or_default() / 1024
}
