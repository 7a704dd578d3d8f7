//! Resizing to the view of an image tower, from common sizes.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vlpt_data::image::{Interpolation, Preprocess, RgbImage};

fn views(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("view 224");
    for (width, height) in [(32, 32), (500, 375), (375, 500), (1024, 768), (3000, 2000)] {
        let data = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
        let image = RgbImage {
            width,
            height,
            data,
        };
        group.throughput(Throughput::Bytes(image.data.len() as u64));
        for interpolation in [Interpolation::Bicubic, Interpolation::Bilinear] {
            let preprocess = Preprocess {
                interpolation,
                ..Preprocess::default()
            };
            let id = BenchmarkId::new(interpolation.name(), format!("{width}x{height}"));
            group.bench_with_input(id, &image, |b, image| b.iter(|| preprocess.pixels(image)));
        }
    }
    group.finish();
}

criterion_group!(benches, views);
criterion_main!(benches);
