//! Attention and layer norm in the shapes of ViT-B/16 and of CoOp's token tree, in both number formats.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vlpt_kernels::{Arena, Attention, AttentionPlan, Matrix, Precision, Standardize};

const FORMATS: [Precision; 2] = [Precision::F32, Precision::Bf16];

fn numbers(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5)
        .collect()
}

/// 16 context nodes, which 100 branches of four nodes each see.
fn tree() -> AttentionPlan {
    let mut branches: Vec<Vec<u32>> = (0..16).map(|i| (0..=i).collect()).collect();
    for _ in 0..100 {
        let first = branches.len() as u32;
        for own in 0..4 {
            branches.push((0..16).chain(first..=first + own).collect());
        }
    }
    let live = branches.len();
    AttentionPlan::tree(branches.iter().map(Vec::as_slice), 0, live)
}

fn attention(criterion: &mut Criterion) {
    let images = ("4 images of 197 tokens, 10 prompts", 12, 768, 10, 4 * 197);
    let texts = ("100 texts behind 16 context tokens", 8, 512, 0, 416);
    let plans = [AttentionPlan::images(4, 197, 197, 10), tree()];
    for ((name, heads, width, common, own), plan) in [images, texts].into_iter().zip(&plans) {
        let mut group = criterion.benchmark_group(format!("attention, {name}"));
        let attention = Attention { heads, width, plan };
        for precision in FORMATS {
            let arena = Arena::default();
            let matrix =
                |rows: usize, width| Matrix::of(&arena, precision, width, &numbers(rows * width));
            let (q, kv, shared) = (
                matrix(plan.queries(), width),
                matrix(own, 2 * width),
                matrix(common, 2 * width),
            );
            let (mut out, mut dq) = (matrix(q.rows(), width), matrix(q.rows(), width));
            let mut dkv = matrix(own, 2 * width);
            let mut d_shared = numbers(common * 2 * width);
            group.bench_function(BenchmarkId::new("forward", precision), |b| {
                b.iter(|| attention.forward(&q, &kv, &shared, &mut out));
            });
            let d_out = matrix(q.rows(), width);
            group.bench_function(BenchmarkId::new("backward", precision), |b| {
                b.iter(|| {
                    let given = (&q, &kv, &shared);
                    attention.backward(&arena, given, &d_out, &mut dq, &mut dkv, &mut d_shared);
                });
            });
        }
        group.finish();
    }
}

fn norms(criterion: &mut Criterion) {
    let (rows, width) = (788, 768);
    let norm = Standardize::new(width, 1e-5);
    let (x, dy, mut dx) = (
        numbers(rows * width),
        numbers(rows * width),
        numbers(rows * width),
    );
    let mut group = criterion.benchmark_group(format!("layer norm, {rows} x {width}"));
    for precision in FORMATS {
        let arena = Arena::default();
        let mut z = Matrix::new(&arena, precision, rows, width);
        let mut scales = vec![0.0; rows];
        norm.forward(&x, &mut z, &mut scales);
        let dy = Matrix::of(&arena, precision, width, &dy);
        group.bench_function(BenchmarkId::new("forward", precision), |b| {
            b.iter(|| norm.forward(&x, &mut z, &mut scales));
        });
        group.bench_function(BenchmarkId::new("backward", precision), |b| {
            let mut rounded =
                (precision == Precision::Bf16).then(|| Matrix::new(&arena, precision, rows, width));
            let given = (&z, &scales[..]);
            b.iter(|| norm.backward_add(given, dy.operand(), &mut dx, rounded.as_mut()));
        });
    }
    group.finish();
}

criterion_group!(benches, attention, norms);
criterion_main!(benches);
