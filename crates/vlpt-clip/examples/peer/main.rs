//! vlpt's side of the peers' benchmark (`bench/peers`): steps on a given model and given inputs, one for each line
//! that comes in.
//!
//! ```text
//! peer MODEL_FOLDER CASE.safetensors f32|bf16
//! ```
//!
//! The case holds f32 tensors: `images` (n x 3 x side x side), `visual` (blocks x rows x width), `context` (blocks x
//! rows x text width) and `names` (classes x longest; token ids, -1 fills up). A case of low-rank updates also has
//! `text_a` and `vision_a` (blocks x 3 x rank x width; queries, keys, values), `text_b` and `vision_b` (blocks x 3 x width
//! x rank) and `scale`. Each line `features`, `vpt`, `coop`, `maple`, `promptsrc` or `lora` on standard input is done once
//! and answered by its seconds; `save PATH` writes the features and the gradient of the last one. The gradient is that of
//! `0.5 * sum(features^2)`. Of both towers it is that of the texts' prompts, updates of queries, keys and values of block
//! 0 (of each `A`, then `B`), of block 1 and so on, then the same of the images'.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use vlpt_clip::{
    Clip, LayerName, MemoryBudget, ModelFiles, Precision, PromptRows, PromptToken, TextPlan,
    TextPlanOptions, TowerAdaptation, TowerGradients, Update, UpdateGradient, UpdateKind,
    VisualPlace,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The tensors of a case: shapes and values.
type Case = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

struct Bench {
    clip: Clip,
    case: Case,
    plan: TextPlan,
    features: Vec<f32>,
    gradient: Vec<f32>,
}

impl Bench {
    fn open(model: &str, case: &str, precision: Precision) -> Result<Self> {
        let files = ModelFiles::folder(model, Path::new(model))?;
        let clip = Clip::load_as(&files, precision)?;
        let bytes = std::fs::read(case)?;
        let mut tensors = Case::new();
        for (name, view) in SafeTensors::deserialize(&bytes)?.tensors() {
            let values = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b));
            tensors.insert(name, (view.shape().to_vec(), values.collect()));
        }
        let rows = tensors["context"].0[1] as u32;
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
        let updates = updates(&tensors, "text");
        let options = TextPlanOptions::from(&TowerAdaptation {
            prompts: prompts(&tensors, "context", VisualPlace::AfterLnPre),
            updates: &updates,
            ..TowerAdaptation::NONE
        });
        let plan = clip.text.plan(&texts, options, MemoryBudget::default());
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
        let (features, gradients) = self.images(VisualPlace::AfterLnPre);
        (self.features, self.gradient) = (features, flat(gradients));
    }

    fn coop(&mut self) {
        let (features, gradients) = self.texts();
        (self.features, self.gradient) = (features, flat(gradients));
    }

    /// A step of both towers: of MaPLe, whose visual prompts come before `ln_pre`, or of CLIP-LoRA,
    /// whose case has no prompts.
    fn both(&mut self) {
        let (mut features, text) = self.texts();
        let (of_images, vision) = self.images(VisualPlace::BeforeLnPre);
        features.extend(of_images);
        let mut gradient = flat(text);
        gradient.extend(flat(vision));
        (self.features, self.gradient) = (features, gradient);
    }

    /// With the features under the frozen tower that the published loss compares the images' with; here nothing
    /// depends on them.
    fn promptsrc(&mut self) {
        self.features();
        self.both();
    }

    /// Forward and backward of the texts.
    fn texts(&self) -> (Vec<f32>, TowerGradients) {
        let tower = &self.clip.text;
        let adaptation = TowerAdaptation {
            prompts: prompts(&self.case, "context", VisualPlace::AfterLnPre),
            updates: &updates(&self.case, "text"),
            ..TowerAdaptation::NONE
        };
        let (features, tape) = tower.forward(&self.plan, &adaptation);
        let gradients = tower.backward(&self.plan, tape, &features);
        (features, gradients)
    }

    /// Forward and backward of the images.
    fn images(&self, place: VisualPlace) -> (Vec<f32>, TowerGradients) {
        let (shape, images) = &self.case["images"];
        let tower = &self.clip.vision;
        let adaptation = TowerAdaptation {
            prompts: prompts(&self.case, "visual", place),
            updates: &updates(&self.case, "vision"),
            ..TowerAdaptation::NONE
        };
        let budget = MemoryBudget::default();
        let (features, tape) = tower.forward(images, shape[0], &adaptation, budget);
        let gradients = tower.backward(tape, &features);
        (features, gradients)
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

/// The prompts of a tensor (blocks x rows x width).
fn prompts<'a>(case: &'a Case, name: &str, place: VisualPlace) -> PromptRows<'a> {
    let (shape, values) = &case[name];
    PromptRows {
        values,
        blocks: shape[0],
        rows: shape[1],
        place,
        ..PromptRows::NONE
    }
}

/// The low-rank updates of a tower, if the case has some.
fn updates<'a>(case: &'a Case, tower: &str) -> Vec<Update<'a>> {
    let tensor = |name: &str| case.get(&format!("{tower}_{name}"));
    let (Some((shape, a)), Some((_, b))) = (tensor("a"), tensor("b")) else {
        return Vec::new();
    };
    let (layers, size) = (
        [LayerName::Q, LayerName::K, LayerName::V],
        shape[2] * shape[3],
    );
    let update = |(place, (a, b)): (usize, (&'a [f32], &'a [f32]))| Update {
        block: place / layers.len(),
        layer: layers[place % layers.len()],
        kind: UpdateKind::LowRank {
            a,
            b,
            scale: case["scale"].1[0],
            dropout: None,
        },
    };
    let pairs = a.chunks_exact(size).zip(b.chunks_exact(size));
    pairs.enumerate().map(update).collect()
}

/// Gradients of prompts and low-rank updates, one behind the other.
fn flat(gradients: TowerGradients) -> Vec<f32> {
    let mut all = gradients.prompts;
    for update in gradients.updates {
        if let UpdateGradient::LowRank { a, b } = update {
            all.extend(a);
            all.extend(b);
        }
    }
    all
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
            ("maple" | "lora", _) => bench.both(),
            ("promptsrc", _) => bench.promptsrc(),
            ("save", path) => bench.save(path)?,
            (other, _) => return Err(format!("unknown work {other:?}").into()),
        }
        println!("{:.6}", began.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
