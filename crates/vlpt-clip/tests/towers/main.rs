//! The towers against transformers and PyTorch (`golden/make_towers.py`), finite differences, and
//! themselves under other budgets and numbers of threads.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod adaptations;
mod adapting;
mod attention;
mod bf16;
mod golden;
mod rows;
mod text;
mod text_rows;
mod vision;

use vlpt_clip::MemoryBudget;

/// Checks that `got` is `want` within `tolerance` times the largest value of `want`.
#[track_caller]
fn assert_close(what: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let size = want.iter().fold(0.0f32, |a, b| a.max(b.abs()));
    let error = got
        .iter()
        .zip(want)
        .fold(0.0f32, |e, (a, b)| e.max((a - b).abs()));
    assert!(
        error <= tolerance * size,
        "{what}: {error} off, where the largest is {size}"
    );
}

/// Budgets that cut passes as the default one does and keep less and less of a tape of `all` bytes,
/// to nothing.
fn smaller_budgets(all: usize) -> impl Iterator<Item = MemoryBudget> {
    let whole = MemoryBudget::default();
    let part = move |i: usize| whole.shared(whole.bytes() * 16 / (all * (16 - i)).max(1) + 1);
    (0..=16).map(part)
}

/// Checks that the results under smaller and smaller budgets are the same bits, whatever is kept;
/// `pass` gives the number of chunks, how many of them are kept and in how many bytes, and results.
#[track_caller]
fn assert_budgets_do_not_matter(
    pass: impl Fn(MemoryBudget) -> ([usize; 2], usize, Vec<f32>),
) -> Vec<f32> {
    let ([chunks, kept], all, want) = pass(MemoryBudget::default());
    assert!(chunks > 1 && kept == chunks, "{kept} of {chunks} are kept");
    let (mut rows_alone, mut some) = (0, 0);
    for budget in smaller_budgets(all) {
        let (now, bytes, got) = pass(budget);
        assert!(bytes <= budget.bytes(), "{bytes} bytes for {budget:?}");
        assert_eq!(now[0], chunks, "chunks for {budget:?}");
        assert!(
            bits(&got) == bits(&want),
            "other bits where {} chunks are kept in {bytes} bytes of {all}",
            now[1]
        );
        rows_alone += usize::from(now[1] == chunks && bytes < all);
        some += usize::from(now[1] < chunks && now[1] > 0);
    }
    let (none, ..) = pass(MemoryBudget::default().shared(usize::MAX));
    assert_eq!(none, [chunks, 0]);
    assert!(
        rows_alone > 2 && some > 0,
        "{rows_alone} and {some} budgets"
    );
    want
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Runs `work` with 1, 2 and 4 threads and checks that the results are the same bits.
#[track_caller]
fn assert_threads_do_not_matter(work: impl Fn() -> Vec<f32> + Sync) {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        bits(&pool.install(&work))
    };
    let one = run(1);
    assert!(
        one == run(2) && one == run(4),
        "other bits with other numbers of threads"
    );
}

/// Checks a gradient against central differences along random directions.
#[track_caller]
fn assert_gradient(what: &str, x: &[f32], d_x: &[f32], loss: impl Fn(&[f32]) -> f64) {
    let size = d_x.iter().map(|d| (*d as f64).powi(2)).sum::<f64>().sqrt();
    for seed in 1..4 {
        let direction = random(seed, x.len());
        let at = |step: f32| {
            let moved: Vec<f32> = x
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + step * d)
                .collect();
            loss(&moved)
        };
        let step = 4e-3;
        let numeric = (at(step) - at(-step)) / (2.0 * step as f64);
        let exact: f64 = d_x
            .iter()
            .zip(&direction)
            .map(|(a, b)| *a as f64 * *b as f64)
            .sum();
        assert!(
            (numeric - exact).abs() < 1e-2 * size,
            "{what}: {exact}, numerically {numeric}"
        );
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| *a as f64 * *b as f64).sum()
}

/// Numbers between -1 and 1, the same on every run.
fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
