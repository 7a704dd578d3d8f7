//! Time of visual prompt steps and of plain image features on a random tower of ViT-B/16's size.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example vpt_step -- [images] [prompts a block]
//! ```
//!
//! Without arguments: 8 images, 10 prompts in each block.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::time::Instant;

use vlpt_clip::{
    Activation, Clip, ClipConfig, ImageTower, MemoryBudget, TextConfig, VisionConfig, VisualPlace,
    VisualPrompts,
};

const STEPS: usize = 5;

/// The image tower of ViT-B/16 with random weights, beside a tiny text tower.
fn tower() -> ImageTower {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let text = TextConfig {
        width: 16,
        layers: 1,
        heads: 1,
        mlp: 16,
        context_length: 77,
        vocab_size: 49_408,
        eot_token: 49_407,
        activation,
        layer_norm_eps,
    };
    let vision = VisionConfig {
        width: 768,
        layers: 12,
        heads: 12,
        mlp: 3072,
        image_size: 224,
        patch_size: 16,
        activation,
        layer_norm_eps,
    };
    let config = ClipConfig {
        text,
        vision,
        embed_dim: 512,
    };
    Clip::random(&config, 0).vision
}

/// Numbers between -1 and 1 that look random.
fn values(n: usize) -> Vec<f32> {
    let mixed = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 8;
    (0..n)
        .map(|i| mixed(i) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

fn argument(i: usize, default: usize) -> usize {
    std::env::args()
        .nth(i)
        .map_or(default, |a| a.parse().expect("the arguments are numbers"))
}

/// Median time of `work` in seconds.
fn median(work: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..STEPS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[STEPS / 2]
}

fn main() {
    let (n, count) = (argument(1, 8), argument(2, 10));
    let tower = tower();
    let images = values(n * 3 * 224 * 224);
    let values = values(tower.depth() * count * tower.width());
    for layers in [tower.depth(), 1] {
        let place = VisualPlace::AfterLnPre;
        let values = &values[..layers * count * tower.width()];
        let prompts = VisualPrompts {
            values,
            layers,
            count,
            place,
        };
        let seconds = median(|| {
            let (features, tape) = tower.forward(&images, n, &prompts, MemoryBudget::default());
            tower.backward(tape, &features);
        });
        println!("step, {n} images, {count} prompts in {layers} blocks: median {seconds:.3} s");
    }
    let seconds = median(|| {
        tower.features(&images, n, None);
    });
    println!("features of {n} images: median {seconds:.3} s");
}
