//! Where the time of a step goes: its matrix products, attention and layer norms alone beside the whole step.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example roofline [f32|bf16] [ROUNDS] [GFLOP/s]
//! ```
//!
//! For towers of ViT-B/16's size with random weights it prints, for a VPT-deep step (8 images, 10 prompts a block), a
//! CoOp step (100 classes, 16 context tokens) and features of 30 images: the floor, that is the step's multiplications
//! at the speed of one large product; the parts alone, in the shapes and the order of the step; and the step. Parts
//! alone find other caches and another clock than inside the step, so they do not add up to it.
//! Rounds in turns, each work after an untimed one of its kind: median times, and median and quartiles of the share
//! of the step of the same round. On a machine that others use too, a third number leaves out the rounds before or
//! after which the large product is slower than that, and goes on until there are enough.
//! `RAYON_NUM_THREADS` sets the threads.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program that prints"
)]

mod parts;
mod shape;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

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

/// How long the program waits for others before it looks again.
const WAIT: Duration = Duration::from_secs(5);

/// What is measured, and when.
#[derive(Clone, Copy)]
struct Rounds {
    count: usize,
    /// Billions of multiplications and additions a second that the large product has to reach before
    /// and after a round.
    calm: f64,
}

/// A product large enough to reach the speed of the machine.
struct Large {
    layer: Linear,
    x: Matrix,
    y: Matrix,
}

impl Large {
    fn new(precision: Precision) -> Self {
        let arena = Arena::default();
        Self {
            layer: Linear::new(precision, 768, 3072, numbers(768 * 3072), None),
            x: Matrix::of(&arena, precision, 768, &numbers(1656 * 768)),
            y: Matrix::new(&arena, precision, 1656, 3072),
        }
    }

    /// Billions of multiplications and additions a second.
    fn speed(&mut self) -> f64 {
        let seconds = timed(&mut || {
            (0..TIMES).for_each(|_| self.layer.forward(self.x.operand(), &mut self.y));
        });
        2e-9 * TIMES as f64 * 1656.0 * 768.0 * 3072.0 / seconds
    }
}

/// Seconds of a work after one of its kind, as the steps of a training follow each other.
fn timed(work: &mut dyn FnMut()) -> f64 {
    work();
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

/// Seconds of each work in each round, after the speed of the large product before it.
fn measured(rounds: Rounds, large: &mut Large, works: &mut [&mut dyn FnMut()]) -> Vec<Vec<f64>> {
    let mut kept: Vec<Vec<f64>> = Vec::new();
    let mut before = large.speed();
    while kept.len() < rounds.count {
        if before < rounds.calm {
            let (have, want) = (kept.len(), rounds.count);
            eprintln!("{before:.0} GFLOP/s are too few: waiting, with {have} of {want} rounds");
            std::thread::sleep(WAIT);
            before = large.speed();
            continue;
        }
        let seconds = works.iter_mut().map(|work| timed(work));
        let round = std::iter::once(before).chain(seconds).collect();
        before = large.speed();
        if before >= rounds.calm {
            kept.push(round);
        }
    }
    kept
}

/// The first quartile, the median and the third quartile.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|i| values[((values.len() - 1) * i).div_ceil(4)])
}

/// Prints the rows of one work.
fn show(name: &str, rounds: Rounds, shape: &Shape, step: &mut (dyn FnMut() + Send)) {
    let parts = Parts::new(shape);
    let kept = measured(
        rounds,
        &mut Large::new(shape.precision),
        &mut [
            &mut || parts.attention(),
            &mut || parts.norms(),
            &mut || parts.products(),
            step,
        ],
    );
    let row = |part: &str, seconds: &dyn Fn(&[f64]) -> f64| {
        let [_, median, _] = quartiles(kept.iter().map(|round| seconds(round)));
        let [low, share, high] = quartiles(kept.iter().map(|round| seconds(round) / round[4]));
        let (ms, percent) = (1e3 * median, |share: f64| 100.0 * share);
        let (low, share, high) = (percent(low), percent(share), percent(high));
        println!("| {name} | {part} | {ms:.1} | {share:.0} % ({low:.0} to {high:.0}) |");
    };
    let [_, speed, _] = quartiles(kept.iter().map(|round| round[0]));
    let gflop = shape.gflop();
    let floor = format!("floor: {gflop:.0} GFLOP at {speed:.0} GFLOP/s");
    row(&floor, &|round| gflop / round[0]);
    row("its products alone", &|round| round[3]);
    row("its attention alone", &|round| round[1]);
    row("its layer norms alone", &|round| round[2]);
    row("the step", &|round| round[4]);
}

fn run(precision: Precision, rounds: Rounds) {
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
    let rounds = Rounds {
        count: arguments.get(1).map_or(Ok(7), |n| n.parse())?,
        calm: arguments.get(2).map_or(Ok(0.0), |n| n.parse())?,
    };
    if rounds.count == 0 {
        return Err("at least one round is needed".into());
    }
    // inside the pool, as a step of training
    vlpt_kernels::awake(|| run(precision, rounds));
    Ok(())
}
