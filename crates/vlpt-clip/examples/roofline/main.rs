//! Where the time of a step goes: its matrix products, attention and layer norms alone beside the whole step.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example roofline [f32|bf16] [ROUNDS] [vpt|coop|image]
//! ```
//!
//! For towers of ViT-B/16's size with random weights it prints, for a VPT-deep step (8 images, 10 prompts a block), a
//! CoOp step (100 classes, 16 context tokens) and features of 30 images: the floor, that is the step's multiplications
//! at the speed of one large product; the parts alone, in the shapes and the order of the step; and the step. Parts
//! alone find other caches and another clock than inside the step, so they do not add up to it.
//! Rounds in turns, each work after an untimed one of its kind: medians, and the fastest, which say more where others
//! use the machine too, as long as quick moments are longer than a step. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod parts;
mod shape;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use parts::Parts;
use shape::Shape;
use support::{b16, numbers, precision, texts};
use vlpt_clip::{Clip, MemoryBudget, PromptRows, TextPlanOptions, TowerAdaptation};
use vlpt_kernels::{Arena, Linear, Matrix, Precision};

const IMAGES: usize = 8;
const PROMPTS: usize = 10;
const CLASSES: usize = 100;
const CONTEXT: usize = 16;
const PLAIN_IMAGES: usize = 30; // a multiple of what goes through the tower at once

/// Products behind a floor: one alone would find the caches of what came before it.
const TIMES: usize = 8;

/// What is to be measured.
struct Plan {
    rounds: usize,
    /// The first word of the name of one work, or all of them.
    only: Option<String>,
}

/// What was measured in the rounds: the median, and the fastest.
#[derive(Clone, Copy)]
struct Measured {
    median: f64,
    fastest: f64,
}

impl Measured {
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self {
            median: seconds[seconds.len() / 2],
            fastest: seconds[0],
        }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            median: f(self.median),
            fastest: f(self.fastest),
        }
    }
}

/// Seconds of each work, all done in turns; each that is timed follows one of its kind, as the steps
/// of a training do.
fn measured<const N: usize>(rounds: usize, mut works: [&mut dyn FnMut(); N]) -> [Measured; N] {
    let mut seconds = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (work, seconds) in works.iter_mut().zip(&mut seconds) {
            work();
            let began = Instant::now();
            work();
            seconds.push(began.elapsed().as_secs_f64());
        }
    }
    seconds.map(Measured::of)
}

/// Prints the rows of one work.
fn show(name: &str, plan: &Plan, shape: &Shape, step: &mut (dyn FnMut() + Send)) {
    if let Some(only) = &plan.only
        && !name.to_lowercase().starts_with(only)
    {
        return;
    }
    let (parts, arena) = (Parts::new(shape), Arena::default());
    let best = Linear::new(shape.precision, 768, 3072, numbers(768 * 3072), None);
    let x = Matrix::of(&arena, shape.precision, 768, &numbers(1656 * 768));
    let mut y = Matrix::new(&arena, shape.precision, 1656, 3072);
    let [best, attention, norms, products, step] = measured(
        plan.rounds,
        [
            &mut || (0..TIMES).for_each(|_| best.forward(x.operand(), &mut y)),
            &mut || parts.attention(),
            &mut || parts.norms(),
            &mut || parts.products(),
            step,
        ],
    );
    let speed = best.map(|seconds| 2e-9 * TIMES as f64 * 1656.0 * 768.0 * 3072.0 / seconds);
    let row = |part: &str, seconds: Measured| {
        let columns = [
            (seconds.median, step.median),
            (seconds.fastest, step.fastest),
        ];
        let columns = columns.map(|(seconds, step)| {
            let (ms, share) = (1e3 * seconds, 100.0 * seconds / step);
            format!("{ms:.1} | {share:.0} %")
        });
        println!("| {name} | {part} | {} |", columns.join(" | "));
    };
    let gflop = shape.gflop();
    let floor = format!(
        "floor: {gflop:.0} GFLOP at {:.0} GFLOP/s (fastest {:.0})",
        speed.median, speed.fastest
    );
    row(&floor, speed.map(|speed| gflop / speed));
    row("its products alone", products);
    row("its attention alone", attention);
    row("its layer norms alone", norms);
    row("the step", step);
}

fn run(precision: Precision, plan: &Plan) {
    let clip = Clip::random_as(&b16(), 1, precision);
    println!(
        "{}, {precision}, {} threads\n",
        vlpt_kernels::description(),
        rayon::current_num_threads()
    );
    println!("| work | part | ms | of the step | fastest | of the fastest |");
    println!("|---|---|---|---|---|---|");
    let (pixels, visual) = (
        numbers(PLAIN_IMAGES * 3 * 224 * 224),
        numbers(12 * PROMPTS * 768),
    );
    let prompts = TowerAdaptation::from(PromptRows {
        values: &visual,
        blocks: 12,
        rows: PROMPTS,
        ..PromptRows::NONE
    });
    let some = &pixels[..IMAGES * 3 * 224 * 224];
    let budget = MemoryBudget::default();
    let shape = Shape::images(precision, IMAGES, PROMPTS, true);
    show("VPT-deep step", plan, &shape, &mut || {
        let (features, tape) = clip.vision.forward(some, IMAGES, &prompts, budget);
        clip.vision.backward(tape, &features);
    });
    let texts = texts(CLASSES, CONTEXT, "end");
    let tree = clip.text.plan(&texts, TextPlanOptions::default(), budget);
    let context = numbers(CONTEXT * 512);
    let context = PromptRows::shallow(&context, 512);
    let shape = Shape::texts(precision, &texts, CONTEXT);
    show("CoOp step", plan, &shape, &mut || {
        let (features, tape) = clip.text.forward(&tree, &context.into());
        clip.text.backward(&tree, tape, &features);
    });
    let shape = Shape::images(precision, PLAIN_IMAGES, 0, false);
    show("image features", plan, &shape, &mut || {
        clip.vision
            .features(&pixels, PLAIN_IMAGES, &TowerAdaptation::NONE);
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let precision = precision(arguments.first().map(String::as_str))?;
    let plan = Plan {
        rounds: arguments.get(1).map_or(Ok(7), |n| n.parse())?,
        only: arguments.get(2).map(|name| name.to_lowercase()),
    };
    let known = ["vpt", "coop", "image"];
    if let Some(only) = &plan.only
        && !known.contains(&only.as_str())
    {
        return Err(format!("{only}: vpt, coop and image are known").into());
    }
    if plan.rounds == 0 {
        return Err("at least one round is needed".into());
    }
    // inside the pool, as a step of training
    vlpt_kernels::with_thread_team(|| run(precision, &plan));
    Ok(())
}
