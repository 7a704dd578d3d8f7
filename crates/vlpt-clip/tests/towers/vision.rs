use vlpt_clip::{ImageTower, MemoryBudget, PromptRows, TowerAdaptation, VisualPlace};

use crate::golden::{Golden, MODELS};
use crate::{
    assert_budgets_do_not_matter, assert_close, assert_gradient, assert_threads_do_not_matter,
    bits, dot, random,
};

/// The prompts of a case such as `image.2.before`.
pub(crate) fn prompts<'a>(golden: &'a Golden, case: &str) -> PromptRows<'a> {
    let name = format!("{case}.prompts");
    let shape = golden.shape(&name);
    let place = if case.ends_with("before") {
        VisualPlace::BeforeLnPre
    } else {
        VisualPlace::AfterLnPre
    };
    PromptRows {
        values: golden.get(&name),
        blocks: shape[0],
        rows: shape[1],
        place,
        ..PromptRows::NONE
    }
}

fn gradient(
    tower: &ImageTower,
    images: &[f32],
    n: usize,
    prompts: &PromptRows,
    d_features: &[f32],
    budget: MemoryBudget,
) -> (Vec<f32>, Vec<f32>) {
    let (features, tape) = tower.forward(images, n, &(*prompts).into(), budget);
    (features, tower.backward(tape, d_features).prompts)
}

/// Prompts in the first `layers` blocks of the `quick-gelu` model, and many images.
struct Many {
    golden: Golden,
    n: usize,
    images: Vec<f32>,
    values: Vec<f32>,
    d_features: Vec<f32>,
}

impl Many {
    fn new() -> Self {
        let golden = Golden::load("quick-gelu");
        let n = 400;
        let images = random(1, n * golden.get("pixels").len() / 3);
        let values = random(2, golden.vision.depth() * 3 * golden.vision.width());
        let d_features = random(3, n * golden.vision.embed_dim());
        Self {
            golden,
            n,
            images,
            values,
            d_features,
        }
    }

    fn prompts(&self, layers: usize) -> PromptRows<'_> {
        let (rows, place) = (3, VisualPlace::BeforeLnPre);
        let values = &self.values[..layers * rows * self.golden.vision.width()];
        PromptRows {
            values,
            blocks: layers,
            rows,
            place,
            ..PromptRows::NONE
        }
    }

    fn gradient(&self, layers: usize, budget: MemoryBudget) -> (Vec<f32>, Vec<f32>) {
        let Self {
            golden,
            n,
            images,
            d_features,
            ..
        } = self;
        gradient(
            &golden.vision,
            images,
            *n,
            &self.prompts(layers),
            d_features,
            budget,
        )
    }
}

#[test]
fn features_equal_those_of_transformers() {
    for model in MODELS {
        let golden = Golden::load(model);
        let features = golden
            .vision
            .features(golden.get("pixels"), 3, &TowerAdaptation::NONE);
        assert_close(model, &features, golden.get("image.none.features"), 1e-5);
        for case in golden.image_cases() {
            let prompts = prompts(&golden, &case);
            let features = golden
                .vision
                .features(golden.get("pixels"), 3, &prompts.into());
            let want = golden.get(&format!("{case}.features"));
            assert_close(&format!("{model} {case}"), &features, want, 1e-5);
        }
    }
}

#[test]
fn gradients_equal_those_of_pytorch_for_deep_and_shallow_prompts_in_both_places() {
    for model in MODELS {
        let golden = Golden::load(model);
        assert!(golden.image_cases().len() >= 2);
        for case in golden.image_cases() {
            let prompts = prompts(&golden, &case);
            let d_features = golden.get(&format!("{case}.d_features"));
            let pixels = golden.get("pixels");
            let (features, d) = gradient(
                &golden.vision,
                pixels,
                3,
                &prompts,
                d_features,
                MemoryBudget::default(),
            );
            let want = golden.get(&format!("{case}.features"));
            assert_close(&format!("{model} {case} features"), &features, want, 1e-5);
            let want = golden.get(&format!("{case}.d_prompts"));
            assert_close(&format!("{model} {case} gradient"), &d, want, 2e-5);
        }
    }
}

#[test]
fn gradients_are_finite_differences() {
    for model in MODELS {
        let golden = Golden::load(model);
        for case in golden.image_cases() {
            let (given, pixels) = (prompts(&golden, &case), golden.get("pixels"));
            let weight = golden.get(&format!("{case}.d_features"));
            let (_, d) = gradient(
                &golden.vision,
                pixels,
                3,
                &given,
                weight,
                MemoryBudget::default(),
            );
            let loss = |values: &[f32]| {
                let moved = PromptRows { values, ..given };
                dot(&golden.vision.features(pixels, 3, &moved.into()), weight)
            };
            assert_gradient(&format!("{model} {case}"), given.values, &d, loss);
        }
    }
}

#[test]
fn a_budget_changes_memory_and_not_the_gradient() {
    let many = Many::new();
    for layers in 1..=many.golden.vision.depth() {
        let (tower, prompts) = (&many.golden.vision, many.prompts(layers));
        let want = assert_budgets_do_not_matter(|budget| {
            let (mut results, tape) = tower.forward(&many.images, many.n, &prompts.into(), budget);
            let (chunks, bytes) = ([tape.chunks(), tape.kept_chunks()], tape.bytes());
            results.extend(tower.backward(tape, &many.d_features).prompts);
            (chunks, bytes, results)
        });
        let want = want.split_at(many.d_features.len());

        let few = MemoryBudget::new(1);
        let (_, tape) = tower.forward(&many.images, many.n, &prompts.into(), few);
        assert_eq!((tape.chunks(), tape.kept_chunks()), (many.n, 0));
        let got = many.gradient(layers, few);
        assert_close("features of one image at a time", &got.0, want.0, 2e-6);
        assert_close("gradient of one image at a time", &got.1, want.1, 2e-6);
    }
}

#[test]
fn threads_change_no_bit() {
    let many = Many::new();
    for layers in [1, 2, many.golden.vision.depth()] {
        assert_threads_do_not_matter(|| {
            let (mut features, d) = many.gradient(layers, MemoryBudget::default());
            features.extend(d);
            features
        });
    }
}

#[test]
fn features_alone_are_those_of_forward() {
    let many = Many::new();
    let prompts = many.prompts(2);
    let features = many
        .golden
        .vision
        .features(&many.images, many.n, &prompts.into());
    assert_eq!(
        bits(&features),
        bits(&many.gradient(2, MemoryBudget::default()).0)
    );
}

#[test]
fn without_prompts_there_is_no_gradient() {
    let many = Many::new();
    let (features, d) = many.gradient(0, MemoryBudget::default());
    assert!(d.is_empty());
    assert_eq!(
        features,
        many.golden
            .vision
            .features(&many.images, many.n, &TowerAdaptation::NONE)
    );
}

#[test]
fn what_is_projected_later_has_the_same_features_whatever_the_groups() {
    for model in MODELS {
        let golden = Golden::load(model);
        let (tower, pixels) = (&golden.vision, golden.get("pixels"));
        let own = tower.projection();
        let doubled: Vec<f32> = own.iter().map(|v| 2.0 * v).collect();
        for projection in [None, Some(&own[..]), Some(&doubled[..])] {
            let adaptation = TowerAdaptation {
                projection,
                ..TowerAdaptation::NONE
            };
            let rows = tower.unprojected(pixels, 3, &adaptation);
            assert_eq!(rows.len(), 3 * tower.width());
            let features = tower.features(pixels, 3, &adaptation);
            assert!(tower.project(&rows, projection) == features, "{model}");
            let (first, rest) = rows.split_at(tower.width());
            let apart = [first, rest].map(|rows| tower.project(rows, projection));
            assert_close(model, &apart.concat(), &features, 1e-6);
        }
        // Twice the tower's own projection gives features twice as long, to the bit.
        let rows = tower.unprojected(pixels, 3, &TowerAdaptation::NONE);
        let [once, twice] = [&own, &doubled].map(|other| tower.project(&rows, Some(other)));
        assert!(
            once.iter().zip(&twice).all(|(a, b)| 2.0 * a == *b),
            "{model}"
        );
        assert_close(model, &once, &tower.project(&rows, None), 1e-5);
    }
}

#[test]
fn no_images_have_no_features_and_a_gradient_of_zero() {
    let golden = Golden::load("quick-gelu");
    assert!(
        golden
            .vision
            .features(&[], 0, &TowerAdaptation::NONE)
            .is_empty()
    );
    let case = prompts(&golden, "image.1.after");
    let (features, d) = gradient(&golden.vision, &[], 0, &case, &[], MemoryBudget::default());
    assert!(features.is_empty() && d.len() == case.values.len() && d.iter().all(|d| *d == 0.0));
}
