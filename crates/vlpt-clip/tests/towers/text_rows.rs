//! Rows of each text's own at a later block of the text tower.

use vlpt_clip::{
    MemoryBudget, PromptRows, PromptToken, TextPlanOptions, TextRows, TextRowsAt, TextTower,
    TowerAdaptation, TowerGradients,
};

use crate::golden::Golden;
use crate::text::many_classes;
use crate::{
    assert_budgets_do_not_matter, assert_close, assert_gradient, assert_threads_do_not_matter,
    bits, dot, random,
};

/// Rows of a text in the texts of [`many_classes`].
const ROWS: usize = 5;

/// A shared context at the first block, and rows of each text's own.
struct Rows {
    shared: Vec<f32>,
    own: Vec<f32>,
    block: usize,
}

impl Rows {
    fn new(tower: &TextTower, texts: usize, block: usize) -> Self {
        Self {
            shared: random(1, ROWS * tower.width()),
            own: random(3, texts * ROWS * tower.width()),
            block,
        }
    }

    fn adaptation(&self, tower: &TextTower) -> TowerAdaptation<'_> {
        TowerAdaptation {
            prompts: PromptRows::shallow(&self.shared, tower.width()),
            text_rows: Some(TextRows {
                values: &self.own,
                at: TextRowsAt {
                    block: self.block,
                    rows: ROWS,
                },
            }),
            ..TowerAdaptation::NONE
        }
    }
}

fn pass(
    tower: &TextTower,
    texts: &[Vec<PromptToken>],
    adaptation: &TowerAdaptation,
    d_features: &[f32],
) -> (Vec<f32>, TowerGradients) {
    let options = TextPlanOptions::from(adaptation);
    let plan = tower.plan(texts, options, MemoryBudget::default());
    let (features, tape) = tower.forward(&plan, adaptation);
    (features, tower.backward(&plan, tape, d_features))
}

#[test]
fn they_are_what_prompts_of_two_blocks_are_text_by_text() {
    for model in ["quick-gelu", "gelu"] {
        let golden = Golden::load(model);
        let (tower, width) = (&golden.text, golden.text.width());
        let texts = many_classes(&golden, 40);
        let rows = Rows::new(tower, texts.len(), 1);
        let d_features = random(4, texts.len() * tower.embed_dim());
        let (features, d) = pass(tower, &texts, &rows.adaptation(tower), &d_features);
        let mut d_shared = vec![0.0; rows.shared.len()];
        for (i, text) in texts.iter().enumerate() {
            let own = &rows.own[i * ROWS * width..][..ROWS * width];
            let values = [&rows.shared, own].concat();
            let deep = TowerAdaptation::from(PromptRows {
                values: &values,
                blocks: 2,
                rows: ROWS,
                ..PromptRows::NONE
            });
            let of = |values: &[f32]| values[i * tower.embed_dim()..][..tower.embed_dim()].to_vec();
            let text = std::slice::from_ref(text);
            let (want, d_want) = pass(tower, text, &deep, &of(&d_features));
            assert_close(&format!("{model} text {i}"), &of(&features), &want, 2e-6);
            let d_own = &d.text_rows[i * ROWS * width..][..ROWS * width];
            let (shared, want) = d_want.prompts.split_at(ROWS * width);
            if i == 7 {
                // a text without a learned token
                assert!(d_own.iter().chain(want).all(|d| *d == 0.0));
                continue;
            }
            assert_close(&format!("{model} gradient {i}"), d_own, want, 5e-6);
            for (sum, d) in d_shared.iter_mut().zip(shared) {
                *sum += d;
            }
        }
        assert_close("gradient of what is shared", &d.prompts, &d_shared, 5e-6);
    }
}

#[test]
fn gradients_are_finite_differences_at_every_block() {
    let golden = Golden::load("gelu");
    let tower = &golden.text;
    assert!(tower.depth() > 2);
    let texts = many_classes(&golden, 12);
    let weight = random(4, texts.len() * tower.embed_dim());
    for block in 1..tower.depth() {
        let rows = Rows::new(tower, texts.len(), block);
        let (_, d) = pass(tower, &texts, &rows.adaptation(tower), &weight);
        let loss = |shared: &[f32], own: &[f32]| {
            let moved = Rows {
                shared: shared.to_vec(),
                own: own.to_vec(),
                block,
            };
            dot(&tower.features(&texts, &moved.adaptation(tower)), &weight)
        };
        let what = format!("shared, {block}");
        assert_gradient(&what, &rows.shared, &d.prompts, |x| loss(x, &rows.own));
        let what = format!("own, {block}");
        assert_gradient(&what, &rows.own, &d.text_rows, |x| loss(&rows.shared, x));
    }
}

#[test]
fn neither_budgets_nor_threads_nor_the_texts_beside_it_matter() {
    let golden = Golden::load("gelu");
    let (tower, width) = (&golden.text, golden.text.width());
    let texts = many_classes(&golden, 500);
    let rows = Rows::new(tower, texts.len(), 2);
    let adaptation = rows.adaptation(tower);
    let d_features = random(2, texts.len() * tower.embed_dim());
    let want = assert_budgets_do_not_matter(|budget| {
        let plan = tower.plan(&texts, TextPlanOptions::from(&adaptation), budget);
        let (mut results, tape) = tower.forward(&plan, &adaptation);
        let bytes = tape.bytes();
        let d = tower.backward(&plan, tape, &d_features);
        results.extend([d.prompts, d.text_rows].concat());
        ([plan.chunks(), plan.kept_chunks()], bytes, results)
    });
    let (features, _) = want.split_at(d_features.len());
    assert_eq!(bits(&tower.features(&texts, &adaptation)), bits(features));
    assert_threads_do_not_matter(|| {
        let (mut all, d) = pass(tower, &texts, &adaptation, &d_features);
        all.extend([d.prompts, d.text_rows].concat());
        all
    });
    for text in [0, 7, 401] {
        let alone = Rows {
            shared: rows.shared.clone(),
            own: rows.own[text * ROWS * width..][..ROWS * width].to_vec(),
            block: rows.block,
        };
        let feature = tower.features(&texts[text..=text], &alone.adaptation(tower));
        let among = &features[text * tower.embed_dim()..][..tower.embed_dim()];
        assert_close("alone", &feature, among, 2e-6);
    }
}

#[test]
fn texts_share_what_goes_on_before_the_block() {
    let golden = Golden::load("gelu");
    let tower = &golden.text;
    let texts = many_classes(&golden, 60);
    let bytes = |block: usize| {
        let rows = Rows::new(tower, texts.len(), block);
        let adaptation = rows.adaptation(tower);
        let options = TextPlanOptions::from(&adaptation);
        let plan = tower.plan(&texts, options, MemoryBudget::default());
        tower.forward(&plan, &adaptation).1.bytes()
    };
    assert!(bytes(2) < bytes(1), "{} {}", bytes(2), bytes(1));
}

#[test]
#[should_panic(expected = "rows of each text at block 0")]
fn they_cannot_enter_with_the_shared_rows() {
    let golden = Golden::load("gelu");
    let texts = many_classes(&golden, 2);
    let rows = Rows::new(&golden.text, texts.len(), 0);
    golden.text.features(&texts, &rows.adaptation(&golden.text));
}
