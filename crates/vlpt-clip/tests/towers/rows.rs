//! Learned rows that are mixed with what became of those before, and that make a feature of their own:
//! against themselves.

use vlpt_clip::{
    MemoryBudget, PromptRows, TextPlanOptions, TowerAdaptation, TowerGradients, VisualPlace,
};

use crate::golden::{Golden, MODELS};
use crate::text::many_classes;
use crate::{
    assert_budgets_do_not_matter, assert_close, assert_gradient, assert_threads_do_not_matter,
    bits, dot, random,
};

/// Rows of a tower from a block on, and a projection of what becomes of them.
struct Rows {
    values: Vec<f32>,
    projection: Vec<f32>,
    first: usize,
    blocks: usize,
    carry: f32,
}

const ROWS: usize = 3;

impl Rows {
    fn new(width: usize, embed: usize, (first, blocks): (usize, usize), carry: f32) -> Self {
        Self {
            values: random(2, blocks * ROWS * width),
            projection: random(5, width * embed),
            first,
            blocks,
            carry,
        }
    }

    fn rows<'a>(&self, values: &'a [f32]) -> PromptRows<'a> {
        PromptRows {
            values,
            first: self.first,
            blocks: self.blocks,
            rows: ROWS,
            place: VisualPlace::AfterLnPre,
            per_image: false,
            carry: self.carry,
        }
    }

    fn pooled<'a>(&self, values: &'a [f32], projection: &'a [f32]) -> TowerAdaptation<'a> {
        TowerAdaptation {
            prompts: self.rows(values),
            row_projection: Some(projection),
            ..TowerAdaptation::NONE
        }
    }
}

fn flat(gradients: TowerGradients) -> Vec<f32> {
    let mut all = gradients.prompts;
    all.extend(gradients.row_projection.unwrap_or_default());
    all
}

#[test]
fn gradients_of_pooled_and_mixed_rows_are_finite_differences() {
    for model in MODELS {
        let golden = Golden::load(model);
        let (tower, pixels) = (&golden.vision, golden.get("pixels"));
        let depth = tower.depth();
        let d_features = random(3, 3 * 2 * tower.embed_dim());
        for (first, carry) in [(0, 0.0), (0, 0.3), (depth / 2, 0.0), (depth / 2, 0.3)] {
            let rows = Rows::new(
                tower.width(),
                tower.embed_dim(),
                (first, depth - first),
                carry,
            );
            let loss = |values: &[f32], projection: &[f32]| {
                let features = tower.features(pixels, 3, &rows.pooled(values, projection));
                dot(&features, &d_features)
            };
            let adaptation = rows.pooled(&rows.values, &rows.projection);
            let (features, tape) = tower.forward(pixels, 3, &adaptation, MemoryBudget::default());
            assert_eq!(features.len(), d_features.len());
            let d = tower.backward(tape, &d_features);
            let what = format!("{model} from {first}, {carry}");
            assert_gradient(&format!("{what} rows"), &rows.values, &d.prompts, |v| {
                loss(v, &rows.projection)
            });
            let d_projection = d.row_projection.unwrap();
            let of = format!("{what} projection");
            assert_gradient(&of, &rows.projection, &d_projection, |p| {
                loss(&rows.values, p)
            });
        }
    }
}

#[test]
fn the_feature_of_a_class_token_does_not_depend_on_that_of_the_rows() {
    for model in MODELS {
        let golden = Golden::load(model);
        let (tower, pixels) = (&golden.vision, golden.get("pixels"));
        let (depth, embed) = (tower.depth(), tower.embed_dim());
        for carry in [0.0, 0.3] {
            let rows = Rows::new(tower.width(), embed, (0, depth), carry);
            let both = tower.features(pixels, 3, &rows.pooled(&rows.values, &rows.projection));
            let alone = tower.features(pixels, 3, &rows.rows(&rows.values).into());
            let own: Vec<f32> = both
                .chunks_exact(2 * embed)
                .flat_map(|both| both[..embed].to_vec())
                .collect();
            assert_close(model, &own, &alone, 2e-6);
        }
    }
}

#[test]
fn a_share_of_almost_nothing_is_near_none() {
    let golden = Golden::load("gelu");
    let (tower, pixels) = (&golden.vision, golden.get("pixels"));
    let features = |carry| {
        let rows = Rows::new(tower.width(), tower.embed_dim(), (0, tower.depth()), carry);
        tower.features(pixels, 3, &rows.rows(&rows.values).into())
    };
    let (replaced, mixed) = (features(0.0), features(0.5));
    assert_close("almost none", &features(1e-7), &replaced, 2e-5);
    assert!(
        replaced
            .iter()
            .zip(&mixed)
            .any(|(a, b)| (a - b).abs() > 1e-3)
    );
    let texts = many_classes(&golden, 30);
    let tower = &golden.text;
    let features = |carry| {
        let values = random(1, 2 * 5 * tower.width());
        let prompts = PromptRows {
            values: &values,
            first: 1,
            blocks: 2,
            rows: 5,
            carry,
            ..PromptRows::NONE
        };
        tower.features(&texts, &prompts.into())
    };
    let (replaced, mixed) = (features(0.0), features(0.5));
    assert_close("almost none", &features(1e-7), &replaced, 2e-5);
    assert!(
        replaced
            .iter()
            .zip(&mixed)
            .any(|(a, b)| (a - b).abs() > 1e-3)
    );
}

#[test]
fn neither_a_budget_nor_threads_change_pooled_and_mixed_rows() {
    let golden = Golden::load("quick-gelu");
    let (n, tower) = (400, &golden.vision);
    let pixels = random(1, n * golden.get("pixels").len() / 3);
    let d_features = random(3, n * 2 * tower.embed_dim());
    for carry in [0.0, 0.3] {
        let depth = tower.depth();
        let rows = Rows::new(tower.width(), tower.embed_dim(), (1, depth - 1), carry);
        let adaptation = rows.pooled(&rows.values, &rows.projection);
        let pass = |budget| {
            let (mut results, tape) = tower.forward(&pixels, n, &adaptation, budget);
            let (chunks, bytes) = ([tape.chunks(), tape.kept_chunks()], tape.bytes());
            results.extend(flat(tower.backward(tape, &d_features)));
            (chunks, bytes, results)
        };
        let want = assert_budgets_do_not_matter(pass);
        let alone = tower.features(&pixels, n, &adaptation);
        assert_eq!(
            bits(&alone),
            bits(&want[..d_features.len()]),
            "features alone"
        );
        assert_threads_do_not_matter(|| pass(MemoryBudget::default()).2);
    }
}

#[test]
fn neither_a_budget_nor_threads_change_mixed_rows_of_texts() {
    let golden = Golden::load("gelu");
    let tower = &golden.text;
    let texts = many_classes(&golden, 700);
    let d_features = random(2, texts.len() * tower.embed_dim());
    let values = random(1, 2 * 5 * tower.width());
    let adaptation = TowerAdaptation::from(PromptRows {
        values: &values,
        first: 1,
        blocks: 2,
        rows: 5,
        carry: 0.3,
        ..PromptRows::NONE
    });
    let options = TextPlanOptions::from(&adaptation);
    assert!(options.carries);
    let pass = |budget| {
        let plan = tower.plan(&texts, options, budget);
        let (mut results, tape) = tower.forward(&plan, &adaptation);
        let bytes = tape.bytes();
        results.extend(flat(tower.backward(&plan, tape, &d_features)));
        ([plan.chunks(), plan.kept_chunks()], bytes, results)
    };
    let want = assert_budgets_do_not_matter(pass);
    let alone = tower.features(&texts, &adaptation);
    assert_eq!(
        bits(&alone),
        bits(&want[..d_features.len()]),
        "features alone"
    );
    assert_threads_do_not_matter(|| pass(MemoryBudget::default()).2);
}

#[test]
fn the_projection_of_the_tower_is_its_own() {
    let golden = Golden::load("quick-gelu");
    let (tower, pixels) = (&golden.vision, golden.get("pixels"));
    let projection = tower.projection();
    let adaptation = TowerAdaptation {
        projection: Some(&projection),
        ..TowerAdaptation::NONE
    };
    let given = tower.features(pixels, 3, &adaptation);
    let own = tower.features(pixels, 3, &TowerAdaptation::NONE);
    assert_close("the same projection", &given, &own, 2e-6);
}

#[test]
#[should_panic(expected = "rows that are mixed, where the plan is for rows that are replaced")]
fn a_plan_for_replaced_rows_is_refused() {
    let golden = Golden::load("gelu");
    let values = random(1, 2 * 5 * golden.text.width());
    let mut prompts = PromptRows {
        values: &values,
        first: 1,
        blocks: 2,
        rows: 5,
        ..PromptRows::NONE
    };
    let options = TextPlanOptions::from(&TowerAdaptation::from(prompts));
    let texts = many_classes(&golden, 3);
    let plan = golden.text.plan(&texts, options, MemoryBudget::default());
    prompts.carry = 0.5;
    golden.text.forward(&plan, &prompts.into());
}

#[test]
#[should_panic(expected = "a projection of learned rows, where there are none")]
fn a_projection_of_no_rows_is_refused() {
    let golden = Golden::load("gelu");
    let tower = &golden.vision;
    let projection = tower.projection();
    let adaptation = TowerAdaptation {
        row_projection: Some(&projection),
        ..TowerAdaptation::NONE
    };
    tower.features(golden.get("pixels"), 3, &adaptation);
}
