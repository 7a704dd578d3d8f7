use vlpt_clip::{
    MemoryBudget, Precision, PrefixTree, PromptRows, PromptToken, TextPlanOptions, TextTower,
    TowerAdaptation,
};

use crate::golden::{Golden, MODELS};
use crate::{
    assert_budgets_do_not_matter, assert_close, assert_gradient, assert_threads_do_not_matter,
    bits, dot, random,
};

fn gradient(
    tower: &TextTower,
    texts: &[Vec<PromptToken>],
    prompts: &[f32],
    d_features: &[f32],
    budget: MemoryBudget,
) -> (Vec<f32>, Vec<f32>) {
    let plan = tower.plan(texts, TextPlanOptions::default(), budget);
    let (features, tape) = tower.forward(&plan, &shallow(tower, prompts));
    (features, tower.backward(&plan, tape, d_features).prompts)
}

/// Rows at the input of the first block.
fn shallow<'a>(tower: &TextTower, prompts: &'a [f32]) -> TowerAdaptation<'a> {
    PromptRows::shallow(prompts, tower.width()).into()
}

/// CoOp on many classes: a shared context of 5, names of 1 to 3 tokens, one text without context.
pub(crate) fn many_classes(golden: &Golden, classes: u32) -> Vec<Vec<PromptToken>> {
    let (start, end) = (golden.vocab - 2, golden.vocab - 1);
    let text = |class: u32| {
        let name = [class % 59, class / 7 % 53, class / 3 % 31];
        let name = name
            .into_iter()
            .take(1 + class as usize % 3)
            .map(PromptToken::Token);
        let context = (0..5).filter(|_| class != 7).map(PromptToken::Learned);
        let start = std::iter::once(PromptToken::Token(start));
        start
            .chain(context)
            .chain(name)
            .chain([PromptToken::Token(end)])
            .collect()
    };
    (0..classes).map(text).collect()
}

#[test]
fn features_equal_those_of_transformers_on_padded_texts() {
    for model in MODELS {
        let golden = Golden::load(model);
        for case in golden.text_cases() {
            let prompts = golden.get(&format!("{case}.prompts"));
            let features = {
                let prompts = shallow(&golden.text, prompts);
                golden.text.features(golden.texts(case), &prompts)
            };
            let want = golden.get(&format!("{case}.features"));
            assert_close(&format!("{model} {case}"), &features, want, 1e-5);
        }
    }
}

#[test]
fn gradients_equal_those_of_pytorch_for_every_class_position() {
    for model in MODELS {
        let golden = Golden::load(model);
        for case in golden.text_cases() {
            let prompts = golden.get(&format!("{case}.prompts"));
            let d_features = golden.get(&format!("{case}.d_features"));
            let texts = golden.texts(case);
            let (features, d_prompts) = gradient(
                &golden.text,
                texts,
                prompts,
                d_features,
                MemoryBudget::default(),
            );
            let want = golden.get(&format!("{case}.features"));
            assert_close(&format!("{model} {case} features"), &features, want, 1e-5);
            let want = golden.get(&format!("{case}.d_prompts"));
            assert_close(&format!("{model} {case} gradient"), &d_prompts, want, 2e-5);
        }
    }
}

#[test]
fn gradients_are_finite_differences() {
    for model in MODELS {
        let golden = Golden::load(model);
        for case in ["text.front.specific", "text.mixed"] {
            let (texts, tower) = (golden.texts(case), &golden.text);
            let prompts = golden.get(&format!("{case}.prompts"));
            let weight = golden.get(&format!("{case}.d_features"));
            let (_, d) = gradient(tower, texts, prompts, weight, MemoryBudget::default());
            let loss =
                |prompts: &[f32]| dot(&tower.features(texts, &shallow(tower, prompts)), weight);
            assert_gradient(&format!("{model} {case}"), prompts, &d, loss);
        }
    }
}

#[test]
fn a_feature_does_not_depend_on_the_texts_beside_it() {
    let golden = Golden::load("gelu");
    let texts = many_classes(&golden, 30);
    let prompts = random(1, 5 * golden.text.width());
    let prompts = shallow(&golden.text, &prompts);
    let together = golden.text.features(&texts, &prompts);
    for (text, feature) in texts.iter().zip(together.chunks(golden.text.embed_dim())) {
        let alone = golden.text.features(std::slice::from_ref(text), &prompts);
        assert_close("alone", &alone, feature, 2e-6);
    }
}

#[test]
fn a_budget_changes_memory_and_not_the_gradient() {
    let golden = Golden::load("quick-gelu");
    let tower = &golden.text;
    let texts = many_classes(&golden, 1200);
    assert!(PrefixTree::new(&texts).nodes() > 2000);
    let prompts = random(1, 5 * tower.width());
    let d_features = random(2, texts.len() * tower.embed_dim());
    let want = assert_budgets_do_not_matter(|budget| {
        let plan = tower.plan(&texts, TextPlanOptions::default(), budget);
        let (mut results, tape) = tower.forward(&plan, &shallow(tower, &prompts));
        let bytes = tape.bytes();
        results.extend(tower.backward(&plan, tape, &d_features).prompts);
        ([plan.chunks(), plan.kept_chunks()], bytes, results)
    });
    let want = want.split_at(d_features.len());

    let few = MemoryBudget::new(1);
    assert_eq!(
        tower.plan(&texts, TextPlanOptions::default(), few).chunks(),
        texts.len(),
        "one text at a time"
    );
    let got = gradient(tower, &texts, &prompts, &d_features, few);
    assert_close("features of one text at a time", &got.0, want.0, 2e-6);
    assert_close("gradient of one text at a time", &got.1, want.1, 2e-6);
}

#[test]
fn passes_that_share_a_budget_have_the_chunks_of_one_pass() {
    let golden = Golden::load("quick-gelu");
    let texts = many_classes(&golden, 1200);
    let plan = |budget| {
        let plan = golden.text.plan(&texts, TextPlanOptions::default(), budget);
        (plan.chunks(), plan.kept_chunks())
    };
    let (chunks, kept) = plan(MemoryBudget::default());
    assert!(kept == chunks && chunks > 2);
    let large = MemoryBudget::new(1 << 40);
    assert_eq!(
        plan(large),
        (chunks, kept),
        "more memory makes no larger chunks"
    );
    let (cut, kept) = plan(MemoryBudget::default().shared(1 << 20));
    assert_eq!(
        (cut, kept),
        (chunks, 0),
        "less keeps less, and cuts no finer"
    );
}

#[test]
fn a_budget_cuts_bf16_texts_no_finer_than_f32() {
    let chunks = |precision, bytes| {
        let golden = Golden::load_as("quick-gelu", precision);
        let texts = many_classes(&golden, 600);
        let options = TextPlanOptions::default();
        let plan = golden.text.plan(&texts, options, MemoryBudget::new(bytes));
        plan.chunks()
    };
    let whole = chunks(Precision::F32, usize::MAX);
    let bytes = (10..40)
        .map(|i| 1 << i)
        .find(|&bytes| chunks(Precision::F32, bytes) == whole);
    assert_eq!(chunks(Precision::Bf16, bytes.unwrap()), whole);
}

#[test]
fn threads_change_no_bit() {
    let golden = Golden::load("gelu");
    let texts = many_classes(&golden, 500);
    let prompts = random(1, 5 * golden.text.width());
    let d_features = random(2, texts.len() * golden.text.embed_dim());
    assert_threads_do_not_matter(|| {
        let budget = MemoryBudget::default();
        let (mut features, d) = gradient(&golden.text, &texts, &prompts, &d_features, budget);
        features.extend(d);
        features
    });
}

#[test]
fn features_alone_are_those_of_forward() {
    let golden = Golden::load("quick-gelu");
    let texts = many_classes(&golden, 700);
    let prompts = random(1, 5 * golden.text.width());
    let plan = golden
        .text
        .plan(&texts, TextPlanOptions::default(), MemoryBudget::default());
    let (features, _) = golden.text.forward(&plan, &shallow(&golden.text, &prompts));
    assert_eq!(
        bits(&features),
        bits(
            &golden
                .text
                .features(&texts, &shallow(&golden.text, &prompts))
        )
    );
}

#[test]
fn texts_without_learned_slots_are_computed_with_the_plan() {
    let golden = Golden::load("quick-gelu");
    let texts = [vec![
        PromptToken::Token(62),
        PromptToken::Token(5),
        PromptToken::Token(63),
    ]];
    let plan = golden
        .text
        .plan(&texts, TextPlanOptions::default(), MemoryBudget::default());
    let (features, tape) = golden.text.forward(&plan, &TowerAdaptation::NONE);
    assert_eq!(
        features,
        golden.text.features(&texts, &TowerAdaptation::NONE)
    );
    let d_prompts = golden
        .text
        .backward(&plan, tape, &vec![1.0; features.len()]);
    assert!(d_prompts.prompts.is_empty());
}

#[test]
fn token_embeddings_are_rows_of_the_table() {
    let golden = Golden::load("one-block");
    let rows = golden.text.token_embeddings(&[3, 4, 3]);
    let width = golden.text.width();
    assert_eq!(rows.len(), 3 * width);
    assert_eq!(rows[..width], rows[2 * width..]);
    assert_ne!(rows[..width], rows[width..2 * width]);
}

#[test]
fn no_texts_have_no_features() {
    let golden = Golden::load("one-block");
    assert!(golden.text.features(&[], &TowerAdaptation::NONE).is_empty());
    let plan = golden
        .text
        .plan(&[], TextPlanOptions::default(), MemoryBudget::default());
    let (features, tape) = golden
        .text
        .forward(&plan, &shallow(&golden.text, &[0.0; 10]));
    assert!(features.is_empty());
    assert_eq!(golden.text.backward(&plan, tape, &[]).prompts, [0.0; 10]);
}
