//! What memory for tapes is worth: a training step on images under smaller and smaller budgets.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example tapes [f32|bf16] [ROUNDS]
//! ```
//!
//! A VPT-deep step (32 images, 10 prompts a block) on a random tower of ViT-B/16's size. All budgets give the same
//! bits; what does not fit is computed again in backward. Medians of rounds in turns; the peak is that of the process
//! since it began.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod support;

use std::time::Instant;

use support::{b16, numbers, precision, status};
use vlpt_clip::{Clip, MemoryBudget, PromptRows, TowerAdaptation};

const IMAGES: usize = 32;
const PROMPTS: usize = 10;
/// Shares of 512 MiB, and then more than that.
const SHARES: [usize; 7] = [1 << 20, 8, 4, 3, 2, 1, 1];
const PLENTY: usize = 4096 << 20;

/// One budget, and what was seen with it.
struct Row {
    budget: MemoryBudget,
    tape: usize,
    kept: [usize; 2],
    seconds: Vec<f64>,
    peak: Option<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let precision = precision(arguments.first().map(String::as_str))?;
    let rounds: usize = arguments.get(1).map_or(Ok(5), |n| n.parse())?;
    let clip = Clip::random_as(&b16(), 1, precision);
    let pixels = numbers(IMAGES * 3 * 224 * 224);
    let values = numbers(clip.vision.depth() * PROMPTS * clip.vision.width());
    let prompts = TowerAdaptation::from(PromptRows {
        values: &values,
        blocks: clip.vision.depth(),
        rows: PROMPTS,
        ..PromptRows::NONE
    });
    let budgets = SHARES.map(|share| MemoryBudget::default().shared(share));
    let new = |budget| Row {
        budget,
        tape: 0,
        kept: [0; 2],
        seconds: Vec::new(),
        peak: None,
    };
    let mut rows = budgets.map(new);
    rows[SHARES.len() - 1].budget = MemoryBudget::new(PLENTY);
    let mut first = None;
    for round in 0..=rounds {
        for row in &mut rows {
            let began = Instant::now();
            let (features, tape) = clip.vision.forward(&pixels, IMAGES, &prompts, row.budget);
            (row.tape, row.kept) = (tape.bytes(), [tape.kept_chunks(), tape.chunks()]);
            let gradient = clip.vision.backward(tape, &features).prompts;
            if round > 0 {
                row.seconds.push(began.elapsed().as_secs_f64());
            }
            if row.peak.is_none() {
                row.peak = status("VmHWM");
            }
            if *first.get_or_insert_with(|| gradient.clone()) != gradient {
                return Err(format!("another gradient with {:?}", row.budget).into());
            }
        }
    }
    println!(
        "{}, {precision}, {} threads\n",
        vlpt_kernels::description(),
        rayon::current_num_threads()
    );
    println!(
        "| budget, MiB | tapes, MiB | chunks not done twice | seconds | peak MiB |\n|---|---|---|---|---|"
    );
    for mut row in rows {
        row.seconds.sort_by(f64::total_cmp);
        let median = row.seconds[row.seconds.len() / 2];
        let peak = row
            .peak
            .map_or_else(String::new, |peak| format!("{peak:.0}"));
        let [kept, all] = row.kept;
        println!(
            "| {} | {} | {kept} of {all} | {median:.2} | {peak} |",
            row.budget.bytes() >> 20,
            row.tape >> 20
        );
    }
    Ok(())
}
