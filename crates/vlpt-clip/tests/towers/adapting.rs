//! Adapted towers against themselves: updates of zero, dropout, budgets, threads, finite differences.

use vlpt_clip::{
    Dropout, LayerName, MemoryBudget, Precision, PromptRows, PromptToken, TextPlanOptions,
    TowerAdaptation, TowerGradients, Update, UpdateGradient, UpdateKind,
};

use crate::golden::{Golden, MODELS};
use crate::text::many_classes;
use crate::{
    assert_budgets_do_not_matter, assert_close, assert_gradient, assert_threads_do_not_matter,
    bits, dot, random,
};

const LAYERS: [LayerName; 6] = [
    LayerName::Q,
    LayerName::K,
    LayerName::V,
    LayerName::Out,
    LayerName::Fc1,
    LayerName::Fc2,
];

const RANK: usize = 2;

/// Low-rank updates of all layers of the blocks from one on, of a tower of these sizes.
struct LowRanks {
    values: Vec<(usize, LayerName, Vec<f32>, Vec<f32>)>,
    dropout: Option<Dropout>,
}

impl LowRanks {
    fn new(from: usize, depth: usize, (width, mlp): (usize, usize), size: f32) -> Self {
        let mut values = Vec::new();
        for block in from..depth {
            for layer in LAYERS {
                let (inputs, outputs) = match layer {
                    LayerName::Fc1 => (width, mlp),
                    LayerName::Fc2 => (mlp, width),
                    _ => (width, width),
                };
                let seed = 100 * block as u64 + layer as u64;
                let scaled = |x: Vec<f32>, by: f32| x.iter().map(|x| x * by).collect();
                let a = scaled(random(seed, RANK * inputs), 0.4);
                let b = scaled(random(seed + 50, outputs * RANK), size);
                values.push((block, layer, a, b));
            }
        }
        let dropout = None;
        Self { values, dropout }
    }

    fn with_dropout(mut self, seed: u64) -> Self {
        self.dropout = Some(Dropout { rate: 0.25, seed });
        self
    }

    fn updates(&self) -> Vec<Update<'_>> {
        self.values
            .iter()
            .map(|(block, layer, a, b)| Update {
                block: *block,
                layer: *layer,
                kind: UpdateKind::LowRank {
                    a,
                    b,
                    scale: 0.7,
                    dropout: self.dropout,
                },
            })
            .collect()
    }
}

/// All numbers of gradients.
fn flat(gradients: TowerGradients) -> Vec<f32> {
    let mut all = gradients.prompts;
    for gradient in gradients.updates {
        let (first, second) = match gradient {
            UpdateGradient::LowRank { a, b } => (a, b),
            UpdateGradient::ScaleShift { scale, shift } => (scale, shift),
        };
        all.extend(first);
        all.extend(second);
    }
    all.extend(gradients.projection.unwrap_or_default());
    all
}

fn mlp(model: &str) -> [usize; 2] {
    match model {
        "quick-gelu" => [30, 24],
        "gelu" => [20, 20],
        _ => [30, 20],
    }
}

fn text_ranks(model: &str, golden: &Golden, from: usize, size: f32) -> LowRanks {
    let tower = &golden.text;
    let [mlp, _] = mlp(model);
    LowRanks::new(from, tower.depth(), (tower.width(), mlp), size)
}

fn image_ranks(model: &str, golden: &Golden, from: usize, size: f32) -> LowRanks {
    let tower = &golden.vision;
    let [_, mlp] = mlp(model);
    LowRanks::new(from, tower.depth(), (tower.width(), mlp), size)
}

fn with_updates<'a>(updates: &'a [Update<'a>]) -> TowerAdaptation<'a> {
    TowerAdaptation {
        updates,
        ..TowerAdaptation::NONE
    }
}

/// Low-rank updates with `B` of zeros under dropout, and scale 1 and shift 0 of the same layers and of
/// all norms.
struct Identities {
    depth: usize,
    width: usize,
    ranks: LowRanks,
    ones: Vec<f32>,
    zeros: Vec<f32>,
}

impl Identities {
    fn new(depth: usize, (width, mlp): (usize, usize)) -> Self {
        let most = mlp.max(width);
        Self {
            depth,
            width,
            ranks: LowRanks::new(0, depth, (width, mlp), 0.0).with_dropout(3),
            ones: vec![1.0; most],
            zeros: vec![0.0; most],
        }
    }

    fn updates(&self) -> Vec<Update<'_>> {
        let mut updates = self.ranks.updates();
        let mut add = |block, layer, outputs| {
            updates.push(Update {
                block,
                layer,
                kind: UpdateKind::ScaleShift {
                    scale: &self.ones[..outputs],
                    shift: &self.zeros[..outputs],
                },
            });
        };
        for (block, layer, _, b) in &self.ranks.values {
            add(*block, *layer, b.len() / RANK);
        }
        for block in 0..self.depth {
            add(block, LayerName::Ln1, self.width);
            add(block, LayerName::Ln2, self.width);
        }
        add(self.depth, LayerName::LnFinal, self.width);
        updates
    }
}

#[test]
fn updates_that_change_nothing_leave_every_bit() {
    for model in MODELS {
        for precision in [Precision::F32, Precision::Bf16] {
            let golden = Golden::load_as(model, precision);
            let [text_mlp, image_mlp] = mlp(model);
            let classes: Vec<Vec<PromptToken>> = many_classes(&golden, 30)
                .into_iter()
                .map(|text| {
                    let word = |slot: &PromptToken| matches!(slot, PromptToken::Token(_));
                    text.into_iter().filter(word).collect()
                })
                .collect();
            let tower = &golden.text;
            let identities = Identities::new(tower.depth(), (tower.width(), text_mlp));
            let updates = identities.updates();
            let features = golden.text.features(&classes, &with_updates(&updates));
            let plain = golden.text.features(&classes, &TowerAdaptation::NONE);
            assert_eq!(bits(&features), bits(&plain), "{model} {precision:?} text");

            let tower = &golden.vision;
            let identities = Identities::new(tower.depth(), (tower.width(), image_mlp));
            let mut updates = identities.updates();
            updates.push(Update {
                block: 0,
                layer: LayerName::LnPre,
                kind: UpdateKind::ScaleShift {
                    scale: &identities.ones[..identities.width],
                    shift: &identities.zeros[..identities.width],
                },
            });
            let pixels = golden.get("pixels");
            let features = golden.vision.features(pixels, 3, &with_updates(&updates));
            let plain = golden.vision.features(pixels, 3, &TowerAdaptation::NONE);
            assert_eq!(bits(&features), bits(&plain), "{model} {precision:?} image");
        }
    }
}

#[test]
fn gradients_under_dropout_are_finite_differences() {
    for model in MODELS {
        let golden = Golden::load(model);
        let (tower, pixels) = (&golden.vision, golden.get("pixels"));
        let d_features = random(3, 3 * tower.embed_dim());
        let ranks = image_ranks(model, &golden, 0, 0.4).with_dropout(9);
        let updates = ranks.updates();
        let adaptation = with_updates(&updates);
        let (_, tape) = tower.forward(pixels, 3, &adaptation, MemoryBudget::default());
        let gradients = tower.backward(tape, &d_features);
        for (i, (_, layer, a, b)) in ranks.values.iter().enumerate() {
            let UpdateGradient::LowRank { a: d_a, b: d_b } = &gradients.updates[i] else {
                panic!("a gradient of another kind");
            };
            let loss = |a: &[f32], b: &[f32]| {
                let mut moved = ranks.updates();
                moved[i].kind = UpdateKind::LowRank {
                    a,
                    b,
                    scale: 0.7,
                    dropout: ranks.dropout,
                };
                dot(
                    &tower.features(pixels, 3, &with_updates(&moved)),
                    &d_features,
                )
            };
            assert_gradient(&format!("{model} {layer:?} A"), a, d_a, |a| loss(a, b));
            assert_gradient(&format!("{model} {layer:?} B"), b, d_b, |b| loss(a, b));
        }
    }
}

/// Many images under updates with dropout and under prompts.
struct Images {
    golden: Golden,
    n: usize,
    pixels: Vec<f32>,
    values: Vec<f32>,
    d_features: Vec<f32>,
}

impl Images {
    fn new() -> Self {
        let golden = Golden::load("quick-gelu");
        let n = 400;
        Self {
            n,
            pixels: random(1, n * golden.get("pixels").len() / 3),
            values: random(2, n * 2 * 3 * golden.vision.width()),
            d_features: random(3, n * golden.vision.embed_dim()),
            golden,
        }
    }

    /// Rows of the second and third block; each image's own, or those of the first.
    fn prompts(&self, per_image: bool) -> PromptRows<'_> {
        let (first, blocks, rows) = (1, 2, 3);
        let size = blocks * rows * self.golden.vision.width();
        PromptRows {
            values: &self.values[..if per_image { self.n * size } else { size }],
            first,
            blocks,
            rows,
            per_image,
            ..PromptRows::NONE
        }
    }

    fn pass(
        &self,
        adaptation: &TowerAdaptation,
        budget: MemoryBudget,
    ) -> ([usize; 2], usize, Vec<f32>) {
        let tower = &self.golden.vision;
        let (mut results, tape) = tower.forward(&self.pixels, self.n, adaptation, budget);
        let (chunks, bytes) = ([tape.chunks(), tape.kept_chunks()], tape.bytes());
        results.extend(flat(tower.backward(tape, &self.d_features)));
        (chunks, bytes, results)
    }
}

#[test]
fn neither_a_budget_nor_threads_change_adapted_images() {
    let images = Images::new();
    let ranks = image_ranks("quick-gelu", &images.golden, 0, 0.4).with_dropout(4);
    let updates = ranks.updates();
    for per_image in [false, true] {
        for updates in [&[][..], &updates] {
            let adaptation = TowerAdaptation {
                prompts: images.prompts(per_image),
                updates,
                ..TowerAdaptation::NONE
            };
            let want = assert_budgets_do_not_matter(|budget| images.pass(&adaptation, budget));
            let (.., got) = images.pass(&adaptation, MemoryBudget::new(1));
            let n = images.d_features.len();
            assert_close("one image at a time", &got[..n], &want[..n], 2e-6);
            assert_close("gradients of that", &got[n..], &want[n..], 1e-5);
        }
    }
    let adaptation = TowerAdaptation {
        prompts: images.prompts(true),
        updates: &updates,
        ..TowerAdaptation::NONE
    };
    assert_threads_do_not_matter(|| images.pass(&adaptation, MemoryBudget::default()).2);
}

#[test]
fn a_batch_in_parts_drops_what_it_drops_as_a_whole() {
    let golden = Golden::load("gelu");
    let ranks = image_ranks("gelu", &golden, 1, 0.4).with_dropout(4);
    let (updates, tower, pixels) = (ranks.updates(), &golden.vision, golden.get("pixels"));
    let adaptation = with_updates(&updates);
    let whole = tower.features(pixels, 3, &adaptation);
    let (one, embed) = (pixels.len() / 3, tower.embed_dim());
    for image in 0..3 {
        let part = TowerAdaptation {
            first_image: image,
            ..adaptation
        };
        let alone = tower.features(&pixels[image * one..][..one], 1, &part);
        assert_close("alone", &alone, &whole[image * embed..][..embed], 2e-6);
    }
    let same = tower.features(&pixels[one..][..one], 1, &adaptation);
    assert_ne!(same, whole[embed..2 * embed], "the first image's mask");
    let other = image_ranks("gelu", &golden, 1, 0.4).with_dropout(5);
    let other = tower.features(pixels, 3, &with_updates(&other.updates()));
    assert_ne!(other, whole, "another seed");
}

#[test]
fn gradients_of_a_batch_in_parts_sum_to_those_of_the_whole() {
    let golden = Golden::load("gelu");
    let (tower, pixels) = (&golden.vision, golden.get("pixels"));
    let ranks = image_ranks("gelu", &golden, 0, 0.4).with_dropout(4);
    let updates = ranks.updates();
    let values = random(1, 3 * tower.width());
    let projection = random(2, tower.width() * tower.embed_dim());
    let whole = TowerAdaptation {
        prompts: PromptRows::shallow(&values, tower.width()),
        updates: &updates,
        projection: Some(&projection),
        first_image: 0,
    };
    let (one, embed) = (pixels.len() / 3, tower.embed_dim());
    let d_features = random(3, 3 * embed);
    let gradients = |first: usize, n: usize| {
        let part = TowerAdaptation {
            first_image: first,
            ..whole
        };
        let images = &pixels[first * one..][..n * one];
        let (_, tape) = tower.forward(images, n, &part, MemoryBudget::default());
        tower.backward(tape, &d_features[first * embed..][..n * embed])
    };
    let mut sum = gradients(0, 1);
    sum.add(&gradients(1, 2));
    assert_close("sum", &flat(sum), &flat(gradients(0, 3)), 1e-5);
}

#[test]
fn neither_a_budget_nor_threads_change_adapted_texts() {
    let golden = Golden::load("gelu");
    let tower = &golden.text;
    let texts = many_classes(&golden, 700);
    let d_features = random(2, texts.len() * tower.embed_dim());
    let ranks = text_ranks("gelu", &golden, 1, 0.4).with_dropout(4);
    let updates = ranks.updates();
    let values = random(1, 3 * 5 * tower.width());
    for (first, blocks) in [(0, 3), (1, 2), (2, 1)] {
        for updates in [&[][..], &updates] {
            let adaptation = TowerAdaptation {
                prompts: PromptRows {
                    values: &values[..blocks * 5 * tower.width()],
                    first,
                    blocks,
                    rows: 5,
                    ..PromptRows::NONE
                },
                updates,
                ..TowerAdaptation::NONE
            };
            let pass = |budget| {
                let plan = tower.plan(&texts, TextPlanOptions::from(&adaptation), budget);
                let (mut results, tape) = tower.forward(&plan, &adaptation);
                let bytes = tape.bytes();
                results.extend(flat(tower.backward(&plan, tape, &d_features)));
                ([plan.chunks(), plan.kept_chunks()], bytes, results)
            };
            let want = assert_budgets_do_not_matter(pass);
            let (.., got) = pass(MemoryBudget::new(1));
            let n = d_features.len();
            assert_close("one text at a time", &got[..n], &want[..n], 2e-6);
            assert_close("gradients of that", &got[n..], &want[n..], 1e-5);
            let alone = tower.features(&texts, &adaptation);
            assert_eq!(bits(&alone), bits(&want[..n]), "features alone");
            assert_threads_do_not_matter(|| pass(MemoryBudget::default()).2);
        }
    }
}

#[test]
fn what_is_before_the_first_learned_block_is_in_the_plan_alone() {
    let golden = Golden::load("gelu");
    let tower = &golden.text;
    let texts = many_classes(&golden, 100);
    let values = random(1, 5 * tower.width());
    let bytes = |first| {
        let prompts = PromptRows {
            first,
            ..PromptRows::shallow(&values, tower.width())
        };
        let adaptation = prompts.into();
        let plan = tower.plan(
            &texts,
            TextPlanOptions::from(&adaptation),
            MemoryBudget::default(),
        );
        let (_, tape) = tower.forward(&plan, &adaptation);
        (plan.bytes(), tape.bytes())
    };
    let of_block = |first| bytes(first).1;
    assert!(of_block(1) < of_block(0) && of_block(2) < of_block(1));
    assert!(bytes(1).0 > bytes(0).0, "the plan holds the words");
}

#[test]
#[should_panic(expected = "where the plan is for")]
fn a_plan_for_other_blocks_is_refused() {
    let golden = Golden::load("gelu");
    let values = random(1, 2 * 5 * golden.text.width());
    let prompts = PromptRows {
        blocks: 2,
        rows: 5,
        ..PromptRows::shallow(&values, golden.text.width())
    };
    let plan = golden.text.plan(
        &many_classes(&golden, 3),
        TextPlanOptions::default(),
        MemoryBudget::default(),
    );
    golden.text.forward(&plan, &prompts.into());
}
