//! Whether time grows with classes and images alone, and memory with neither.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example scaling [f32|bf16]
//! ```
//!
//! CoOp steps (16 context tokens) for 125 to 1,000 classes and features of 512 to 4,096 images, 32 at a time, on random
//! towers of ViT-B/16's size. The peak is that of the process since it began, so it stands still where memory does.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod support;

use std::time::Instant;

use support::{b16, numbers, precision, status, texts};
use vlpt_clip::{Clip, MemoryBudget, PromptRows, TextPlanOptions, TowerAdaptation};

const CONTEXT: usize = 16;
const IMAGES: usize = 32;

fn main() -> Result<(), String> {
    let precision = precision(std::env::args().nth(1).as_deref())?;
    let clip = Clip::random_as(&b16(), 1, precision);
    println!(
        "{}, {precision}, {} threads\n",
        vlpt_kernels::description(),
        rayon::current_num_threads()
    );
    println!("| work | size | seconds | ms for each | peak MiB |\n|---|---|---|---|---|");
    let row = |work: &str, size: usize, seconds: f64| {
        let each = 1e3 * seconds / size as f64;
        let peak = status("VmHWM").map_or_else(String::new, |peak| format!("{peak:.0}"));
        println!("| {work} | {size} | {seconds:.2} | {each:.2} | {peak} |");
    };
    let prompts = numbers(CONTEXT * clip.text.width());
    let rows = PromptRows::shallow(&prompts, clip.text.width());
    for classes in [125, 250, 500, 1000] {
        let plan = clip.text.plan(
            &texts(classes, CONTEXT, "end"),
            TextPlanOptions::default(),
            MemoryBudget::default(),
        );
        let step = || {
            let began = Instant::now();
            let (features, tape) = clip.text.forward(&plan, &rows.into());
            clip.text.backward(&plan, tape, &features);
            began.elapsed().as_secs_f64()
        };
        step();
        let mut seconds = [step(), step(), step()];
        seconds.sort_by(f64::total_cmp);
        row("CoOp step, classes", classes, seconds[1]);
    }
    let pixels = numbers(IMAGES * 3 * 224 * 224);
    for images in [512, 1024, 2048, 4096] {
        let began = Instant::now();
        for _ in 0..images / IMAGES {
            clip.vision
                .features(&pixels, IMAGES, &TowerAdaptation::NONE);
        }
        row(
            "image features, images",
            images,
            began.elapsed().as_secs_f64(),
        );
    }
    Ok(())
}
