//! Tuning helps: the loss falls, and the tuned prompt beats the zero-shot text.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod support;

use support::{Watch, options, synthetic_data, tiny_clip};
use vlpt_adapter::{Classifier, EvalOptions, PromptFolder, evaluate, preprocess};
use vlpt_clip::Clip;
use vlpt_data::synthetic;
use vlpt_data::{FewShotRule, Metric, Shots};
use vlpt_train::{Event, LossName, Run, RunConfig, Select, TrainingData, parse};

/// Mean loss of the first and the last epoch.
fn ends(watch: &Watch) -> (f64, f64) {
    let events = watch.events.lock().unwrap();
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Epoch(end) => Some(end.loss),
            _ => None,
        })
        .collect();
    (losses[0], losses[losses.len() - 1])
}

#[test]
fn a_tuned_prompt_beats_zero_shot_on_a_synthetic_task() {
    let home = tempfile::tempdir().unwrap();
    let clip = Clip::mini();
    let config: RunConfig = parse(
        "seed = 0\n[data]\npath = \"synthetic:shapes\"\n[coop]\nclass_specific = true\n\
         [train]\nepochs = 50",
        "test",
    )
    .unwrap();
    let data = synthetic_data(&config);
    let watch = Watch::default();
    Run::start_with(&config, &options(home.path()), &clip, &data, &watch).unwrap();
    let (first, last) = ends(&watch);
    assert!(last < 0.8 * first, "the loss went from {first} to {last}");

    let pre = preprocess(&clip, &config.image);
    let test = |classifier: &Classifier| {
        let options = EvalOptions::default();
        evaluate(&clip, classifier, &data.task, &pre, &options, &())
            .unwrap()
            .value
    };
    let task = &data.task;
    let zero = test(&Classifier::zero_shot(&clip, &task.classes, &task.templates).unwrap());
    let folder = PromptFolder::open(home.path()).unwrap();
    let tuned = test(&folder.classifier(&clip).unwrap());
    assert!(tuned > zero + 0.05, "zero-shot {zero}, tuned {tuned}");
}

#[test]
fn images_with_several_labels_and_with_none_can_be_learned() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let mut task = synthetic::task("shapes", 0).unwrap();
    task.multi_label = true;
    task.metric = Metric::ElevenPointMap;
    let classes = task.classes.len() as u32;
    for split in [&mut task.train, &mut task.test] {
        split.samples.truncate(60);
        for (i, item) in split.samples.iter_mut().enumerate() {
            let next = (item.labels[0] + 1) % classes;
            match i % 7 {
                0 => item.labels.clear(),
                1 | 2 => item.labels.push(next),
                _ => {}
            }
            item.labels.sort_unstable();
        }
    }
    for loss in [LossName::CrossEntropy, LossName::Binary] {
        let mut config = parse(
            "[train]\nepochs = 15\nlr = 0.05\nbatch_size = 8\n[few_shot]\nshots = 6",
            "test",
        )
        .unwrap();
        config.train.loss = loss;
        config.train.select = Select::BestVal;
        let data = TrainingData::of(task.clone(), &config).unwrap();
        assert_eq!(data.members[0].subset.rule, FewShotRule::Elevater);
        assert_eq!(data.members[0].subset.shots, Shots::Count(6));
        let dir = home.path().join(format!("{loss:?}"));
        let watch = Watch::default();
        Run::start_with(&config, &options(&dir), &clip, &data, &watch).unwrap();
        let (first, last) = ends(&watch);
        assert!(
            last < first,
            "{loss:?}: the loss went from {first} to {last}"
        );
        let folder = PromptFolder::open(&dir).unwrap();
        assert!(folder.adapter.multi_label);
        let pre = preprocess(&clip, &config.image);
        let options = EvalOptions::default();
        let result = evaluate(
            &clip,
            &folder.classifier(&clip).unwrap(),
            &task,
            &pre,
            &options,
            &(),
        )
        .unwrap();
        assert!(result.value > 0.0 && result.value <= 1.0);
        assert_eq!(result.accuracy, None);
        let json = result.clip_benchmark("tiny", "random");
        assert_eq!(json["metrics"]["11point_mAP"], result.value);
    }
}
