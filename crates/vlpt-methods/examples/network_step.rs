//! Time of a training step's part that a method's own network takes: its prompts, and from their
//! gradient the gradients of its parameters. The towers are not part of it.
//!
//! ```text
//! cargo run --release -p vlpt-methods --example network_step
//! ```

#![allow(clippy::print_stdout)]

use std::time::Instant;

use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;
use vlpt_clip::{Activation, Clip, ClipConfig, TextConfig, TowerGradients, VisionConfig};
use vlpt_methods::{
    Attention, CoCoOp, CoCoOpConfig, Method, Pass, Result, TowerTensors, Upt, UptConfig, UptShape,
};

const BATCH: usize = 32;
const STEPS: u64 = 50;

/// A model with these widths; its towers are as small as they can be, because they do not run.
fn model(text: usize, vision: usize, layers: usize, embed: usize) -> Clip {
    let config = ClipConfig {
        text: TextConfig {
            width: text,
            layers: 1,
            heads: 1,
            mlp: 1,
            context_length: 77,
            vocab_size: 8706,
            eot_token: 8705,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: vision,
            layers,
            heads: 1,
            mlp: 1,
            image_size: 16,
            patch_size: 16,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        embed_dim: embed,
    };
    Clip::random(&config, 1)
}

/// The learned rows themselves as their gradient.
fn d_rows(tower: &TowerTensors) -> Result<TowerGradients> {
    let prompts = tower.values()?.prompts;
    Ok(TowerGradients {
        prompts: prompts.map_or_else(Vec::new, |prompts| prompts.values),
        ..TowerGradients::default()
    })
}

fn time(model: &str, what: &str, method: &dyn Method, images: &Tensor) -> Result<()> {
    let mut best = f64::INFINITY;
    let mut sum = 0_u64;
    for step in 0..STEPS {
        let pass = Pass {
            images: Some(images),
            step: Some((0, step)),
            ..Pass::EVAL
        };
        let start = Instant::now();
        let adaptation = method.adapt(&pass)?;
        let (d_text, d_visual) = (d_rows(&adaptation.text)?, d_rows(&adaptation.visual)?);
        let gradients =
            adaptation.gradients(method.parameters(), Some(&d_text), Some(&d_visual))?;
        best = best.min(start.elapsed().as_secs_f64());
        // FNV-1a over all bits: equal on every run and with every number of threads.
        for value in gradients.iter().flatten() {
            sum = (sum ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let count = method.parameter_count();
    println!(
        "{model:<9} {what:<17} {count:>9} parameters {:>7.2} ms   {sum:016x}",
        best * 1e3
    );
    Ok(())
}

fn main() -> Result<()> {
    let models = [
        ("mini-clip", (128, 192, 8, 128)),
        ("ViT-B/16", (512, 768, 12, 512)),
    ];
    for (name, (text, vision, layers, embed)) in models {
        let clip = model(text, vision, layers, embed);
        let values = Stream::new(1, "images").normals(BATCH * embed, (embed as f64).powf(-0.5));
        let images = Tensor::new(values, &[BATCH, embed])?;
        for (shape, shape_name) in [(UptShape::Mvlpt, "mvlpt"), (UptShape::Release, "release")] {
            for (attention, mix) in [
                (Attention::Joint, "joint"),
                (Attention::Tokenwise, "tokenwise"),
            ] {
                let config = UptConfig {
                    shape,
                    attention,
                    ..UptConfig::default()
                };
                let upt = Upt::new(&config, &clip, 10, 0)?;
                time(name, &format!("{shape_name} {mix}"), &upt, &images)?;
            }
        }
        let config = CoCoOpConfig {
            init: String::new(),
            ..CoCoOpConfig::default()
        };
        let cocoop = CoCoOp::new(&config, &clip, 0)?;
        time(name, &format!("cocoop {BATCH} images"), &cocoop, &images)?;
    }
    Ok(())
}
