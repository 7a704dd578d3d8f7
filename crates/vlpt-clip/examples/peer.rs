//! vlpt's side of the peers' benchmark (`bench/peers`): steps on a given model and given inputs, one for each line
//! that comes in.
//!
//! ```text
//! peer MODEL_FOLDER CASE.safetensors
//! ```
//!
//! The case holds f32 tensors: `images` (n x 3 x side x side), `visual` (layers x count x width), `context` (rows x
//! text width) and `names` (classes x longest; token ids, -1 fills up). Each line `features`, `vpt` or `coop` on standard
//! input is done once and answered by its seconds; `save PATH` writes the features and the gradient of the last one.
//! The gradient is that of `0.5 * sum(features^2)`.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use vlpt_clip::{
    Clip, MemoryBudget, ModelFiles, Precision, PromptRows, PromptToken, TextPlan, TextPlanOptions,
    TowerAdaptation,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A tensor of the case: shape and values.
type Values = (Vec<usize>, Vec<f32>);

struct Bench {
    clip: Clip,
    case: BTreeMap<String, Values>,
    plan: TextPlan,
    features: Vec<f32>,
    gradient: Vec<f32>,
}

impl Bench {
    fn open(model: &str, case: &str, precision: Precision) -> Result<Self> {
        let files = ModelFiles::folder(model, Path::new(model))?;
        let clip = Clip::load_as(&files, precision)?;
        let bytes = std::fs::read(case)?;
        let mut tensors: BTreeMap<String, Values> = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(&bytes)?.tensors() {
            let values = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b));
            tensors.insert(name, (view.shape().to_vec(), values.collect()));
        }
        let rows = tensors["context"].0[0] as u32;
        let (shape, names) = &tensors["names"];
        let text = |name: &[f32]| {
            let mut text = vec![PromptToken::Token(clip.tokenizer.sot())];
            text.extend((0..rows).map(PromptToken::Learned));
            text.extend(
                name.iter()
                    .filter(|&&id| id >= 0.0)
                    .map(|&id| PromptToken::Token(id as u32)),
            );
            text.push(PromptToken::Token(clip.tokenizer.eot()));
            text
        };
        let texts: Vec<_> = names.chunks_exact(shape[1]).map(text).collect();
        let plan = clip
            .text
            .plan(&texts, TextPlanOptions::default(), MemoryBudget::default());
        Ok(Self {
            clip,
            case: tensors,
            plan,
            features: Vec::new(),
            gradient: Vec::new(),
        })
    }

    fn features(&mut self) {
        let (shape, images) = &self.case["images"];
        self.features = self
            .clip
            .vision
            .features(images, shape[0], &TowerAdaptation::NONE);
        self.gradient.clear();
    }

    fn vpt(&mut self) {
        let ((shape, images), (deep, values)) = (&self.case["images"], &self.case["visual"]);
        let prompts = TowerAdaptation::from(PromptRows {
            values,
            blocks: deep[0],
            rows: deep[1],
            ..PromptRows::NONE
        });
        let tower = &self.clip.vision;
        let (features, tape) = tower.forward(images, shape[0], &prompts, MemoryBudget::default());
        self.gradient = tower.backward(tape, &features).prompts;
        self.features = features;
    }

    fn coop(&mut self) {
        let tower = &self.clip.text;
        let context = PromptRows::shallow(&self.case["context"].1, tower.width());
        let (features, tape) = tower.forward(&self.plan, &context.into());
        self.gradient = tower.backward(&self.plan, tape, &features).prompts;
        self.features = features;
    }

    fn save(&self, path: &str) -> Result<()> {
        let bytes = |values: &[f32]| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let (features, gradient) = (bytes(&self.features), bytes(&self.gradient));
        let tensors = [
            (
                "features",
                TensorView::new(Dtype::F32, vec![self.features.len()], &features)?,
            ),
            (
                "gradient",
                TensorView::new(Dtype::F32, vec![self.gradient.len()], &gradient)?,
            ),
        ];
        Ok(serialize_to_file(tensors, None, Path::new(path))?)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, case, precision] = arguments.as_slice() else {
        return Err("usage: peer MODEL_FOLDER CASE.safetensors f32|bf16".into());
    };
    let precision = match precision.as_str() {
        "f32" => Precision::F32,
        "bf16" => Precision::Bf16,
        other => return Err(format!("precision {other}: f32 or bf16").into()),
    };
    let mut bench = Bench::open(model, case, precision)?;
    println!("{}", vlpt_kernels::description());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let began = Instant::now();
        match line
            .split_once(' ')
            .map_or((line.as_str(), ""), |parts| parts)
        {
            ("features", _) => bench.features(),
            ("vpt", _) => bench.vpt(),
            ("coop", _) => bench.coop(),
            ("save", path) => bench.save(path)?,
            (other, _) => return Err(format!("unknown work {other:?}").into()),
        }
        println!("{:.6}", began.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
