//! Runs on the images that a list names, in the order of a draw, with every step's loss.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::Path;

use support::{Watch, assert_same_tree, copy, options, short_config, tiny_clip};
use vlpt_data::fewshot::few_shot_joint_order;
use vlpt_data::{FewShotRule, Shots, Task, few_shot, synthetic, write_list};
use vlpt_train::{Event, Run, RunConfig, StepEnd, TrainingData, parse, read_events};

fn with_list(list: &Path) -> RunConfig {
    let mut config = short_config();
    config.few_shot.list = Some(list.display().to_string());
    config
}

/// Writes what the usual rule draws of a task as a list.
fn drawn(task: &Task, seed: u64, list: &Path) {
    let subset = few_shot(task, FewShotRule::Coop, 4, seed).unwrap();
    fs_err::create_dir_all(list.parent().unwrap()).unwrap();
    write_list(list, task, &subset, None).unwrap();
}

#[test]
fn a_run_on_a_list_is_the_run_on_the_draw_that_it_holds() {
    let home = tempfile::tempdir().unwrap();
    let task = synthetic::task("shapes", 0).unwrap();
    let list = home.path().join("lists").join("shot_4-seed_1.pkl");
    drawn(&task, 1, &list);
    let watch = [Watch::default(), Watch::default()];
    let clip = tiny_clip();
    for (watch, config) in watch.iter().zip([short_config(), with_list(&list)]) {
        let dir = home
            .path()
            .join(config.few_shot.list.as_ref().map_or("drawn", |_| "listed"));
        let data = TrainingData::of(task.clone(), &config).unwrap();
        Run::start_with(&config, &options(&dir), &clip, &data, watch).unwrap();
    }
    assert_eq!(watch[0].losses(), watch[1].losses());
    let stored = fs_err::read_to_string(home.path().join("listed/subset.json")).unwrap();
    assert!(stored.contains("\"rule\": \"list\""), "{stored}");
    assert!(
        stored.contains("\"file\": \"shot_4-seed_1.pkl\""),
        "{stored}"
    );
    // the stored subset is a list itself
    let config = with_list(&home.path().join("listed/subset.json"));
    let again = TrainingData::of(task.clone(), &config).unwrap();
    let first = TrainingData::of(task, &short_config()).unwrap();
    let ids = |data: &TrainingData| -> Vec<String> {
        data.train
            .samples
            .iter()
            .map(|item| item.image.id())
            .collect()
    };
    assert_eq!(ids(&again), ids(&first));
}

#[test]
fn names_of_lists_are_filled_in_and_several_tasks_need_one_each() {
    let home = tempfile::tempdir().unwrap();
    let tasks = ["shapes", "digits"].map(|name| synthetic::task(name, 0).unwrap());
    for task in &tasks {
        drawn(
            task,
            3,
            &home.path().join(&task.name).join("shot_4-seed_3.jsonl"),
        );
    }
    let pattern = home
        .path()
        .join("{task}")
        .join("shot_{shots}-seed_{seed}_train.jsonl");
    let mut config = with_list(&pattern);
    config.seed = 3;
    let data = TrainingData::of_tasks(&tasks, &config).unwrap();
    for (member, task) in data.members.iter().zip(&tasks) {
        let expected = few_shot(task, FewShotRule::Coop, 4, 3).unwrap();
        assert_eq!(
            (&member.subset.train, &member.subset.val),
            (&expected.train, &expected.val)
        );
    }
    let one = home.path().join("shapes/shot_4-seed_3_train.jsonl");
    let error = TrainingData::of_tasks(&tasks, &with_list(&one)).unwrap_err();
    assert!(
        error.to_string().contains("a name with {task} in it"),
        "{error}"
    );
    config.few_shot.shots = Shots::Count(2);
    assert!(
        TrainingData::of_tasks(&tasks, &config).is_err(),
        "no such file"
    );
}

#[test]
fn settings_that_contradict_a_list_are_refused() {
    let message = |text: &str| parse(text, "test").unwrap_err().to_string();
    let list = "[few_shot]\nlist = \"a.pkl\"\n";
    assert!(message(&format!("{list}rule = \"coop\"")).contains("no rule beside few_shot.list"));
    assert!(message("[few_shot]\nrule = \"list\"").contains("name its file as few_shot.list"));
    assert!(message("[few_shot]\nlist = \"\"").contains("the file of a list"));
    assert!(parse(list, "test").is_ok());
    let mixed = "tasks = [\"a\", \"b\"]\n[multitask]\nmix = \"uniform\"\n[train]\nshuffle = false";
    assert!(
        message(mixed).contains("train.shuffle"),
        "{}",
        message(mixed)
    );
}

/// ELEVATER's multitask loader goes through the joint list in the order in which it was parted.
#[test]
fn the_order_of_a_joint_draw_is_that_of_its_list() {
    let tasks = ["shapes", "digits"].map(|name| synthetic::task(name, 0).unwrap());
    let mut config = short_config();
    config.few_shot.rule = Some(FewShotRule::Elevater);
    config.few_shot.shots = Shots::Count(5);
    let data = TrainingData::of_tasks(&tasks, &config).unwrap();
    let (subsets, order) =
        few_shot_joint_order(&tasks.each_ref(), Shots::Count(5), config.seed).unwrap();
    let expected: Vec<&String> = order
        .iter()
        .map(|&(task, at)| &subsets[task].train[at])
        .collect();
    let found: Vec<String> = data
        .order
        .iter()
        .map(|&at| data.train.samples[at].image.id())
        .collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    let mut sorted = data.order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..data.train.len()).collect::<Vec<_>>());
    assert_ne!(data.order, sorted, "the tasks are mixed");
    let alone = TrainingData::of(tasks[0].clone(), &config).unwrap();
    assert_eq!(alone.order, (0..alone.train.len()).collect::<Vec<_>>());
}

#[test]
fn steps_are_logged_where_asked_for_and_a_resumed_log_is_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.log_steps = true;
    config.train.shuffle = false;
    let clip = tiny_clip();
    let data = TrainingData::of(synthetic::task("shapes", 0).unwrap(), &config).unwrap();
    let whole = home.path().join("whole");
    let watch = Watch {
        snapshots: Some((whole.clone(), home.path().join("at"))),
        ..Watch::default()
    };
    Run::start_with(&config, &options(&whole), &clip, &data, &watch).unwrap();
    let events = read_events(&whole.join("events.jsonl")).unwrap();
    let mut steps: Vec<StepEnd> = Vec::new();
    for event in &events {
        match event {
            Event::Step(step) => steps.push(step.clone()),
            Event::Epoch(end) => {
                let own: Vec<f64> = steps
                    .iter()
                    .filter(|step| step.epoch == end.epoch)
                    .map(|step| step.loss)
                    .collect();
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                assert!((mean - end.loss).abs() < 1e-12, "{mean} {}", end.loss);
            }
            _ => {}
        }
    }
    let losses: Vec<f64> = steps.iter().map(|step| step.loss).collect();
    assert_eq!(losses, watch.losses());
    assert_eq!((steps[0].epoch, steps[0].step), (1, 1));
    let middle = home.path().join("resumed");
    copy(&home.path().join("at").join("004"), &middle);
    Run::resume_with(Some(&config), &options(&middle), &clip, &data, &()).unwrap();
    assert_same_tree(&middle, &whole, "resumed between two steps");
    let error = {
        let mut other = config.clone();
        other.train.shuffle = true;
        Run::resume_with(Some(&other), &options(&middle), &clip, &data, &()).unwrap_err()
    };
    assert!(error.to_string().contains("train.shuffle"), "{error}");
}
