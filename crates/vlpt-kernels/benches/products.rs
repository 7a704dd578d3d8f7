//! The product of a frozen layer at each level, and the same product by the `gemm` crate, which
//! packs the weights anew each time.

#![allow(unsafe_code, reason = "the gemm crate's interface")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gemm_common::Parallelism;
use rayon::{ThreadPool, ThreadPoolBuilder};
use vlpt_kernels::{Arena, Isa, Linear, Matrix, Operand, Precision};

/// Rows, inputs, outputs.
const SHAPES: [(usize, usize, usize); 4] = [
    (1656, 768, 3072),
    (7700, 512, 2048),
    (417, 512, 2048),
    (1576, 768, 768),
];

fn numbers(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5)
        .collect()
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool of threads")
}

fn products(criterion: &mut Criterion) {
    // up to AVX-512: those above have nothing new for f32
    let levels: Vec<Isa> = Isa::available()
        .into_iter()
        .filter(|level| *level <= Isa::Avx512)
        .collect();
    for (rows, inputs, outputs) in SHAPES {
        let mut group = criterion.benchmark_group(format!("{rows}x{inputs}x{outputs}"));
        group
            .sample_size(20)
            .throughput(Throughput::Elements((2 * rows * inputs * outputs) as u64));
        let (x, weight) = (numbers(rows * inputs), numbers(inputs * outputs));
        let mut y = vec![0.0; rows * outputs];
        for threads in [1, 2] {
            let pool = pool(threads);
            for level in &levels {
                level.force();
                let layer = Linear::new(Precision::F32, inputs, outputs, weight.clone(), None);
                let id = BenchmarkId::new(format!("f32 {level}"), format!("{threads} threads"));
                group.bench_function(id, |b| {
                    pool.install(|| b.iter(|| layer.forward_into(Operand::F32(&x), &mut y)));
                });
            }
            for level in Isa::available() {
                if level < Isa::Avx512Bf16 {
                    continue;
                }
                level.force();
                let layer = Linear::new(Precision::Bf16, inputs, outputs, weight.clone(), None);
                let arena = Arena::default();
                let x = Matrix::of(&arena, Precision::Bf16, inputs, &x);
                let mut y = Matrix::new(&arena, Precision::Bf16, rows, outputs);
                let id = BenchmarkId::new(format!("bf16 {level}"), format!("{threads} threads"));
                group.bench_function(id, |b| {
                    pool.install(|| b.iter(|| layer.forward(x.operand(), &mut y)));
                });
            }
            let parallelism = match threads {
                1 => Parallelism::None,
                _ => Parallelism::Rayon(threads),
            };
            let id = BenchmarkId::new("gemm crate", format!("{threads} threads"));
            group.bench_function(id, |b| {
                pool.install(|| {
                    b.iter(|| multiply((rows, outputs, inputs), &x, &weight, &mut y, parallelism));
                });
            });
        }
        group.finish();
    }
}

/// `y = x weight^T`; `x`: m x k, `weight`: n x k, `y`: m x n.
fn multiply(
    (m, n, k): (usize, usize, usize),
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
    parallelism: Parallelism,
) {
    assert!(x.len() == m * k && weight.len() == n * k && y.len() == m * n);
    // The kernels write columns, so it is y^T = weight x^T that they are asked for.
    // SAFETY: the matrices have their sizes by the assertion.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            n,
            m,
            k,
            y.as_mut_ptr(),
            n as isize,
            1,
            false,
            weight.as_ptr(),
            1,
            k as isize,
            x.as_ptr(),
            k as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
