//! Memory and time of CoOp steps on a random text tower of ViT-B/16's size.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example coop_memory -- [classes] [contexts] [budget in MiB] [how]
//! ```
//!
//! Without arguments: 1,000 classes, 16 contexts, the default budget, `end`: a shared context before
//! the class names. `front` puts it after them, `specific` gives every class its own. Peak memory is the process's
//! own (`VmHWM`), so it is printed on Linux alone.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::time::Instant;

use vlpt_clip::{
    Activation, Clip, ClipConfig, MemoryBudget, Slot, TextConfig, TextTower, VisionConfig,
};

const START: u32 = 49_406;
const END: u32 = 49_407;
const STEPS: usize = 3;

/// The text tower of ViT-B/16 with random weights, beside a tiny image tower.
fn tower() -> TextTower {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let text = TextConfig {
        width: 512,
        layers: 12,
        heads: 8,
        mlp: 2048,
        context_length: 77,
        vocab_size: 49_408,
        eot_token: END,
        activation,
        layer_norm_eps,
    };
    let vision = VisionConfig {
        width: 16,
        layers: 1,
        heads: 1,
        mlp: 16,
        image_size: 16,
        patch_size: 16,
        activation,
        layer_norm_eps,
    };
    let config = ClipConfig {
        text,
        vision,
        embed_dim: 512,
    };
    Clip::random(&config, 0).text
}

/// A number that looks random, of a position.
fn mixed(i: usize) -> u32 {
    (i as u32).wrapping_mul(2_654_435_761) >> 12
}

/// Start, contexts, a name of 1 to 3 tokens, a full stop, end; `how` as in the head of this file.
fn texts(classes: usize, contexts: usize, how: &str) -> Vec<Vec<Slot>> {
    let text = |class: usize| {
        let first = if how == "specific" {
            class * contexts
        } else {
            0
        };
        let context = (first..first + contexts).map(|row| Slot::Learned(row as u32));
        let name = (0..=class % 3).map(|i| Slot::Token(mixed(3 * class + i) % 40_000));
        let mut text = vec![Slot::Token(START)];
        if how == "front" {
            text.extend(name.chain(context));
        } else {
            text.extend(context.chain(name));
        }
        text.extend([Slot::Token(269), Slot::Token(END)]);
        text
    };
    (0..classes).map(text).collect()
}

/// A line of the process's status, in MiB.
fn status(name: &str) -> Option<f64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

fn argument(i: usize, default: usize) -> usize {
    std::env::args()
        .nth(i)
        .map_or(default, |a| a.parse().expect("the arguments are numbers"))
}

fn main() {
    let (classes, contexts) = (argument(1, 1000), argument(2, 16));
    let budget = MemoryBudget {
        bytes: argument(3, MemoryBudget::default().bytes >> 20) << 20,
    };
    let tower = tower();
    let weights = tower.bytes() as f64 / f64::from(1 << 20);
    let how = std::env::args().nth(4).unwrap_or_else(|| "end".to_owned());
    let texts = texts(classes, contexts, &how);
    let rows = if how == "specific" {
        classes * contexts
    } else {
        contexts
    };
    let mut prompts: Vec<f32> = (0..rows * tower.width())
        .map(|i| mixed(i) as f32 * 4e-8 - 0.02)
        .collect();

    let began = Instant::now();
    let plan = tower.plan(&texts, budget);
    let (chunks, kept) = (plan.chunks(), plan.kept_chunks());
    let planned = began.elapsed().as_secs_f64();
    println!("classes {classes}, contexts {contexts}, {how}, chunks {chunks}, tapes kept {kept}");
    println!("plan {planned:.3} s");
    let mut times = Vec::new();
    for _ in 0..STEPS {
        let began = Instant::now();
        let (features, tape) = tower.forward(&plan, &prompts);
        let forward = began.elapsed().as_secs_f64();
        let d_prompts = tower.backward(&plan, tape, &features);
        let step = began.elapsed().as_secs_f64();
        println!("step {step:.3} s (forward {forward:.3} s)");
        times.push(step);
        for (p, d) in prompts.iter_mut().zip(d_prompts) {
            *p -= 1e-4 * d;
        }
    }
    times.sort_by(f64::total_cmp);
    println!("step, median {:.3} s", times[STEPS / 2]);
    println!("weights {weights:.0} MiB");
    if let Some(peak) = status("VmHWM") {
        println!(
            "peak {peak:.0} MiB, {:.0} MiB beside the weights",
            peak - weights
        );
    }
}
