//! Adapted towers against PyTorch (`golden/make_adaptations.py`, `golden/make_rows.py`): features, and
//! gradients of all that an adaptation holds.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde::Deserialize;
use vlpt_clip::{
    LayerName, MemoryBudget, Precision, PromptRows, PromptToken, TextPlanOptions, TowerAdaptation,
    TowerGradients, Update, UpdateGradient, UpdateKind, VisualPlace,
};

use crate::assert_close;
use crate::bf16::relative_error;
use crate::golden::{Golden, MODELS, floats};

const IMAGES: usize = 3;

/// What is 0 but for rounding: the gradient of a shift of all keys, which softmax does not see.
const ZERO: f32 = 1e-5;

/// A case as the script describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    first: usize,
    before: bool,
    per_image: bool,
    #[serde(default)]
    carry: f32,
    updates: Vec<CaseUpdate>,
    #[serde(default)]
    texts: Vec<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
struct CaseUpdate {
    block: usize,
    layer: String,
    factor: Option<f32>,
}

/// The cases of a model, and their numbers.
pub(crate) struct Cases {
    pub(crate) golden: Golden,
    pub(crate) all: Vec<Case>,
    numbers: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Cases {
    pub(crate) fn load(model: &str, precision: Precision) -> Self {
        Self::of("adaptations", model, precision)
    }

    /// Those of a folder.
    pub(crate) fn of(folder: &str, model: &str, precision: Precision) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(folder);
        let text = fs_err::read_to_string(folder.join(format!("{model}.json"))).unwrap();
        let bytes = fs_err::read(folder.join(format!("{model}.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let entry = |(name, view): (&str, _)| {
            let view: safetensors::tensor::TensorView = view;
            (name.to_owned(), (view.shape().to_vec(), floats(&view)))
        };
        Self {
            golden: Golden::load_as(model, precision),
            all: serde_json::from_str(&text).unwrap(),
            numbers: file.iter().map(entry).collect(),
        }
    }

    pub(crate) fn get(&self, case: &Case, name: &str) -> &[f32] {
        &self.numbers[&format!("{}.{name}", case.name)].1
    }

    pub(crate) fn pixels(&self) -> &[f32] {
        &self.numbers["pixels"].1
    }

    pub(crate) fn prompts(&self, case: &Case) -> PromptRows<'_> {
        let Some((shape, values)) = self.numbers.get(&format!("{}.values", case.name)) else {
            return PromptRows::NONE;
        };
        let [.., blocks, rows, _] = shape[..] else {
            panic!("prompts of shape {shape:?}");
        };
        PromptRows {
            values,
            first: case.first,
            blocks,
            rows,
            place: if case.before {
                VisualPlace::BeforeLnPre
            } else {
                VisualPlace::AfterLnPre
            },
            per_image: case.per_image,
            carry: case.carry,
        }
    }

    pub(crate) fn updates<'a>(&'a self, case: &'a Case) -> Vec<Update<'a>> {
        let update = |(i, update): (usize, &CaseUpdate)| Update {
            block: update.block,
            layer: layer(&update.layer),
            kind: match update.factor {
                Some(scale) => UpdateKind::LowRank {
                    a: self.get(case, &format!("{i}.a")),
                    b: self.get(case, &format!("{i}.b")),
                    scale,
                    dropout: None,
                },
                None => UpdateKind::ScaleShift {
                    scale: self.get(case, &format!("{i}.scale")),
                    shift: self.get(case, &format!("{i}.shift")),
                },
            },
        };
        case.updates.iter().enumerate().map(update).collect()
    }

    pub(crate) fn adaptation<'a>(
        &'a self,
        case: &'a Case,
        updates: &'a [Update<'a>],
    ) -> TowerAdaptation<'a> {
        let values = |name: &str| {
            let values = self.numbers.get(&format!("{}.{name}", case.name));
            values.map(|(_, values)| values.as_slice())
        };
        TowerAdaptation {
            prompts: self.prompts(case),
            updates,
            projection: values("projection"),
            row_projection: values("row_projection"),
            ..TowerAdaptation::NONE
        }
    }

    pub(crate) fn texts(&self, case: &Case) -> Vec<Vec<PromptToken>> {
        let vocab = self.golden.vocab;
        let slot = |&id: &u32| match id.checked_sub(vocab) {
            None => PromptToken::Token(id),
            Some(row) => PromptToken::Learned(row),
        };
        let texts = case.texts.iter();
        texts.map(|text| text.iter().map(slot).collect()).collect()
    }

    /// Features and gradients of a pass.
    pub(crate) fn pass(
        &self,
        case: &Case,
        adaptation: &TowerAdaptation,
        budget: MemoryBudget,
    ) -> (Vec<f32>, TowerGradients) {
        let d_features = self.get(case, "d_features");
        if case.name.starts_with("text.") {
            let tower = &self.golden.text;
            let plan = tower.plan(&self.texts(case), TextPlanOptions::from(adaptation), budget);
            let (features, tape) = tower.forward(&plan, adaptation);
            let gradients = tower.backward(&plan, tape, d_features);
            (features, gradients)
        } else {
            let tower = &self.golden.vision;
            let (features, tape) = tower.forward(self.pixels(), IMAGES, adaptation, budget);
            let gradients = tower.backward(tape, d_features);
            (features, gradients)
        }
    }

    /// What PyTorch has for each part of the gradients.
    fn wanted(&self, case: &Case, gradients: &TowerGradients) -> Vec<(String, Vec<f32>, &[f32])> {
        let mut pairs = Vec::new();
        let mut pair = |name: String, own: &[f32]| {
            let want = self.get(case, &name);
            pairs.push((name, own.to_vec(), want));
        };
        if !gradients.prompts.is_empty() {
            pair("d_values".to_owned(), &gradients.prompts);
        }
        for (i, gradient) in gradients.updates.iter().enumerate() {
            let (names, parts) = match gradient {
                UpdateGradient::LowRank { a, b } => (["d_a", "d_b"], [a, b]),
                UpdateGradient::ScaleShift { scale, shift } => {
                    (["d_scale", "d_shift"], [scale, shift])
                }
            };
            for (name, part) in names.into_iter().zip(parts) {
                pair(format!("{i}.{name}"), part);
            }
        }
        if let Some(projection) = &gradients.projection {
            pair("d_projection".to_owned(), projection);
        }
        if let Some(projection) = &gradients.row_projection {
            pair("d_row_projection".to_owned(), projection);
        }
        pairs
    }
}

fn layer(name: &str) -> LayerName {
    match name {
        "Q" => LayerName::Q,
        "K" => LayerName::K,
        "V" => LayerName::V,
        "Out" => LayerName::Out,
        "Fc1" => LayerName::Fc1,
        "Fc2" => LayerName::Fc2,
        "Ln1" => LayerName::Ln1,
        "Ln2" => LayerName::Ln2,
        "LnFinal" => LayerName::LnFinal,
        other => panic!("layer {other}"),
    }
}

#[test]
fn features_and_gradients_equal_those_of_pytorch() {
    for model in MODELS {
        let cases = Cases::load(model, Precision::F32);
        assert!(cases.all.len() > 10);
        check(model, &cases);
    }
}

#[test]
fn mixed_rows_and_features_of_rows_equal_those_of_pytorch() {
    for model in MODELS {
        let cases = Cases::of("rows", model, Precision::F32);
        assert!(cases.all.len() > 3);
        check(model, &cases);
    }
}

fn check(model: &str, cases: &Cases) {
    for case in &cases.all {
        let updates = cases.updates(case);
        let adaptation = cases.adaptation(case, &updates);
        let (features, gradients) = cases.pass(case, &adaptation, MemoryBudget::default());
        let what = format!("{model} {}", case.name);
        let want = cases.get(case, "features");
        assert_close(&format!("{what} features"), &features, want, 2e-5);
        let parts = cases.wanted(case, &gradients);
        let learned = 2 * updates.len()
            + usize::from(!adaptation.prompts.is_empty())
            + usize::from(adaptation.projection.is_some())
            + usize::from(adaptation.row_projection.is_some());
        assert!(learned > 0 && parts.len() == learned, "{what}");
        for (name, got, want) in parts {
            if want.iter().all(|x| x.abs() < ZERO) {
                let zero = got.iter().all(|x| x.abs() < ZERO);
                assert!(zero, "{what} {name}: {got:?}");
            } else {
                assert_close(&format!("{what} {name}"), &got, want, 5e-5);
            }
        }
    }
}

#[test]
fn bf16_is_near_pytorch() {
    let mut far = Vec::new();
    for model in MODELS {
        let cases = Cases::load(model, Precision::Bf16);
        for case in &cases.all {
            let updates = cases.updates(case);
            let adaptation = cases.adaptation(case, &updates);
            let (features, gradients) = cases.pass(case, &adaptation, MemoryBudget::default());
            let error = relative_error(&features, cases.get(case, "features"));
            assert!(error < 1e-2, "{model} {}: features {error} off", case.name);
            let parts = cases.wanted(case, &gradients);
            let got: Vec<f32> = parts.iter().flat_map(|(_, got, _)| got).copied().collect();
            let want: Vec<f32> = parts
                .iter()
                .flat_map(|(_, _, want)| want.iter())
                .copied()
                .collect();
            let error = relative_error(&got, &want);
            let what = format!("{model} {}: gradients {error} off", case.name);
            assert!(error < 8e-2, "{what}");
            if error > 2e-2 {
                far.push(what);
            }
        }
    }
    // of one image's own prompts, a row of which has a gradient six times that of any other
    assert!(far.len() <= 1, "{far:?}");
}
