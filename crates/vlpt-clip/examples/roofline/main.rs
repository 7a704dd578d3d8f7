//! Where the time of a step goes: its matrix products, attention and layer norms alone beside the whole step.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example roofline [f32|bf16] [ROUNDS]
//! ```
//!
//! For towers of ViT-B/16's size with random weights it prints, for a VPT-deep step (8 images, 10 prompts a block), a
//! CoOp step (100 classes, 16 context tokens) and features of 30 images: the floor, that is the step's multiplications
//! at the speed of one large product; the parts alone, in the shapes and the order of the step; and the step. Parts
//! alone find other caches and another clock than inside the step, so they do not add up to it.
//! Medians of rounds in turns, each work after an untimed one of its kind. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod parts;
mod shape;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use parts::Parts;
use shape::Shape;
use support::{b16, numbers, precision, texts};
use vlpt_clip::{Clip, MemoryBudget, VisualPlace, VisualPrompts};
use vlpt_kernels::{Arena, Linear, Matrix, Precision};

const IMAGES: usize = 8;
const PROMPTS: usize = 10;
const CLASSES: usize = 100;
const CONTEXT: usize = 16;
const PLAIN_IMAGES: usize = 30; // a multiple of what goes through the tower at once

/// Products behind a floor: one alone would find the caches of what came before it.
const TIMES: usize = 8;

/// Median seconds of each work, all done in turns; each that is timed follows one of its kind, as the
/// steps of a training do.
fn medians(rounds: usize, works: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut seconds = vec![Vec::new(); works.len()];
    for _ in 0..rounds {
        for (work, seconds) in works.iter_mut().zip(&mut seconds) {
            work();
            let began = Instant::now();
            work();
            seconds.push(began.elapsed().as_secs_f64());
        }
    }
    let median = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    seconds.into_iter().map(median).collect()
}

/// Prints the rows of one work.
fn show(name: &str, rounds: usize, shape: &Shape, step: &mut (dyn FnMut() + Send)) {
    let (parts, arena) = (Parts::new(shape), Arena::default());
    let best = Linear::new(shape.precision, 768, 3072, numbers(768 * 3072), None);
    let x = Matrix::of(&arena, shape.precision, 768, &numbers(1656 * 768));
    let mut y = Matrix::new(&arena, shape.precision, 1656, 3072);
    let seconds = medians(
        rounds,
        &mut [
            &mut || (0..TIMES).for_each(|_| best.forward(x.operand(), &mut y)),
            &mut || parts.products(),
            &mut || parts.attention(),
            &mut || parts.norms(),
            step,
        ],
    );
    let [best, products, attention, norms, step] = seconds[..] else {
        unreachable!("a median of each work")
    };
    let speed = 2e-9 * TIMES as f64 * 1656.0 * 768.0 * 3072.0 / best;
    let floor = shape.gflop() / speed;
    let row = |part: &str, seconds: f64| {
        let (ms, share) = (1e3 * seconds, 100.0 * seconds / step);
        println!("| {name} | {part} | {ms:.1} | {share:.0} % |");
    };
    row(
        &format!("floor: {:.0} GFLOP at {speed:.0} GFLOP/s", shape.gflop()),
        floor,
    );
    row("its products alone", products);
    row("its attention alone", attention);
    row("its layer norms alone", norms);
    row("the step", step);
}

fn run(precision: Precision, rounds: usize) {
    let clip = Clip::random_as(&b16(), 1, precision);
    println!(
        "{}, {precision}, {} threads\n",
        vlpt_kernels::description(),
        rayon::current_num_threads()
    );
    println!("| work | part | ms | of the step |\n|---|---|---|---|");
    let (pixels, visual) = (
        numbers(PLAIN_IMAGES * 3 * 224 * 224),
        numbers(12 * PROMPTS * 768),
    );
    let prompts = VisualPrompts {
        values: &visual,
        layers: 12,
        count: PROMPTS,
        place: VisualPlace::AfterLnPre,
    };
    let some = &pixels[..IMAGES * 3 * 224 * 224];
    let budget = MemoryBudget::default();
    let shape = Shape::images(precision, IMAGES, PROMPTS, true);
    show("VPT-deep step", rounds, &shape, &mut || {
        let (features, tape) = clip.vision.forward(some, IMAGES, &prompts, budget);
        clip.vision.backward(tape, &features);
    });
    let texts = texts(CLASSES, CONTEXT, "end");
    let (plan, context) = (clip.text.plan(&texts, budget), numbers(CONTEXT * 512));
    let shape = Shape::texts(precision, &texts, CONTEXT);
    show("CoOp step", rounds, &shape, &mut || {
        let (features, tape) = clip.text.forward(&plan, &context);
        clip.text.backward(&plan, tape, &features);
    });
    let shape = Shape::images(precision, PLAIN_IMAGES, 0, false);
    show("image features", rounds, &shape, &mut || {
        clip.vision.features(&pixels, PLAIN_IMAGES, None);
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let precision = precision(arguments.first().map(String::as_str))?;
    let rounds = arguments.get(1).map_or(Ok(7), |n| n.parse())?;
    // inside the pool, as a step of training
    vlpt_kernels::awake(|| run(precision, rounds));
    Ok(())
}
