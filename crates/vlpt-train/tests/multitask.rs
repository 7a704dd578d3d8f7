//! One prompt for several tasks: label spaces, metrics, the folder it ends in, and its members.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::{Watch, assert_same_tree, options, short_config, tiny_clip};
use vlpt_adapter::{EvalOptions, PromptFolder, evaluate};
use vlpt_clip::Clip;
use vlpt_data::{FewShotRule, Task};
use vlpt_methods::{CoOpConfig, MethodConfig, method as spec};
use vlpt_train::{
    Event, LabelSpace, Mix, Run, RunConfig, Select, TaskEntry, TrainError, TrainingData,
    open_tasks, parse,
};

/// The method of that name with its built-in options.
fn tuned(name: &str) -> MethodConfig {
    MethodConfig::new(spec(name).unwrap())
}

/// A short run on two drawn tasks.
fn two_tasks() -> RunConfig {
    let mut config = short_config();
    config.data.path = String::new();
    config.tasks = ["synthetic:shapes", "synthetic:stripes"]
        .map(|path| TaskEntry::Path(path.to_owned()))
        .to_vec();
    config.few_shot.shots = 2.into();
    config.train.select = Select::BestVal;
    config
}

fn opened(config: &RunConfig) -> (Vec<Task>, TrainingData) {
    let tasks = open_tasks(config).unwrap();
    let data = TrainingData::of_tasks(&tasks, config).unwrap();
    (tasks, data)
}

fn run(config: &RunConfig, dir: &Path, clip: &Clip) -> PromptFolder {
    let (_, data) = opened(config);
    let done = Run::start_with(config, &options(dir), clip, &data, &()).unwrap();
    PromptFolder::open(&done.prompt).unwrap()
}

#[test]
fn classes_and_labels_are_counted_through_the_tasks() {
    let (tasks, data) = opened(&two_tasks());
    assert_eq!(data.task.name, "shapes+stripes");
    let first = tasks[0].classes.len();
    let classes = [tasks[0].classes.clone(), tasks[1].classes.clone()].concat();
    assert_eq!(data.task.classes, classes);
    for (member, task) in data.members.iter().zip(&tasks) {
        assert_eq!(data.task.classes[member.classes.clone()], task.classes);
        for item in &data.train.samples[member.train.clone()] {
            assert!(member.classes.contains(&(item.labels[0] as usize)));
        }
        for item in &data.val.samples[member.val.clone()] {
            assert!(member.classes.contains(&(item.labels[0] as usize)));
        }
    }
    assert_eq!(data.members[1].classes.start, first);
    assert_eq!(data.members[1].train.end, data.train.len());
}

#[test]
fn subsets_are_drawn_together_as_published_and_one_task_as_alone() {
    let mut config = two_tasks();
    let alone = |name: &str, config: &RunConfig| {
        let mut one = config.clone();
        one.tasks = vec![TaskEntry::Path(format!("synthetic:{name}"))];
        opened(&one).1.members.remove(0).subset
    };
    let (_, data) = opened(&config);
    assert_eq!(data.members[0].subset.train, alone("shapes", &config).train);
    assert_ne!(
        data.members[1].subset.train,
        alone("stripes", &config).train,
        "the stream of the first goes on"
    );
    config.few_shot.rule = Some(FewShotRule::Elevater);
    config.few_shot.shots = 4.into();
    let (_, joint) = opened(&config);
    assert_eq!(joint.members[1].subset.drawn_with, ["shapes", "stripes"]);
    config.tasks.reverse();
    let (_, reversed) = opened(&config);
    assert_eq!(
        joint.members[0].subset.train, reversed.members[1].subset.train,
        "tasks are sorted by name, whatever the list's order"
    );
}

#[test]
fn a_list_of_one_task_is_that_task_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let single = short_config();
    let mut listed = single.clone();
    listed.data.path = String::new();
    listed.tasks = vec![TaskEntry::Path("synthetic:shapes".to_owned())];
    listed.multitask.label_space = LabelSpace::PerTask;
    listed.multitask.mix = Mix::OneTaskPerBatch;
    run(&single, &home.path().join("single"), &clip);
    run(&listed, &home.path().join("listed"), &clip);
    for part in ["prompt", "checkpoint"] {
        let dir = |name: &str| home.path().join(name).join(part);
        assert_same_tree(&dir("listed"), &dir("single"), part);
    }
}

#[test]
fn every_method_label_space_and_mix_trains_and_reports_each_task() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let cases = [
        ("coop", LabelSpace::Union, Mix::Proportional),
        ("coop", LabelSpace::ZeroMask, Mix::Uniform),
        ("coop", LabelSpace::PerTask, Mix::OneTaskPerBatch),
        ("vpt", LabelSpace::PerTask, Mix::Temperature),
        ("upt", LabelSpace::PerTask, Mix::Proportional),
        ("cocoop", LabelSpace::PerTask, Mix::OneTaskPerBatch),
    ];
    let mut prompts = Vec::new();
    for (number, (method, label_space, mix)) in cases.into_iter().enumerate() {
        let mut config = two_tasks();
        config.method = tuned(method);
        config.multitask.label_space = label_space;
        config.multitask.mix = mix;
        let dir = home.path().join(number.to_string());
        let folder = run(&config, &dir, &clip);
        let names: Vec<_> = folder
            .adapter
            .tasks
            .iter()
            .map(|t| t.name.as_str())
            .collect();
        assert_eq!(names, ["shapes", "stripes"]);
        let metrics = fs_err::read_to_string(folder.path.join("metrics.json")).unwrap();
        let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
        let values: Vec<f64> = metrics["val_tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["value"].as_f64().unwrap())
            .collect();
        assert_eq!(values.len(), 2);
        assert_eq!(metrics["val_mean"], f64::midpoint(values[0], values[1]));
        let bytes = fs_err::read(folder.path.join("adapter_model.safetensors")).unwrap();
        prompts.push(bytes);
    }
    assert!(prompts[0] != prompts[1] && prompts[0] != prompts[2]);
}

#[test]
fn events_have_each_tasks_metric_and_their_mean() {
    let home = tempfile::tempdir().unwrap();
    let config = two_tasks();
    let (_, data) = opened(&config);
    let watch = Watch::default();
    Run::start_with(&config, &options(home.path()), &tiny_clip(), &data, &watch).unwrap();
    let events = watch.events.lock().unwrap();
    let Event::Start(start) = &events[0] else {
        panic!("no start")
    };
    assert_eq!(start.tasks.len(), 2);
    assert_eq!(start.tasks[1].name, "stripes");
    let mut epochs = 0;
    for event in events.iter() {
        if let Event::Epoch(epoch) = event {
            let values: Vec<f64> = epoch.val_tasks.iter().map(|task| task.value).collect();
            assert_eq!(epoch.val, Some(f64::midpoint(values[0], values[1])));
            epochs += 1;
        }
    }
    assert_eq!(epochs, config.epochs());
}

#[test]
fn a_run_over_tasks_resumed_after_a_stop_ends_with_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let mut config = two_tasks();
    config.multitask.label_space = LabelSpace::PerTask;
    config.multitask.mix = Mix::OneTaskPerBatch;
    let (_, data) = opened(&config);
    let whole = home.path().join("whole");
    Run::start_with(&config, &options(&whole), &clip, &data, &()).unwrap();
    for steps in [1, 4, 6] {
        let cut = home.path().join(steps.to_string());
        let watch = Watch {
            stop_after: Some(steps),
            ..Watch::default()
        };
        let error = Run::start_with(&config, &options(&cut), &clip, &data, &watch).unwrap_err();
        assert!(matches!(error, TrainError::Stopped { .. }), "{error}");
        Run::resume_with(Some(&config), &options(&cut), &clip, &data, &()).unwrap();
        assert_same_tree(&cut, &whole, &format!("stopped after step {steps}"));
    }
    let mut other = config.clone();
    other.multitask.mix = Mix::Proportional;
    let error = Run::resume_with(Some(&other), &options(&whole), &clip, &data, &()).unwrap_err();
    assert!(
        matches!(&error, TrainError::ConfigChanged { key, .. } if key == "multitask.mix"),
        "{error}"
    );
}

#[test]
fn a_member_is_evaluated_among_its_own_classes() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let mut config = two_tasks();
    config.method.options_mut::<CoOpConfig>().class_specific = true;
    let folder = run(&config, home.path(), &clip);
    let (tasks, _) = opened(&config);
    let whole = folder.classifier(&clip).unwrap();
    assert_eq!(whole.classes.len(), folder.classes.len());
    let member = folder.member("stripes", &tasks[1].classes).unwrap();
    assert_eq!(member.classes, tasks[0].classes.len()..whole.classes.len());
    let part = folder.classifier_for_task(&clip, &tasks[1]).unwrap();
    assert_eq!(part.classes, tasks[1].classes);
    let width = clip.config.embed_dim;
    let images: Vec<f32> = (0..3 * width).map(|i| (i as f32 * 0.7).sin()).collect();
    let all = whole.logits(&clip, &images).unwrap();
    let own = part.logits(&clip, &images).unwrap();
    for (all, own) in all
        .chunks(whole.classes.len())
        .zip(own.chunks(part.classes.len()))
    {
        assert_eq!(all[member.classes.clone()], *own);
    }
    let preprocess = &folder.adapter.preprocess;
    let options = EvalOptions::default();
    let result = evaluate(&clip, &part, &tasks[1], preprocess, &options, &()).unwrap();
    assert_eq!(result.classes, tasks[1].classes);
    assert!(folder.member("stripes", &folder.classes).is_none());
}

#[test]
fn class_names_of_several_tasks_are_reported() {
    let home = tempfile::tempdir().unwrap();
    let mut config = two_tasks();
    config.train.epochs = vlpt_train::Epochs::Count(1);
    let mut tasks = open_tasks(&config).unwrap();
    tasks[0].classes[1] = "Night_Sky".to_owned();
    tasks[1].classes[0] = "night sky".to_owned();
    let data = TrainingData::of_tasks(&tasks, &config).unwrap();
    let shared = data.shared_names();
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].name, "night sky");
    assert_eq!(shared[0].tasks, ["shapes", "stripes"]);
    let watch = Watch::default();
    let done =
        Run::start_with(&config, &options(home.path()), &tiny_clip(), &data, &watch).unwrap();
    let notes = watch.notes.lock().unwrap();
    assert!(
        notes.iter().any(|note| note.contains("\"night sky\"")),
        "{notes:?}"
    );
    let metrics = fs_err::read_to_string(done.prompt.join("metrics.json")).unwrap();
    assert!(metrics.contains("shared_class_names"), "{metrics}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let text = |more: &str| format!("model = \"tiny\"\n{more}");
    let refused = |more: &str| parse(&text(more), "test").unwrap_err().to_string();
    for (more, said) in [
        (
            "tasks = [\"synthetic:shapes\"]\n[data]\npath = \"synthetic:stripes\"",
            "data.path = synthetic:stripes: expected nothing beside `tasks`",
        ),
        (
            "tasks = [\"synthetic:shapes\"]\n[data]\nsplit_seed = 3",
            "expected none beside `tasks`",
        ),
        ("tasks = [\"\"]", "expected a path"),
        ("tasks = [{ pth = \"a\" }]", "unknown key `pth`"),
        (
            "[multitask]\ntemperature = 0.0",
            "expected a number above 0",
        ),
        ("[multitask]\nlabel_space = \"unoin\"", "unoin"),
        (
            "method = \"linear-probe\"\ntasks = [\"synthetic:shapes\", \"synthetic:stripes\"]",
            "a baseline is fitted to a single data set",
        ),
        (
            "method = \"zero-shot\"\ninit_from = \"x\"",
            "a baseline starts from no prompt",
        ),
    ] {
        let error = refused(more);
        assert!(error.contains(said), "{more}: {error}");
    }
    let mut config = two_tasks();
    config.tasks[1] = TaskEntry::Path("synthetic:shapes".to_owned());
    let error = open_tasks(&config).unwrap_err();
    assert!(
        error.to_string().contains("two tasks are called shapes"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("name = \"NAME\""));
    let named = "tasks = [\"synthetic:shapes\", { path = \"synthetic:shapes\", name = \"other\", split_seed = 1 }]";
    let config = parse(&text(named), "test").unwrap();
    assert_eq!(open_tasks(&config).unwrap()[1].name, "other");
    assert_eq!(parse(&config.to_toml(), "again").unwrap(), config);
}
