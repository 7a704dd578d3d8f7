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

mod support;

use std::time::Instant;

use support::{b16, mixed, status, texts};
use vlpt_clip::{
    Clip, ClipConfig, MemoryBudget, PromptRows, TextPlanOptions, TextTower, VisionConfig,
};

const STEPS: usize = 3;

/// The text tower of ViT-B/16 with random weights, beside a tiny image tower.
fn tower() -> TextTower {
    let sizes = b16();
    let vision = VisionConfig {
        width: 16,
        layers: 1,
        heads: 1,
        mlp: 16,
        image_size: 16,
        ..sizes.vision
    };
    Clip::random(&ClipConfig { vision, ..sizes }, 0).text
}

fn argument(i: usize, default: usize) -> usize {
    std::env::args()
        .nth(i)
        .map_or(default, |a| a.parse().expect("the arguments are numbers"))
}

fn main() {
    let (classes, contexts) = (argument(1, 1000), argument(2, 16));
    let budget = MemoryBudget::new(argument(3, MemoryBudget::default().bytes() >> 20) << 20);
    let tower = tower();
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
    let plan = tower.plan(&texts, TextPlanOptions::default(), budget);
    let (chunks, kept) = (plan.chunks(), plan.kept_chunks());
    let planned = began.elapsed().as_secs_f64();
    println!("classes {classes}, contexts {contexts}, {how}, chunks {chunks}, tapes kept {kept}");
    println!("plan {planned:.3} s");
    let mut times = Vec::new();
    for _ in 0..STEPS {
        let began = Instant::now();
        let rows = PromptRows::shallow(&prompts, tower.width());
        let (features, tape) = tower.forward(&plan, &rows.into());
        let forward = began.elapsed().as_secs_f64();
        let d_prompts = tower.backward(&plan, tape, &features).prompts;
        let step = began.elapsed().as_secs_f64();
        println!("step {step:.3} s (forward {forward:.3} s)");
        times.push(step);
        for (p, d) in prompts.iter_mut().zip(d_prompts) {
            *p -= 1e-4 * d;
        }
    }
    times.sort_by(f64::total_cmp);
    println!("step, median {:.3} s", times[STEPS / 2]);
    // with the copies for backward, which the first step made
    let weights = tower.bytes() as f64 / f64::from(1 << 20);
    println!("weights {weights:.0} MiB");
    if let Some(peak) = status("VmHWM") {
        println!(
            "peak {peak:.0} MiB, {:.0} MiB beside the weights",
            peak - weights
        );
    }
}
