//! Many tasks: what a mask hides is as if it were not there.

use vlpt_clip::Clip;
use vlpt_data::Sample;
use vlpt_methods::{CoOpConfig, MethodConfig, VptConfig};

use super::{Example, Given, formula_features, names, small, task};
use crate::{Mask, Mix};

const IMAGES: usize = 12;
const SETTINGS: &str = "[train]\nepochs = 10\nbatch_size = 6\nlr = 0.02\nloss = \"LOSS\"\n\
                        [compute]\ncheckpoint_seconds = 3600";

fn alone(loss: &str) -> Example {
    let mut example = Example::new(IMAGES, &SETTINGS.replace("LOSS", loss));
    for (i, item) in example.samples.iter_mut().enumerate() {
        item.labels = vec![i as u32 % 3];
    }
    example.classes = names(&["apple", "cup", "polar bear"]);
    example.tasks = vec![task(0..3, (0..IMAGES).collect())];
    example
}

/// The same images, their classes after two of another task without images, so that every batch
/// holds only theirs.
fn among_others(loss: &str, mask: Mask) -> Example {
    let mut example = alone(loss);
    let shifted = |item: &Sample| Sample {
        image: item.image.clone(),
        labels: item.labels.iter().map(|label| label + 2).collect(),
    };
    example.samples = example.samples.iter().map(shifted).collect();
    example.classes = names(&["school bus", "rose", "apple", "cup", "polar bear"]);
    example.tasks = vec![task(0..2, Vec::new()), task(2..5, (0..IMAGES).collect())];
    example.mask = mask;
    example
}

fn coop() -> CoOpConfig {
    CoOpConfig {
        context: Some(4),
        ..CoOpConfig::default()
    }
}

/// Losses and parameters of a training of text prompts on features by a formula.
fn trained(example: &Example, clip: &Clip) -> (Vec<f64>, Vec<f32>) {
    let given = Given::Features(formula_features(IMAGES, clip.config.embed_dim));
    trained_with(example, clip, &MethodConfig::from(coop()), given)
}

fn trained_with(
    example: &Example,
    clip: &Clip,
    method: &MethodConfig,
    given: Given,
) -> (Vec<f64>, Vec<f32>) {
    let method = example.method(clip, method);
    let (losses, parameters) = example.train(clip, method, given);
    (losses, parameters.into_values().flatten().collect())
}

#[test]
fn twenty_steps_among_other_tasks_at_minus_infinity_are_those_of_the_task_alone() {
    let clip = small();
    for loss in ["cross_entropy", "binary"] {
        let expected = trained(&alone(loss), &clip);
        assert_eq!(expected.0.len(), 20);
        let found = trained(&among_others(loss, Mask::PerTask), &clip);
        assert!(expected == found, "{loss}");
    }
}

#[test]
fn that_holds_for_visual_and_joint_prompts_too() {
    let clip = small();
    let vpt = VptConfig {
        count: 2,
        ..VptConfig::default()
    };
    let coop = coop();
    for method in [
        MethodConfig::from(vpt.clone()),
        MethodConfig::from((coop, vpt)),
    ] {
        let run =
            |example: &Example| trained_with(example, &clip, &method, Given::Decoded(usize::MAX));
        let expected = run(&alone("cross_entropy"));
        assert!(expected == run(&among_others("cross_entropy", Mask::PerTask)));
    }
}

#[test]
fn a_union_and_a_mask_of_zeros_are_other_trainings() {
    let clip = small();
    let first = |example: &Example| trained(example, &clip).0[0];
    let alone = first(&alone("cross_entropy"));
    let zero = first(&among_others("cross_entropy", Mask::Zero));
    let union = first(&among_others("cross_entropy", Mask::Union));
    assert!(zero > alone && union > alone, "{alone} {zero} {union}");
    assert!((zero - union).abs() > 1e-6);
}

#[test]
fn a_batch_of_two_tasks_has_the_mean_of_their_losses() {
    let clip = small();
    let mut both = alone("cross_entropy");
    both.config.train.batch_size = IMAGES;
    both.config.train.warmup_lr = 1e-9;
    both.classes = names(&["apple", "cup", "polar bear", "school bus", "rose"]);
    for (i, item) in both.samples.iter_mut().enumerate() {
        let label = if i % 2 == 0 { i / 2 % 3 } else { 3 + i / 2 % 2 };
        item.labels = vec![label as u32];
    }
    let (first, second) = (0..IMAGES).partition(|i| i % 2 == 0);
    both.tasks = vec![task(0..3, first), task(3..5, second)];
    both.mask = Mask::PerTask;
    let whole = trained(&both, &clip).0[0];
    both.mix = Mix::OneTaskPerBatch;
    // The first epoch is the warm-up, so small that its second step is at the parameters of its
    // first.
    let apart = trained(&both, &clip).0;
    let mean = f64::midpoint(apart[0], apart[1]);
    assert!((whole - mean).abs() < 1e-5, "{whole} {mean}");
    assert!((apart[0] - apart[1]).abs() > 1e-2, "tasks differ");
}
