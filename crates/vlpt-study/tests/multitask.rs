//! The stages of multitask tuning on a tiny model: one prompt for several tasks, over seeds and
//! beside those of its members.

#![allow(clippy::unwrap_used)]

#[path = "../../vlpt-train/tests/support/mod.rs"]
mod support;

use std::path::Path;

use support::{assert_same_tree, options, short_config, tiny_clip};
use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;
use vlpt_study::multitask::{Singles, train_jointly, train_source};
use vlpt_train::{Run, RunConfig, Select, TaskEntry, TrainingData, open_tasks};

/// A short run on two drawn tasks.
fn two_tasks() -> RunConfig {
    let mut config = short_config();
    config.data.path = String::new();
    config.tasks = ["drawn:shapes", "drawn:stripes"]
        .map(|path| TaskEntry::Path(path.to_owned()))
        .to_vec();
    config.few_shot.shots = 2.into();
    config.train.select = Select::BestVal;
    config
}

fn run(config: &RunConfig, dir: &Path, clip: &Clip) -> PromptFolder {
    let tasks = open_tasks(config).unwrap();
    let data = TrainingData::of_tasks(&tasks, config).unwrap();
    let done = Run::start_with(config, &options(dir), clip, &data, &()).unwrap();
    PromptFolder::open(&done.prompt).unwrap()
}

#[test]
fn a_source_prompt_of_several_seeds_is_their_average() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let config = two_tasks();
    let tasks = open_tasks(&config).unwrap();
    let made = |dir: &str, seeds: &[u64]| {
        let dir = home.path().join(dir);
        train_source(&config, seeds, &options(&dir), &clip, &tasks, &())
    };
    let source = made("source", &[0, 3]).unwrap();
    assert_eq!(source.averaged.unwrap().sources[1].seed, 3);
    let folder = PromptFolder::open(&home.path().join("source")).unwrap();
    assert_eq!(folder.path, source.prompt);
    assert_eq!(folder.adapter.tasks.len(), 2);
    let before = support::tree(&home.path().join("source"));
    let again = made("source", &[0, 3]).unwrap();
    assert!(again.runs.iter().all(|run| run.already_finished));
    assert!(before == support::tree(&home.path().join("source")));
    let one = made("one", &[3]).unwrap();
    let values = |path: &Path| fs_err::read(path.join("adapter_model.safetensors")).unwrap();
    assert!(values(&one.prompt) == values(&home.path().join("source/seed-3/prompt")));
    let error = made("twice", &[1, 1]).unwrap_err();
    assert!(
        error.to_string().contains("the seed 1 is given twice"),
        "{error}"
    );
}

#[test]
fn a_joint_prompt_is_shown_beside_those_of_its_members() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let config = two_tasks();
    let tasks = open_tasks(&config).unwrap();
    let dir = home.path().join("joint");
    let joint = |dir: &Path, singles: Singles<'_>| {
        train_jointly(&config, singles, &options(dir), &clip, &tasks, &())
    };
    let trained = joint(&dir, Singles::Train).unwrap();
    assert_eq!(trained.members.len(), 2);
    assert!(trained.notes.is_empty(), "{:?}", trained.notes);
    // The first task's subset is the one it has alone, so its own run can be had as a plain one.
    let mut alone = config.clone();
    alone.tasks.truncate(1);
    let plain = run(&alone, &home.path().join("plain"), &clip);
    let own = trained.members[0].single_prompt.clone().unwrap();
    assert_same_tree(&own, &plain.path, "single-task prompt");
    let against = joint(
        &home.path().join("other"),
        Singles::Against(&dir.join("single")),
    )
    .unwrap();
    for (a, b) in trained.members.iter().zip(&against.members) {
        assert_eq!(
            (a.single, a.joint, a.zero_shot),
            (b.single, b.joint, b.zero_shot)
        );
    }
    let absent = home.path().join("absent");
    let error = joint(&absent, Singles::Against(home.path())).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no single-task prompt of shapes"),
        "{error}"
    );
    assert!(
        !home.path().join("absent").exists(),
        "refused before the work"
    );
}
