//! vlpt's side of the peers' benchmark (`bench/peers`): steps on a given model and given inputs, one for each line
//! that comes in.
//!
//! ```text
//! peer MODEL_FOLDER CASE.safetensors f32|bf16
//! ```
//!
//! The case holds f32 tensors: `images` (n x 3 x side x side), `visual` (blocks x rows x width), `context` (blocks x
//! rows x text width) and `names` (classes x longest; token ids, -1 fills up). What else may be there:
//!
//! - low-rank updates: `text_a` and `vision_a` (blocks x 3 x rank x width; queries, keys, values), `text_b` and
//!   `vision_b` (blocks x 3 x width x rank) and `scale`;
//! - factors and terms of layer norms: `text_scale`, `text_shift`, `vision_scale`, `vision_shift` (norms x width);
//! - rows that enter later than at the first block: `first`, with `carry` of what came of those before, and
//!   `row_projection` (width x embed) of the images' rows;
//! - rows of each text's own: `text_rows` (classes x rows x text width), at block `text_rows_block`.
//!
//! Each line `features`, `texts`, `images`, `both` or `promptsrc` on standard input is done once and answered by its
//! seconds; `save PATH` writes the features and the gradient of the last one. The gradient is that of
//! `0.5 * sum(features^2)`: of the texts' prompts, their own rows and updates, then the same of the images' and of the
//! projection of their rows.

#![allow(clippy::print_stdout, reason = "it is a program")]

mod case;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use vlpt_clip::{
    Clip, MemoryBudget, ModelFiles, Precision, TextPlan, TextPlanOptions, TowerAdaptation,
    TowerGradients, UpdateGradient, VisualPlace,
};

use case::{Case, Tower};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

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
        let case = Case::open(Path::new(case))?;
        let texts = case.texts(&clip.tokenizer);
        let options = TextPlanOptions::from(&case.of_texts(&case.updates(Tower::Text)));
        let plan = clip.text.plan(&texts, options, MemoryBudget::default());
        Ok(Self {
            clip,
            case,
            plan,
            features: Vec::new(),
            gradient: Vec::new(),
        })
    }

    fn features(&mut self) {
        let (shape, images) = self.case.tensor("images");
        self.features = self
            .clip
            .vision
            .features(images, shape[0], &TowerAdaptation::NONE);
        self.gradient.clear();
    }

    /// Forward and backward of the images alone.
    fn images(&mut self) {
        let (features, gradients) = self.image_step(VisualPlace::AfterLnPre);
        (self.features, self.gradient) = (features, flat(gradients));
    }

    /// Forward and backward of the texts alone.
    fn texts(&mut self) {
        let (features, gradients) = self.text_step();
        (self.features, self.gradient) = (features, flat(gradients));
    }

    /// A step of both towers. Visual prompts of the first block come before `ln_pre`.
    fn both(&mut self) {
        let (mut features, text) = self.text_step();
        let (of_images, vision) = self.image_step(VisualPlace::BeforeLnPre);
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

    fn text_step(&self) -> (Vec<f32>, TowerGradients) {
        let tower = &self.clip.text;
        let updates = self.case.updates(Tower::Text);
        let (features, tape) = tower.forward(&self.plan, &self.case.of_texts(&updates));
        let gradients = tower.backward(&self.plan, tape, &features);
        (features, gradients)
    }

    fn image_step(&self, place: VisualPlace) -> (Vec<f32>, TowerGradients) {
        let (shape, images) = self.case.tensor("images");
        let tower = &self.clip.vision;
        let updates = self.case.updates(Tower::Vision);
        let adaptation = self.case.of_images(&updates, place);
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
        let view = |values: &[f32], bytes| TensorView::new(Dtype::F32, vec![values.len()], bytes);
        let tensors = [
            ("features", view(&self.features, &features)?),
            ("gradient", view(&self.gradient, &gradient)?),
        ];
        Ok(serialize_to_file(tensors, None, Path::new(path))?)
    }
}

/// All gradients of a tower, one behind the other.
fn flat(gradients: TowerGradients) -> Vec<f32> {
    let mut all = gradients.prompts;
    all.extend(gradients.text_rows);
    for update in gradients.updates {
        let (first, second) = match update {
            UpdateGradient::LowRank { a, b } => (a, b),
            UpdateGradient::ScaleShift { scale, shift } => (scale, shift),
        };
        all.extend(first);
        all.extend(second);
    }
    all.extend(gradients.row_projection.unwrap_or_default());
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
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("features", _) => bench.features(),
            ("images", _) => bench.images(),
            ("texts", _) => bench.texts(),
            ("both", _) => bench.both(),
            ("promptsrc", _) => bench.promptsrc(),
            ("save", path) => bench.save(path)?,
            (other, _) => return Err(format!("unknown work {other:?}").into()),
        }
        println!("{:.6}", began.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
