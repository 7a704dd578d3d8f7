//! How fast the products of frozen layers are.
//!
//! ```text
//! products [THREADS]           a table of all kernels
//! products THREADS --serve     for bench/products/compare.py
//! ```
//!
//! With `--serve` each line `KERNEL ROWS INPUTS OUTPUTS` on standard input is one timing, answered by
//! the seconds of the fastest of three products. The table gives, for each shape and kernel, the
//! median GFLOP/s of [`ROUNDS`] such timings, the kernels in turns.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is a program that prints"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{BufRead, Write};
use std::str::FromStr;
use std::time::Instant;

use vlpt_kernels::{Arena, Isa, Linear, Matrix, Precision};

const ROUNDS: usize = 9;

/// Rows, inputs, outputs: both MLP layers of 8 images with prompts, the MLP of 100 classes'
/// texts and of a few, and the attention's output of 8 images.
const SHAPES: [Shape; 6] = [
    Shape(1656, 768, 3072),
    Shape(1656, 3072, 768),
    Shape(7700, 512, 2048),
    Shape(417, 512, 2048),
    Shape(1576, 768, 768),
    Shape(17, 768, 3072),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape(usize, usize, usize);

impl Shape {
    fn flops(self) -> f64 {
        2.0 * (self.0 * self.1 * self.2) as f64
    }
}

/// What computes the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kernel {
    /// f32 at a level.
    F32(Isa),
    /// bf16 at a level.
    Bf16(Isa),
}

impl Kernel {
    fn all() -> Vec<Self> {
        let f32_levels = [Isa::Portable, Isa::Avx2, Isa::Avx512].map(Self::F32);
        let bf16_levels = [Isa::Avx512Bf16, Isa::Amx].map(Self::Bf16);
        let available = Isa::available();
        let mut all = [&f32_levels[..], &bf16_levels].concat();
        all.retain(|kernel| available.contains(&kernel.parts().1));
        all
    }

    fn parts(self) -> (Precision, Isa) {
        match self {
            Self::F32(level) => (Precision::F32, level),
            Self::Bf16(level) => (Precision::Bf16, level),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::F32(level) => write!(f, "f32-{level}"),
            Self::Bf16(level) => write!(f, "bf16-{level}"),
        }
    }
}

impl FromStr for Kernel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::all()
            .into_iter()
            .find(|kernel| kernel.to_string() == name)
            .ok_or_else(|| format!("no kernel {name} on this processor"))
    }
}

/// A layer with an input and room for its output.
struct Case {
    layer: Linear,
    x: Matrix,
    y: Matrix,
}

impl Case {
    fn new(kernel: Kernel, Shape(rows, inputs, outputs): Shape) -> Self {
        let mut state = 1u32;
        let mut numbers = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|_| {
                    state = state.wrapping_mul(1664525).wrapping_add(1013904223);
                    (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
                })
                .collect()
        };
        let (weight, bias) = (numbers(inputs * outputs), numbers(outputs));
        let (precision, level) = kernel.parts();
        level.force();
        let arena = Arena::default();
        Self {
            layer: Linear::new(precision, inputs, outputs, weight, Some(bias)),
            x: Matrix::of(&arena, precision, inputs, &numbers(rows * inputs)),
            y: Matrix::new(&arena, precision, rows, outputs),
        }
    }

    /// Seconds of the fastest of three products, on threads that are awake as in a pass.
    fn time(&mut self) -> f64 {
        vlpt_kernels::with_thread_team(|| {
            (0..3)
                .map(|_| {
                    let start = Instant::now();
                    self.layer.forward(self.x.operand(), &mut self.y);
                    start.elapsed().as_secs_f64()
                })
                .fold(f64::INFINITY, f64::min)
        })
    }
}

fn table(threads: usize) {
    println!("| rows x inputs x outputs | kernel | threads | GFLOP/s |\n|---|---|---|---|");
    for shape in SHAPES {
        let mut cases: Vec<_> = Kernel::all()
            .into_iter()
            .map(|kernel| (kernel, Case::new(kernel, shape), Vec::new()))
            .collect();
        for _ in 0..ROUNDS {
            for (_, case, seconds) in &mut cases {
                seconds.push(case.time());
            }
        }
        for (kernel, _, seconds) in &mut cases {
            seconds.sort_by(f64::total_cmp);
            let Shape(rows, inputs, outputs) = shape;
            let speed = shape.flops() / seconds[ROUNDS / 2] * 1e-9;
            println!("| {rows} x {inputs} x {outputs} | {kernel} | {threads} | {speed:.0} |");
        }
    }
}

fn serve() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut cases: BTreeMap<(Kernel, Shape), Case> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kernel, rows, inputs, outputs] = words[..] else {
            return Err(format!("not KERNEL ROWS INPUTS OUTPUTS: {line}").into());
        };
        let kernel = kernel.parse()?;
        let shape = Shape(rows.parse()?, inputs.parse()?, outputs.parse()?);
        let case = cases
            .entry((kernel, shape))
            .or_insert_with(|| Case::new(kernel, shape));
        println!("{}", case.time());
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().map_or(Ok(1), |n| n.parse())?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    // from inside the pool, as a step of training that runs in it
    match arguments.next().as_deref() {
        None => pool.install(|| table(threads)),
        Some("--serve") => pool.install(serve)?,
        Some(other) => return Err(format!("{other}: only --serve").into()),
    }
    Ok(())
}
