//! Products of faer, timed as the example `products` of vlpt-kernels times its own.
//!
//! `faer-products THREADS`; each line `NAME ROWS INPUTS OUTPUTS` on standard input is answered by the seconds of the
//! fastest of three products `x W^T`. Both are row by row, as vlpt gives them to its layers.

use std::io::BufRead;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

fn numbers(count: usize) -> Vec<f32> {
    let mixed = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 8;
    (0..count)
        .map(|i| mixed(i) as f32 / 8_388_608.0 - 1.0)
        .collect()
}

fn time(par: Par, rows: usize, inputs: usize, outputs: usize) -> f64 {
    let (x, weight) = (numbers(rows * inputs), numbers(outputs * inputs));
    let x = MatRef::from_row_major_slice(&x, rows, inputs);
    let weight = MatRef::from_row_major_slice(&weight, outputs, inputs);
    // row by row, as what reads it next
    let mut y = Mat::<f32>::zeros(outputs, rows);
    let mut fastest = f64::INFINITY;
    for _ in 0..3 {
        let began = Instant::now();
        matmul(
            y.as_mut().transpose_mut(),
            Accum::Replace,
            x,
            weight.transpose(),
            1.0,
            par,
        );
        fastest = fastest.min(began.elapsed().as_secs_f64());
    }
    fastest
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads: usize = std::env::args()
        .nth(1)
        .ok_or("faer-products THREADS")?
        .parse()?;
    let par = if threads > 1 {
        Par::rayon(threads)
    } else {
        Par::Seq
    };
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let sizes = line
            .split(' ')
            .skip(1)
            .map(str::parse)
            .collect::<Result<Vec<usize>, _>>()?;
        let [rows, inputs, outputs] = sizes[..] else {
            return Err(format!("not NAME ROWS INPUTS OUTPUTS: {line}").into());
        };
        println!("{}", time(par, rows, inputs, outputs));
    }
    Ok(())
}
