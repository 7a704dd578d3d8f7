//! bf16 towers against transformers and PyTorch in f32, and what a step allocates.

use vlpt_clip::{
    Clip, ImageTower, MemoryBudget, ModelFiles, Precision, PromptRows, PromptToken,
    TextPlanOptions, TextTower,
};

use crate::golden::{Golden, MODELS};
use crate::vision::prompts;
use crate::{assert_threads_do_not_matter, random};

/// Size of the difference over the size of what is wanted.
pub(crate) fn relative_error(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let size = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
    let difference = size(&mut got.iter().zip(want).map(|(a, b)| a - b));
    difference / size(&mut want.iter().copied()).max(1e-30)
}

#[track_caller]
fn assert_near(what: &str, (features, gradient): &(Vec<f32>, Vec<f32>), want: (&[f32], &[f32])) {
    let error = relative_error(features, want.0);
    assert!(error < 1e-2, "{what}: features {error} off");
    let error = relative_error(gradient, want.1);
    assert!(error < 2e-2, "{what}: gradient {error} off");
}

fn text_step(
    tower: &TextTower,
    texts: &[Vec<PromptToken>],
    prompts: &[f32],
    d: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let plan = tower.plan(texts, TextPlanOptions::default(), MemoryBudget::default());
    let prompts = PromptRows::shallow(prompts, tower.width());
    let (features, tape) = tower.forward(&plan, &prompts.into());
    (features, tower.backward(&plan, tape, d).prompts)
}

fn image_step(
    tower: &ImageTower,
    images: &[f32],
    n: usize,
    prompts: PromptRows,
    d: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let (features, tape) = tower.forward(images, n, &prompts.into(), MemoryBudget::default());
    (features, tower.backward(tape, d).prompts)
}

#[test]
fn features_and_gradients_are_those_of_pytorch_within_bf16() {
    for model in MODELS {
        let golden = Golden::load_as(model, Precision::Bf16);
        let get = |name: String| golden.get(&name);
        for case in golden.text_cases() {
            let d = get(format!("{case}.d_features"));
            let step = text_step(
                &golden.text,
                golden.texts(case),
                get(format!("{case}.prompts")),
                d,
            );
            let want = (
                get(format!("{case}.features")),
                get(format!("{case}.d_prompts")),
            );
            assert_near(&format!("{model} {case}"), &step, want);
        }
        for case in golden.image_cases() {
            let d = get(format!("{case}.d_features"));
            let step = image_step(
                &golden.vision,
                golden.get("pixels"),
                3,
                prompts(&golden, &case),
                d,
            );
            let want = (
                get(format!("{case}.features")),
                get(format!("{case}.d_prompts")),
            );
            assert_near(&format!("{model} {case}"), &step, want);
        }
    }
}

/// A CoOp step and a VPT-deep step on the trained model.
struct Steps {
    clip: Clip,
    texts: Vec<Vec<PromptToken>>,
    context: Vec<f32>,
    images: Vec<f32>,
    visual: Vec<f32>,
}

impl Steps {
    const IMAGES: usize = 20;
    const COUNT: usize = 4;

    fn new(precision: Precision) -> Self {
        let clip = Clip::load_as(&ModelFiles::mini(), precision).unwrap();
        let text = |class: u32| {
            let name = (0..=class % 3).map(|i| PromptToken::Token(300 + 31 * class + i));
            let start = [PromptToken::Token(clip.tokenizer.sot())].into_iter();
            let context = (0..8).map(PromptToken::Learned);
            let end = [PromptToken::Token(clip.tokenizer.eot())];
            start.chain(context).chain(name).chain(end).collect()
        };
        let side = clip.config.vision.image_size;
        Self {
            texts: (0..40).map(text).collect(),
            context: random(1, 8 * clip.text.width())
                .iter()
                .map(|x| 0.05 * x)
                .collect(),
            images: random(2, Self::IMAGES * 3 * side * side),
            visual: random(3, clip.vision.depth() * Self::COUNT * clip.vision.width()),
            clip,
        }
    }

    fn text(&self) -> (Vec<f32>, Vec<f32>) {
        let d = random(4, self.texts.len() * self.clip.text.embed_dim());
        text_step(&self.clip.text, &self.texts, &self.context, &d)
    }

    fn image(&self) -> (Vec<f32>, Vec<f32>) {
        let prompts = PromptRows {
            values: &self.visual,
            blocks: self.clip.vision.depth(),
            rows: Self::COUNT,
            ..PromptRows::NONE
        };
        let d = random(5, Self::IMAGES * self.clip.vision.embed_dim());
        image_step(&self.clip.vision, &self.images, Self::IMAGES, prompts, &d)
    }
}

#[test]
fn a_trained_model_keeps_its_features_and_gradients_in_bf16() {
    let (exact, rounded) = (Steps::new(Precision::F32), Steps::new(Precision::Bf16));
    let want = exact.text();
    assert_near("text", &rounded.text(), (&want.0, &want.1));
    let want = exact.image();
    assert_near("images", &rounded.image(), (&want.0, &want.1));
}

#[test]
fn threads_change_no_bit_in_bf16() {
    let steps = Steps::new(Precision::Bf16);
    assert_threads_do_not_matter(|| {
        let ((a, b), (c, d)) = (steps.text(), steps.image());
        [a, b, c, d].concat()
    });
}

#[test]
fn steps_soon_allocate_no_more_buffers() {
    for precision in [Precision::F32, Precision::Bf16] {
        let steps = Steps::new(precision);
        let made = || {
            (
                steps.clip.text.allocations(),
                steps.clip.vision.allocations(),
            )
        };
        // the first steps find out which buffers serve for what
        for _ in 0..3 {
            steps.text();
            steps.image();
        }
        let first = made();
        for _ in 0..3 {
            steps.text();
            steps.image();
        }
        assert!(first.0 > 0 && first.1 > 0);
        assert_eq!(made(), first, "{precision:?}");
    }
}
